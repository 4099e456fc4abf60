"""Writes a request for one model: fixed key order, messages last, so that turn n is a prefix of turn n + 1."""

from collections.abc import Mapping
from typing import Any

import msgspec

from monkey_coder_server.dialects.free_text import FREE_TEXT, description_with_grammar
from monkey_coder_server.dialects.openai_chat.effort import effort_for
from monkey_coder_server.dialects.openai_chat.messages import encode_messages
from monkey_coder_server.dialects.openai_chat.quirks import Quirks
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.conversation import Json, ModelRequest, OutputFormat, Tool, ToolChoice
from monkey_coder_server.domain.errors import InvalidRequest

DIALECT = "openai-chat"

_encoder = msgspec.json.Encoder(enc_hook=lambda value: dict(value) if isinstance(value, Mapping) else _unsayable(value))


def encode_body(request: ModelRequest, *, card: ModelCard, quirks: Quirks, stream: bool) -> bytes:
    """The JSON body. Raises `InvalidRequest` for what this provider cannot be told."""
    body: dict[str, Json] = {"model": card.model}
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    refused = quirks.refused
    if Capability.REASONING in card.capabilities:
        refused |= quirks.refused_when_reasoning
    options = _options(request, card, quirks)
    body |= {name: value for name, value in options.items() if value is not None and name not in refused}
    if request.dialect == DIALECT:
        reserved = {*options, "messages", "model", "stream", "stream_options", *refused}
        body |= {name: value for name, value in request.extra.items() if name not in reserved}
    schema_in_words = _schema_in_words(request.output, card) if request.output else None
    body["messages"] = encode_messages(request, quirks, schema_in_words)
    return _encoder.encode(body)


def _options(request: ModelRequest, card: ModelCard, quirks: Quirks) -> dict[str, Json]:
    options: dict[str, Json] = {}
    for prefix, fields in quirks.also.items():
        if card.model.startswith(prefix):
            options |= fields
    options |= _sampling(request, card, quirks)
    options["reasoning_effort"] = effort_for(request, card.model, quirks)
    if (
        request.reasoning is not None
        and not request.reasoning.enabled
        and card.model.startswith(quirks.thinking_switch)
    ):
        options["thinking"] = {"type": "disabled"}
    options["response_format"] = _response_format(request.output, card, quirks) if request.output else None
    options["user"] = request.user
    if request.tools:
        options["tools"] = [_tool(tool, quirks) for tool in request.tools]
    if request.tools and request.tool_choice:
        options["tool_choice"] = _tool_choice(request.tool_choice, request.tools, quirks)
        options["parallel_tool_calls"] = request.tool_choice.parallel
    return options


def _sampling(request: ModelRequest, card: ModelCard, quirks: Quirks) -> dict[str, Json]:
    sampling = request.sampling
    chosen: dict[str, Json] = {quirks.max_tokens_field: sampling.max_tokens}
    if not card.fixed_temperature:
        chosen["temperature"] = sampling.temperature
        chosen["top_p"] = sampling.top_p
        chosen["presence_penalty"] = sampling.presence_penalty
        chosen["frequency_penalty"] = sampling.frequency_penalty
    chosen["top_k"] = sampling.top_k
    chosen["seed"] = sampling.seed
    chosen["stop"] = list(sampling.stop) or None
    return chosen


def _response_format(output: OutputFormat, card: ModelCard, quirks: Quirks) -> Json:
    if output.schema is None or Capability.STRUCTURED not in card.capabilities:
        return {"type": "json_object"} if quirks.json_object else None
    schema: dict[str, Json] = {"name": output.name, "schema": output.schema}
    if output.strict is not None:
        schema["strict"] = output.strict
    return {"type": "json_schema", "json_schema": schema}


def _schema_in_words(output: OutputFormat, card: ModelCard) -> str | None:
    """What a model is told that cannot be held to a schema."""
    if output.schema is None or Capability.STRUCTURED in card.capabilities:
        return None
    schema = _encoder.encode(output.schema).decode()
    return f"Answer with one JSON object and nothing else. It must satisfy this JSON Schema:\n{schema}"


def _tool(tool: Tool, quirks: Quirks) -> Json:
    if tool.server is not None:
        if tool.dialect != DIALECT:
            message = f"The tool {tool.name!r} is run by another provider and cannot be used with this model."
            raise InvalidRequest(message)
        return tool.server
    described: dict[str, Json] = {"name": tool.name}
    if tool.schema is None and quirks.custom_tools:
        return {"type": "custom", "custom": described | _free_form(tool)}
    if (description := description_with_grammar(tool)) is not None:
        described["description"] = description
    described["parameters"] = FREE_TEXT if tool.schema is None else tool.schema
    if tool.strict is not None:
        described["strict"] = tool.strict
    return {"type": "function", "function": described}


def _free_form(tool: Tool) -> dict[str, Json]:
    described: dict[str, Json] = {}
    if tool.description is not None:
        described["description"] = tool.description
    if tool.grammar is not None:
        grammar = {"syntax": tool.grammar.syntax, "definition": tool.grammar.definition}
        described["format"] = {"type": "grammar", "grammar": grammar}
    return described


def _tool_choice(choice: ToolChoice, tools: tuple[Tool, ...], quirks: Quirks) -> Json:
    if choice.mode == "named":
        free = any(tool.name == choice.name and tool.schema is None for tool in tools)
        kind = "custom" if free and quirks.custom_tools else "function"
        return {"type": kind, kind: {"name": choice.name}}
    if choice.mode == "required" and not quirks.requires_tools:
        return "auto"
    return choice.mode


def _unsayable(value: Any) -> Any:
    message = f"{type(value).__name__} has no JSON form"
    raise NotImplementedError(message)
