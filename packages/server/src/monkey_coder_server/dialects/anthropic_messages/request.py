"""Writes a conversation as a Messages request.

Left out because the API has no word for it: `seed`, the penalties, an image's `detail`. Left out where a
model refuses it: sampling beside thinking or with a fixed temperature. The messages stand last in the body, so that
the next turn's body begins with this one's bytes.
"""

from collections.abc import Iterable, Mapping, Sequence

from monkey_coder_server.dialects.anthropic_messages.content import Block, assistant_blocks, text_block, user_blocks
from monkey_coder_server.dialects.anthropic_messages.marking import mark_prompt, marked_fields
from monkey_coder_server.dialects.anthropic_messages.names import DIALECT
from monkey_coder_server.dialects.anthropic_messages.relaying import Relayed, merged_betas, relay_body
from monkey_coder_server.dialects.anthropic_messages.thinking import Thought, plan_thinking
from monkey_coder_server.dialects.anthropic_messages.tools import (
    JSON_ONLY,
    write_output_format,
    write_tool,
    write_tool_choice,
)
from monkey_coder_server.dialects.anthropic_messages.traits import ModelTraits
from monkey_coder_server.dialects.anthropic_messages.unbillable import refuse_unbillable
from monkey_coder_server.dialects.left_out import left_out
from monkey_coder_server.dialects.wire import as_object, write_json
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import (
    Document,
    Json,
    Message,
    ModelRequest,
    Part,
    Role,
    Source,
    Text,
    ToolResult,
)
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.provider import WireRequest

VERSION = "2023-06-01"
FILES_BETA = "files-api-2025-04-14"
INTERLEAVED_BETA = "interleaved-thinking-2025-05-14"
_INSTRUCTING = frozenset({Role.SYSTEM, Role.DEVELOPER})
_WORDS = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "stop": "stop_sequences"}
_CACHE_MARKS = 4
"""How many cache marks one request may hold (platform.claude.com, prompt caching)."""


def write_request(
    request: ModelRequest, *, card: ModelCard, traits: ModelTraits, key: str, stream: bool
) -> WireRequest:
    """Write one call of `/v1/messages`; a caller's own Messages request is sent on as it came, but for marks."""
    source = request.source
    if source is not None and source.dialect == DIALECT:
        relayed = relay_body(request, source, card=card, traits=traits, stream=stream)
        headers = _relayed_headers(relayed, source, key=key)
        fields: Mapping[str, Json] = relayed.fields
        if request.prompt_cache is not None:
            fields = marked_fields(fields, request.prompt_cache.reuse, traits.least_kept)
        return WireRequest("/v1/messages", headers, write_json(fields), tuple(relayed.changed))
    thought = plan_thinking(request, card=card, traits=traits)
    body: Block = {"model": card.model, "max_tokens": thought.max_tokens}
    if stream:
        body["stream"] = True
    body |= thought.fields
    if output_format := write_output_format(request.output, card):
        body.setdefault("output_config", {})["format"] = output_format
    body |= _sampling(request, card=card, thought=thought)
    if request.user:
        body["metadata"] = {"user_id": request.user}
    if tool_choice := write_tool_choice(request):
        body["tool_choice"] = tool_choice
    if request.dialect == DIALECT:
        refuse_unbillable(request)
        body |= {name: value for name, value in request.extra.items() if name not in body}
    body |= _prompt(request, traits=traits, provider=card.provider)
    headers = _headers(request, key=key, traits=traits, thought=thought)
    return WireRequest("/v1/messages", headers, write_json(body), left_out(request.sampling, _WORDS, body))


def _prompt(request: ModelRequest, *, traits: ModelTraits, provider: str) -> Block:
    leading = _leading_instructions(request.messages)
    system = [block for part in _texts(leading) if (block := text_block(part))]
    if request.output is not None and request.output.kind == "json":
        system.append({"type": "text", "text": JSON_ONLY})
    turns = _turns(request.messages[len(leading) :], traits=traits, provider=provider)
    if not turns:
        sentence = "The conversation holds no message a model could answer."
        raise InvalidRequest(sentence)
    prompt: Block = {}
    if request.tools:
        prompt["tools"] = [write_tool(tool) for tool in request.tools]
    if system:
        prompt["system"] = system
    prompt["messages"] = turns
    _keep_last_marks([*prompt.get("tools", ()), *system, *(block for turn in turns for block in turn["content"])])
    if request.prompt_cache is not None:
        mark_prompt(prompt, request.prompt_cache.reuse, traits.least_kept)
    return prompt


def _leading_instructions(messages: Sequence[Message]) -> Sequence[Message]:
    count = next((at for at, message in enumerate(messages) if message.role not in _INSTRUCTING), len(messages))
    return messages[:count]


def _texts(messages: Sequence[Message]) -> list[Text]:
    return [part for message in messages for part in message.parts if isinstance(part, Text)]


def _turns(messages: Sequence[Message], *, traits: ModelTraits, provider: str) -> list[Block]:
    """Turns as the API wants them: neighbours of one role joined, tool results before anything else of a turn.

    An instruction may stand alone where it follows the user's turn and is answered or ends the conversation
    (platform.claude.com, mid-conversation system messages: its rules of placement).
    """
    turns: list[Block] = []
    for at, message in enumerate(messages):
        may_instruct = traits.system_turns and bool(turns) and turns[-1]["role"] != "assistant"
        may_instruct = may_instruct and message.role in _INSTRUCTING and _is_answered(messages[at:])
        role, blocks = _turn(message, may_instruct=may_instruct, provider=provider)
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    for turn in turns:
        turn["content"].sort(key=lambda block: block.get("type") != "tool_result")
    return turns


def _is_answered(messages: Iterable[Message]) -> bool:
    """Whether the assistant speaks next, or nobody does."""
    said = (each for each in messages if each.role not in _INSTRUCTING and each.parts)
    return next((each.role is Role.ASSISTANT for each in said), True)


def _turn(message: Message, *, may_instruct: bool, provider: str) -> tuple[str, list[Block]]:
    """Role and blocks; an instruction in mid-conversation speaks through the user where `system` may not stand."""
    if message.role is Role.ASSISTANT:
        return "assistant", assistant_blocks(message.parts, provider=provider)
    if message.role not in _INSTRUCTING:
        return "user", user_blocks(message.parts)
    texts = _texts([message])
    if may_instruct:
        return "system", [block for part in texts if (block := text_block(part))]
    return "user", user_blocks(
        Text(f"<system>\n{part.text}\n</system>", part.cache) for part in texts if part.text.strip()
    )


def _sampling(request: ModelRequest, *, card: ModelCard, thought: Thought) -> Block:
    sampling = request.sampling
    written: Block = {}
    if stops := [stop for stop in sampling.stop if stop.strip()]:
        written["stop_sequences"] = stops
    if thought.active or card.fixed_temperature:
        return written
    if sampling.temperature is not None:
        written["temperature"] = min(sampling.temperature, 1.0)  # Anthropic's scale ends at 1, OpenAI's at 2
    elif sampling.top_p is not None:  # newer models refuse both together
        written["top_p"] = sampling.top_p
    if sampling.top_k is not None:
        written["top_k"] = sampling.top_k
    return written


def _headers(request: ModelRequest, *, key: str, traits: ModelTraits, thought: Thought) -> dict[str, str]:
    headers = {"content-type": "application/json", "x-api-key": key, "anthropic-version": VERSION}
    betas = []
    if any(_names_file(part) for message in request.messages for part in message.parts):
        betas.append(FILES_BETA)
    if thought.active and traits.thinking == "budget" and request.tools:
        betas.append(INTERLEAVED_BETA)
    if betas:
        headers["anthropic-beta"] = ",".join(betas)
    return headers


def _relayed_headers(relayed: Relayed, source: Source, *, key: str) -> dict[str, str]:
    """The caller's version and betas; thinking between calls is only asked for where we chose how to think."""
    headers = {"content-type": "application/json", "x-api-key": key}
    headers["anthropic-version"] = source.headers.get("anthropic-version", VERSION)
    enabled = relayed.planned and as_object(relayed.value("thinking")).get("type") == "enabled"
    ours = [INTERLEAVED_BETA] if enabled and relayed.request.tools else []
    if betas := merged_betas(source.headers.get("anthropic-beta"), ours):
        headers["anthropic-beta"] = betas
    return headers


def _names_file(part: Part) -> bool:
    if isinstance(part, ToolResult):
        return any(_names_file(inner) for inner in part.parts)
    return isinstance(part, Document) and part.file_id is not None


def _keep_last_marks(blocks: Sequence[Block]) -> None:
    """Drop the earliest cache marks above the API's limit: a later mark covers their prefix, too."""
    marked = [block for block in blocks if "cache_control" in block]
    for block in marked[:-_CACHE_MARKS]:
        del block["cache_control"]
