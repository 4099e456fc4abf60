"""Reads a Messages request as callers write it (`POST /v1/messages`, platform.claude.com/docs/en/api/messages).

Read leniently: agents send more than the public schema lists, such as `system` as a role inside `messages`, and what
is not known here is kept for Anthropic, which knows.
"""

import hashlib
from collections.abc import Mapping

from monkey_coder_server.dialects.anthropic_messages.inbound_blocks import cache_hint, read_content
from monkey_coder_server.dialects.anthropic_messages.inbound_tools import (
    inline_definition,
    read_output_format,
    read_reasoning,
    read_tool,
    read_tool_choice,
)
from monkey_coder_server.dialects.anthropic_messages.names import DIALECT
from monkey_coder_server.dialects.fields import Fields
from monkey_coder_server.dialects.wire import UNREADABLE, parse_json
from monkey_coder_server.domain.conversation import (
    Message,
    ModelRequest,
    Part,
    Role,
    Sampling,
    Source,
    Text,
    Tool,
    Unknown,
)
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.front import Envelope, Inbound

FORWARDED = ("anthropic-beta", "anthropic-version")
"""Headers that mean something to Anthropic."""

_READ = frozenset(
    {
        "model",
        "messages",
        "system",
        "max_tokens",
        "stream",
        "tools",
        "tool_choice",
        "temperature",
        "top_p",
        "top_k",
        "stop_sequences",
        "thinking",
        "output_config",
        "output_format",
        "metadata",
    }
)
_READ_OF_OUTPUT = frozenset({"effort", "format"})
_ROLES = {
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
}
_BILLING_LINE = "x-anthropic-billing-header:"
_LONGEST_BILLING_LINE = 256
"""A longer one is no such line: what is left out must not hide a prompt from its bill."""
_LONGEST_USER = 64
"""Characters OpenAI takes as a user id."""


class BodyFields(Fields):
    """Names places as Anthropic's own errors do: `messages.2.content.0`."""

    __slots__ = ()
    ITEM = ".{}"


def read_request(body: bytes, envelope: Envelope, *, counts_only: bool) -> Inbound:
    """Read a request. `counts_only`: for counting tokens, so that no length needs to be given."""
    parsed = parse_json(body)
    if parsed is UNREADABLE:
        raise InvalidRequest("The body is not valid JSON.")
    fields = BodyFields(parsed)
    lost: dict[str, None] = {}
    model = fields.needed_text("model")
    max_tokens = fields.whole("max_tokens", least=0)
    if max_tokens is None and not counts_only:
        fields.refuse("max_tokens", "is missing; say how long the answer may be")
    output = fields.object("output_config")
    effort = None if output is None else output.text("effort")
    messages = (*_system(fields, lost), *(_message(each, lost) for each in fields.objects("messages")))
    extra = {name: value for name, value in fields.raw.items() if name not in _READ}
    lost |= dict.fromkeys(extra)
    if output is not None:
        lost |= {f"output_config.{name}": None for name in output.raw if name not in _READ_OF_OUTPUT}
    wanted = fields.object("output_format") if output is None else output.object("format")
    request = ModelRequest(
        messages=messages,
        tools=(*(read_tool(each, lost) for each in fields.objects("tools")), *_added_tools(messages, lost)),
        tool_choice=read_tool_choice(fields.object("tool_choice")),
        sampling=_sampling(fields, max_tokens),
        reasoning=read_reasoning(fields.object("thinking"), effort),
        output=read_output_format(wanted),
        user=_user(fields.object("metadata")),
        dialect=DIALECT,
        extra=extra,
        source=Source(DIALECT, body, _forwarded(envelope.headers), len(fields.items("mcp_servers"))),
    )
    return Inbound(request=request, model=model, stream=fields.flag("stream") or False, lost=tuple(lost))


def _system(fields: Fields, lost: dict[str, None]) -> tuple[Message, ...]:
    """The system prompt without Claude Code's billing line, which says nothing to a model and breaks prompt caches."""
    system = fields.raw.get("system")
    if isinstance(system, str):
        return (Message(Role.SYSTEM, (Text(system),)),)
    parts = []
    for block in fields.objects("system"):
        text = block.text("text")
        if block.raw.get("type") != "text" or text is None:
            lost["system"] = None
        elif not _is_billing_line(text):
            parts.append(Text(text, cache_hint(block)))
    return (Message(Role.SYSTEM, tuple(parts)),) if parts else ()


def _is_billing_line(text: str) -> bool:
    return text.startswith(_BILLING_LINE) and len(text) <= _LONGEST_BILLING_LINE


def _message(message: Fields, lost: dict[str, None]) -> Message:
    role = _ROLES.get(message.needed_text("role"))
    if role is None:
        message.refuse("role", f"must be one of {', '.join(_ROLES)}")
    return Message(role, read_content(message, lost))


def _added_tools(messages: tuple[Message, ...], lost: dict[str, None]) -> list[Tool]:
    """Tools that are defined in mid-conversation; another provider is offered them from the start."""
    parts: list[Part] = [part for message in messages for part in message.parts]
    definitions = [inline_definition(part.raw) for part in parts if isinstance(part, Unknown)]
    return [
        read_tool(BodyFields(each, "tool_addition.tool.definition"), lost) for each in definitions if each is not None
    ]


def _sampling(fields: Fields, max_tokens: int | None) -> Sampling:
    stops = fields.items("stop_sequences")
    if not all(isinstance(stop, str) for stop in stops):
        fields.refuse("stop_sequences", "must be an array of strings")
    return Sampling(
        max_tokens=max_tokens,
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.whole("top_k", least=0),
        stop=tuple(stops),
    )


def _user(metadata: Fields | None) -> str | None:
    """The end user's id. Claude Code's is a JSON object of device and session: the device alone lasts.

    An id longer than other providers take is replaced by its digest.
    """
    given = None if metadata is None else metadata.text("user_id")
    if not given:
        return None
    if given.startswith("{"):
        named = parse_json(given)
        device = named.get("device_id") if isinstance(named, dict) else None
        given = device if isinstance(device, str) and device else given
    return given if len(given) <= _LONGEST_USER else hashlib.sha256(given.encode("utf-8", "replace")).hexdigest()


def _forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in FORWARDED if headers.get(name)}
