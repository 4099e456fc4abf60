"""Reads a request: `POST /v1/responses` and its `/input_tokens`."""

from collections.abc import Iterator, Mapping

from monkey_coder_server.dialects.fields import Fields, body_fields
from monkey_coder_server.dialects.openai_responses.form import Form, echo_of
from monkey_coder_server.dialects.openai_responses.names import DIALECT
from monkey_coder_server.dialects.openai_responses.reading_items import OFFERS, Turns
from monkey_coder_server.dialects.openai_responses.reading_tools import Toolbox
from monkey_coder_server.dialects.wire import as_list, as_text, write_json
from monkey_coder_server.domain.conversation import (
    Json,
    Message,
    ModelRequest,
    OutputFormat,
    Reasoning,
    Role,
    Sampling,
    Source,
    Text,
)
from monkey_coder_server.ports.front import Envelope, Inbound

_FORWARDED = ("openai-beta", "x-openai-internal-codex-responses-lite")
"""Headers that change what the body means to OpenAI; Codex sends the second with tools among its input."""
_SAID = frozenset(
    {
        *("model", "input", "instructions", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls"),
        *("reasoning", "text", "max_output_tokens", "temperature", "top_p", "stop", "safety_identifier", "user"),
        *("store", "previous_response_id", "background", "conversation", "prompt", "metadata", "include"),
    }
)
"""Parameters the neutral conversation holds, or this gateway acts on itself."""
_PLAIN: Mapping[str, Json] = {"truncation": "disabled", "service_tier": "auto", "top_logprobs": 0}
"""Values that ask for nothing."""
_KNOWN = frozenset(
    {
        *("truncation", "service_tier", "top_logprobs", "max_tool_calls", "context_management", "moderation"),
        *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "client_metadata", "image"),
        *("background_options", "access_programs"),
    }
)
"""Parameters that only a provider of this dialect understands."""
_OPEN = frozenset({"client_metadata"})
"""Parameters that change nothing in an answer."""
_GIVEN_ANYWAY = "reasoning.encrypted_content"
_UNSERVED = {
    "conversation": "names a conversation kept at the provider; send `input`, or `previous_response_id` of an answer",
    "prompt": "names a prompt kept at the provider; send its text in `instructions`",
}


def read(body: bytes, envelope: Envelope) -> Inbound:
    """Read a request. Raises `InvalidRequest`."""
    fields = body_fields(body)
    _refuse_unserved(fields)
    toolbox = Toolbox()
    toolbox.take(fields.objects("tools"))
    turns = Turns(toolbox.names)
    messages = _messages(fields, toolbox, turns)
    tools, tool_choice = toolbox.chosen(fields)
    text = fields.object("text")
    request = ModelRequest(
        messages=messages,
        tools=tools,
        tool_choice=tool_choice,
        sampling=Sampling(
            max_tokens=fields.count("max_output_tokens"),
            temperature=fields.number("temperature"),
            top_p=fields.number("top_p"),
            stop=_stops(fields),
        ),
        reasoning=_reasoning(fields.object("reasoning")),
        output=None if text is None else _output(text.object("format")),
        user=fields.text("safety_identifier") or fields.text("user"),
        dialect=DIALECT,
        extra={name: value for name, value in fields.raw.items() if name not in _SAID and name not in _KNOWN},
        source=Source(DIALECT, _own_words(body, fields), _forwarded(envelope.headers)),
    )
    return Inbound(
        request=request,
        model=fields.text("model"),
        stream=fields.flag("stream") is True,
        form=Form(echo_of(fields.raw), toolbox.names),
        lost=(*_lost(fields), *turns.lost),
    )


def _refuse_unserved(fields: Fields) -> None:
    if fields.flag("background"):
        fields.refuse(
            "background", "asks for an answer in the background, which this gateway does not serve; leave it out"
        )
    for name, why in _UNSERVED.items():
        if fields.raw.get(name) is not None:
            fields.refuse(name, why)


def _messages(fields: Fields, toolbox: Toolbox, turns: Turns) -> tuple[Message, ...]:
    """Instructions first, then the input. Its tools are known before the first call is read."""
    given, instructions = fields.raw.get("input"), fields.raw.get("instructions")
    leading: list[Message] = []
    if isinstance(instructions, str):
        leading.append(Message(Role.SYSTEM, (Text(instructions),)))
    elif instructions is not None:
        for item in fields.objects("instructions"):
            turns.take(item)
    if given is None:
        fields.refuse("input", "is missing")
    if isinstance(given, str):
        return (*leading, *turns.messages(), Message(Role.USER, (Text(given),)))
    items = list(fields.objects("input"))
    for item in items:
        if as_text(item.raw.get("type")) in OFFERS:
            toolbox.take(item.objects("tools"))
    for item in items:
        turns.take(item)
    return (*leading, *turns.messages())


def _stops(fields: Fields) -> tuple[str, ...]:
    """Stop sequences, which OpenAI's own models do not take here and all others do."""
    given = fields.raw.get("stop")
    stops = [given] if isinstance(given, str) else as_list(given)
    return tuple(stop for stop in stops if isinstance(stop, str))


def _reasoning(fields: Fields | None) -> Reasoning | None:
    if fields is None:
        return None
    effort = fields.text("effort")
    summary = fields.text("summary") or fields.text("generate_summary")
    if effort is None and summary is None:
        return None
    return Reasoning(enabled=effort != "none", effort=effort, include_text=summary is not None)


def _output(fields: Fields | None) -> OutputFormat | None:
    kind = None if fields is None else fields.text("type")
    if fields is None or kind == "text":
        return None
    if kind == "json_object":
        return OutputFormat("json")
    if kind != "json_schema":
        fields.refuse("type", "must be text, json_object or json_schema")
    schema = fields.object("schema")
    return OutputFormat(
        "json_schema", None if schema is None else schema.raw, fields.text("name") or "answer", fields.flag("strict")
    )


def _own_words(body: bytes, fields: Fields) -> bytes:
    """The request for a provider of this dialect.

    What came before stands in the input by now. The provider knows nothing of our ids, and must not look for another
    account's under them.
    """
    if fields.raw.get("previous_response_id") is None:
        return body
    return write_json({name: value for name, value in fields.raw.items() if name != "previous_response_id"})


def _forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in _FORWARDED if name in headers}


def _lost(fields: Fields) -> Iterator[str]:
    """Parameters only a provider of this dialect can be told."""
    for name, value in fields.raw.items():
        if name not in _SAID and name not in _OPEN and value is not None and value != _PLAIN.get(name):
            yield name
    yield from (f"include.{each}" for each in as_list(fields.raw.get("include")) if each != _GIVEN_ANYWAY)
    for owner, name in (("text", "verbosity"), ("reasoning", "context")):
        inner = fields.object(owner)
        if inner is not None and inner.raw.get(name) is not None:
            yield f"{owner}.{name}"
