"""What the messages API refuses, in its own words."""

import re
from typing import Any, NoReturn

from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.identifiers import Identifiers
from monkey_coder_server.sandbox.wire_errors import Refused

_PARAMETERS = frozenset(
    [
        "model",
        "messages",
        "max_tokens",
        "system",
        "metadata",
        "stop_sequences",
        "stream",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
        "service_tier",
        "container",
        "context_management",
        "mcp_servers",
        "output_config",
        "output_format",
        "cache_control",
        "betas",
        "inference_geo",
        "speed",
    ]
)
_NO_PREFILL = re.compile(r"^claude-(opus|sonnet)-4-[678]|^claude-[a-z]+-5")
_SYSTEM_TURNS = re.compile(r"^claude-opus-4-8|^claude-[a-z]+-5")
"""Models that let a `system` message follow the user's (platform.claude.com, mid-conversation system messages)."""
_NO_SAMPLING = re.compile(r"^claude-opus-4-[78]")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_THINKING_FLOOR = 1_024
_BREAKPOINTS = 4


def invalid(message: str) -> NoReturn:
    """Turn the request away with a 400."""
    raise Refused("invalid", message)


def parameters(card: Card, body: dict[str, Any], *, counting: bool) -> None:
    """Raise Refused for missing, unknown or impossible parameters."""
    for name in body.keys() - _PARAMETERS:
        invalid(f"{name}: Extra inputs are not permitted")
    if counting:
        return
    limit = body.get("max_tokens")
    if limit is None:
        invalid("max_tokens: Field required")
    if isinstance(limit, bool) or not isinstance(limit, int):
        invalid("max_tokens: Input should be a valid integer")
    if limit < 1:
        invalid("max_tokens: must be greater than or equal to 1")
    if limit > card.output_limit:
        invalid(
            f"max_tokens: {limit} > {card.output_limit}, which is the maximum allowed number of output tokens for "
            f"{body['model']}"
        )
    _sampling(body)
    _thinking(card, body, limit)


def _sampling(body: dict[str, Any]) -> None:
    temperature = body.get("temperature")
    if temperature is None:
        return
    if isinstance(temperature, bool) or not isinstance(temperature, (int, float)):
        invalid("temperature: Input should be a valid number")
    if not 0 <= temperature <= 1:
        invalid("temperature: range: 0..1")
    if temperature != 1 and _NO_SAMPLING.search(str(body["model"])):
        invalid("`temperature` is deprecated for this model.")


def _thinking(card: Card, body: dict[str, Any], limit: int) -> None:
    thinking = body.get("thinking") or {}
    kind = thinking.get("type")
    if kind in {None, "disabled"}:
        return
    if kind not in {"enabled", "adaptive"}:
        invalid(
            f"thinking: Input tag '{kind}' found using 'type' does not match any of the expected "
            "tags: 'adaptive', 'disabled', 'enabled'"
        )
    if not card.reasons:
        invalid(f"'{body['model']}' does not support thinking.")
    if kind == "enabled":
        budget = thinking.get("budget_tokens")
        if not isinstance(budget, int) or isinstance(budget, bool):
            invalid("thinking.enabled.budget_tokens: Field required")
        if budget < _THINKING_FLOOR:
            invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
        if budget >= limit:
            invalid(
                "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at "
                "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size"
            )
    if body.get("temperature") not in {None, 1}:
        invalid(
            "`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at "
            "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
            "#important-considerations-when-using-extended-thinking"
        )
    if (body.get("tool_choice") or {}).get("type") in {"any", "tool"}:
        invalid("Thinking may not be enabled when tool_choice forces tool use.")


def messages(entries: object, model: str) -> list[dict[str, Any]]:
    """The messages, with roles and tool blocks in an order the API takes. Raises Refused."""
    if entries is None:
        invalid("messages: Field required")
    if not isinstance(entries, list):
        invalid("messages: Input should be a valid list")
    if not entries:
        invalid("messages: at least one message is required")
    for index, entry in enumerate(entries):
        _message(index, entry, last=index == len(entries) - 1)
    _system_turns(entries, model)
    if entries[0]["role"] != "user":
        invalid('messages: first message must use the "user" role')
    if entries[-1]["role"] == "assistant":
        if _NO_PREFILL.search(model):
            invalid(
                "This model does not support assistant message prefill. The conversation must end with a user message."
            )
        if _plain(entries[-1]) != _plain(entries[-1]).rstrip():
            invalid("messages: final assistant content cannot end with trailing whitespace")
    _tool_order(entries)
    return entries


def _system_turns(entries: list[dict[str, Any]], model: str) -> None:
    """An instruction follows the user's turn, and is answered or ends the conversation."""
    for index, entry in enumerate(entries):
        if entry["role"] != "system":
            continue
        if index == 0:
            invalid("messages.0: use the top-level 'system' parameter for the initial system prompt")
        if not _SYSTEM_TURNS.search(model):
            invalid("role 'system' is not supported on this model")
        after = entries[index + 1]["role"] if index + 1 < len(entries) else "assistant"
        if entries[index - 1]["role"] != "user" or after != "assistant":
            invalid(
                f"messages.{index}: a 'system' message must follow a 'user' message, and be followed by an "
                "'assistant' message or end the conversation"
            )


def _message(index: int, entry: object, *, last: bool) -> None:
    if not isinstance(entry, dict):
        invalid(f"messages.{index}: Input should be a valid dictionary or object to extract fields from")
    role = entry.get("role")
    if role is None:
        invalid(f"messages.{index}.role: Field required")
    if role not in {"user", "assistant", "system"}:
        invalid(f'messages: Unexpected role "{role}". Allowed roles are "user" or "assistant"')
    content = entry.get("content")
    if content is None:
        invalid(f"messages.{index}.content: Field required")
    if not content and not (last and role == "assistant"):
        invalid(f"messages.{index}: {role} messages must have non-empty content")
    for block in content if isinstance(content, list) else ():
        if isinstance(block, dict) and block.get("type") == "text" and not block.get("text"):
            invalid("messages: text content blocks must be non-empty")
    _marked(index, content)


def _marked(index: int, content: object) -> None:
    """Thoughts cannot be marked for the cache, nor texts with nothing in them."""
    for place, block in enumerate(content if isinstance(content, list) else ()):
        if not isinstance(block, dict) or "cache_control" not in block:
            continue
        kind = block.get("type")
        if kind in {"thinking", "redacted_thinking"}:
            invalid(f"messages.{index}.content.{place}.{kind}.cache_control: Extra inputs are not permitted")
        if kind == "text" and not str(block.get("text", "")).strip():
            invalid(f"messages.{index}.content.{place}.text: cache_control cannot be set for empty text blocks")


def blocks(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The content of a message as blocks."""
    content = entry["content"]
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, dict)]


def _plain(entry: dict[str, Any]) -> str:
    return "".join(str(block.get("text", "")) for block in blocks(entry)[-1:])


def _tool_order(entries: list[dict[str, Any]]) -> None:
    waiting: list[str] = []
    for index, entry in enumerate(entries):
        found = blocks(entry)
        results = [block.get("tool_use_id", "") for block in found if block.get("type") == "tool_result"]
        for place, block in enumerate(found):
            if block.get("type") == "tool_result" and block.get("tool_use_id") not in waiting:
                invalid(
                    f"messages.{index}.content.{place}: unexpected `tool_use_id` found in `tool_result` blocks: "
                    f"{block.get('tool_use_id')}. Each `tool_result` block must have a corresponding "
                    "`tool_use` block in "
                    "the previous message."
                )
        _unanswered(index - 1, [name for name in waiting if name not in results])
        waiting = [str(block.get("id", "")) for block in found if block.get("type") == "tool_use"]
    _unanswered(len(entries) - 1, waiting)


def _unanswered(index: int, missing: list[str]) -> None:
    if missing:
        invalid(
            f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` "
            "block in the next message."
        )


def signatures(entries: list[dict[str, Any]], body: dict[str, Any], identifiers: Identifiers) -> None:
    """Raise Refused for a thinking block this sandbox did not sign, or one that is missing before a tool call."""
    for index, entry in enumerate(entries):
        if entry["role"] != "assistant":
            continue
        for place, block in enumerate(blocks(entry)):
            if block.get("type") == "thinking" and not identifiers.issued(
                str(block.get("signature", "")), str(block.get("thinking", ""))
            ):
                invalid(f"messages.{index}.content.{place}: Invalid `signature` in `thinking` block")
    if (body.get("thinking") or {}).get("type") != "enabled":
        return
    calling = [
        number for number, entry in enumerate(entries) if any(b.get("type") == "tool_use" for b in blocks(entry))
    ]
    if calling and calling[-1] == len(entries) - 2:
        kind = blocks(entries[calling[-1]])[0].get("type")
        if kind not in {"thinking", "redacted_thinking"}:
            invalid(
                f"messages.{calling[-1]}.content.0.type: Expected `thinking` or `redacted_thinking`, "
                f"but found `{kind}`. "
                "When `thinking` is enabled, a final `assistant` message must start with a thinking "
                "block (preceeding the "
                "lastmost set of `tool_use` and `tool_result` blocks). To avoid this requirement, disable `thinking`."
            )


def tools(entries: object, choice: dict[str, Any]) -> None:
    """Raise Refused for unusable tool definitions or a choice that names none of them."""
    listed = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    names = [str(entry.get("name", "")) for entry in listed]
    for index, entry in enumerate(listed):
        if entry.get("type", "custom") != "custom":
            continue
        if not _TOOL_NAME.fullmatch(names[index]):
            invalid(f"tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        if not isinstance(entry.get("input_schema"), dict):
            invalid(f"tools.{index}.custom.input_schema: Field required")
    if len(set(names)) != len(names):
        invalid("tools: Tool names must be unique.")
    if choice.get("type") == "tool" and choice.get("name") not in names:
        invalid(f"Tool '{choice.get('name')}' not found in provided tools")


def breakpoints(lifetimes: list[int]) -> None:
    """Raise Refused for more than four cache breakpoints, or a long-lived one after a short-lived one."""
    if len(lifetimes) > _BREAKPOINTS:
        invalid(f"A maximum of 4 blocks with cache_control may be provided. Found {len(lifetimes)}.")
    if lifetimes != sorted(lifetimes, reverse=True):
        invalid(
            "messages: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control "
            "block. Note that blocks "
            "are processed in the following order: `tools`, `system`, `messages`."
        )
