"""Fits the messages of a caller's own request to a model: thoughts and call ids of other providers, system turns.

A message that need not change keeps its bytes, so that what a provider has cached of a conversation stays good.
"""

from collections.abc import Sequence

import msgspec

from monkey_coder_server.dialects.anthropic_messages.content import Block, call_identifier
from monkey_coder_server.dialects.anthropic_messages.sealed import HOME, MARK, is_foreign, unseal
from monkey_coder_server.dialects.anthropic_messages.traits import ModelTraits
from monkey_coder_server.dialects.wire import as_list, as_object, as_text, parse_json, write_json
from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, ToolCall, ToolResult

_INSTRUCTING = frozenset({"system", "developer"})
_IDENTIFIERS = {"tool_use": "id", "tool_result": "tool_use_id"}


class _Turn(msgspec.Struct, gc=False):
    """What is read of a message that may keep its bytes."""

    role: str


_messages = msgspec.json.Decoder(list[msgspec.Raw])
_turn = msgspec.json.Decoder(_Turn)


def fit_history(
    fields: dict[str, msgspec.Raw], changed: dict[str, None], request: ModelRequest, traits: ModelTraits
) -> None:
    """Change `messages`, and `system` where instructions must move there; name in `changed` what is lost."""
    raw = fields.get("messages")
    if raw is None:
        return
    messages = _messages.decode(raw)
    foreign = MARK in bytes(raw) or _has_foreign_calls(request.messages)
    instructed = any(message.role is Role.SYSTEM for message in request.messages[1:]) or (
        bool(messages) and _turn.decode(messages[0]).role in _INSTRUCTING
    )
    fitted = messages
    if foreign:
        fitted = [kept for message in fitted if (kept := _without_foreign(message, changed)) is not None]
    if instructed:
        fitted = _with_instructions(fitted, fields, changed, traits)
    if len(fitted) != len(messages) or any(one is not other for one, other in zip(fitted, messages, strict=True)):
        fields["messages"] = msgspec.Raw(msgspec.json.encode(fitted))


def _has_foreign_calls(messages: Sequence[Message]) -> bool:
    """Whether a call has an id Anthropic would not accept."""
    parts = (part for message in messages for part in message.parts if isinstance(part, ToolCall | ToolResult))
    identifiers = (part.id if isinstance(part, ToolCall) else part.call_id for part in parts)
    return any(call_identifier(identifier) != identifier for identifier in identifiers)


def _without_foreign(raw: msgspec.Raw, changed: dict[str, None]) -> msgspec.Raw | None:
    """A message without what only another provider understands; None when nothing is left of it."""
    message = as_object(parse_json(bytes(raw)))
    content = message.get("content")
    if not isinstance(content, list):
        return raw
    kept = [_own_block(block) for block in map(as_object, content) if not is_foreign(block)]
    if kept == content:
        return raw
    if len(kept) < len(content):
        changed["messages.thinking"] = None
    return msgspec.Raw(write_json(message | {"content": kept})) if kept else None


def _own_block(block: Block) -> Block:
    """The block with a call id Anthropic accepts, and without sources of another provider."""
    name = _IDENTIFIERS.get(str(block.get("type")))
    identifier = as_text(block.get(name)) if name is not None else None
    if name is not None and identifier is not None:
        return block | {name: call_identifier(identifier)}
    cited = as_list(block.get("citations")) if block.get("type") == "text" else []
    own = [each for each in cited if unseal(as_text(as_object(each).get("encrypted_index")) or "")[0] == HOME]
    if len(own) == len(cited):
        return block
    return {name: value for name, value in block.items() if name != "citations"} | ({"citations": own} if own else {})


def _with_instructions(
    messages: Sequence[msgspec.Raw], fields: dict[str, msgspec.Raw], changed: dict[str, None], traits: ModelTraits
) -> list[msgspec.Raw]:
    """Instructions inside the conversation: those at its head join the system prompt, others keep their place.

    There they speak with the role `system` where the model takes that after a user's turn, else through the user.
    """
    written: list[msgspec.Raw] = []
    head: list[Block] = []
    before = ""
    for raw in messages:
        role = _turn.decode(raw).role
        if role not in _INSTRUCTING:
            written.append(raw)
            before = role
            continue
        message = as_object(parse_json(bytes(raw)))
        texts = _texts(message, changed, whole=traits.system_turns)
        if not before:
            head += texts
        elif traits.system_turns and before != "assistant":
            written.append(raw if role == "system" else msgspec.Raw(write_json(message | {"role": "system"})))
        elif texts:
            said = [text | {"text": f"<system>\n{text['text']}\n</system>"} for text in texts]
            written.append(msgspec.Raw(write_json({"role": "user", "content": said})))
            before = "user"
    if head:
        system = parse_json(bytes(fields.get("system", msgspec.Raw(b"null"))))
        given = [{"type": "text", "text": system}] if isinstance(system, str) and system else as_list(system)
        fields["system"] = msgspec.Raw(write_json([*given, *head]))
    return written


def _texts(message: Block, changed: dict[str, None], *, whole: bool) -> list[Block]:
    """The text blocks of an instruction; without `whole` its other blocks cannot be kept."""
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content.strip() else []
    blocks = [as_object(block) for block in as_list(content)]
    if not whole:
        changed |= {str(block.get("type")): None for block in blocks if block.get("type") != "text"}
    return [block for block in blocks if block.get("type") == "text" and str(block.get("text")).strip()]
