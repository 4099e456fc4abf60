"""Writes a request for one model: fixed key order, messages last, so that turn n is a prefix of turn n + 1."""

from collections.abc import Mapping
from typing import Any

import msgspec

from monkey_coder_server.dialects.openai_chat.effort import effort_for
from monkey_coder_server.dialects.openai_chat.messages import DIALECT
from monkey_coder_server.dialects.openai_chat.policy import has_other_prices, refused_by, says_something, unnamed
from monkey_coder_server.dialects.openai_chat.quirks import Quirks
from monkey_coder_server.dialects.openai_chat.tools import (
    output_in_words,
    write_output,
    write_tool,
    write_tool_choice,
)
from monkey_coder_server.dialects.openai_chat.turns import encode_messages
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import Json, ModelRequest, OutputFormat

encoder = msgspec.json.Encoder(enc_hook=lambda value: dict(value) if isinstance(value, Mapping) else _unsayable(value))

_OURS = dict.fromkeys(("model", "messages", "stream", "stream_options"))

Written = tuple[bytes, tuple[str, ...]]
"""A body, and the names of the parameters left out of it."""


def encode_body(request: ModelRequest, *, card: ModelCard, quirks: Quirks, stream: bool) -> Written:
    """The JSON body. Raises `InvalidRequest` for what this provider cannot be told."""
    body: dict[str, Json] = {"model": card.model}
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    refused = refused_by(card, quirks)
    options = _options(request, card, quirks)
    body |= {name: value for name, value in options.items() if value is not None and name not in refused}
    wanted = {name: value for name, value in options.items() if name in refused}
    if request.dialect == DIALECT:
        extra = {name: value for name, value in request.extra.items() if name not in options | _OURS}
        wanted |= {name: value for name, value in extra.items() if name in refused or has_other_prices(name, value)}
        body |= {name: value for name, value in extra.items() if name not in wanted}
    dropped = [name for name, value in wanted.items() if says_something(name, value)]
    dropped.extend(unsaid(request, card, quirks))
    name_session(body, request, quirks)
    body["messages"] = encode_messages(request, quirks, last_words=last_words(request.output, card, quirks))
    return encoder.encode(body), tuple(dropped)


def name_session(body: dict[str, Json], request: ModelRequest, quirks: Quirks) -> None:
    """Give the conversation its name, unless its caller did."""
    cache, name = request.prompt_cache, quirks.session_field
    if cache is not None and cache.session and name is not None:
        body.setdefault(name, cache.session)


def last_words(output: OutputFormat | None, card: ModelCard, quirks: Quirks) -> str | None:
    """What is said after all else about the form of the answer."""
    schema = "" if output is None or output.schema is None else encoder.encode(output.schema).decode()
    return output_in_words(output, card, quirks, schema)


def unsaid(request: ModelRequest, card: ModelCard, quirks: Quirks) -> list[str]:
    """The names of what the provider has no word for at all."""
    names = list(unnamed(request, quirks))
    reasoning = request.reasoning
    if reasoning is not None and (reasoning.effort or reasoning.budget_tokens or not reasoning.enabled):
        said = effort_for(request, card.model, quirks) is not None or switches_thinking_off(request, card, quirks)
        if not said:
            names.append("reasoning_effort")
    choice = request.tool_choice
    if request.tools and choice is not None and choice.mode == "required" and not quirks.requires_tools:
        names.append("tool_choice")
    return names


def switches_thinking_off(request: ModelRequest, card: ModelCard, quirks: Quirks) -> bool:
    """Whether thinking is turned off, and by a field of its own."""
    off = request.reasoning is not None and not request.reasoning.enabled
    return off and card.model.startswith(quirks.thinking_switch)


def _options(request: ModelRequest, card: ModelCard, quirks: Quirks) -> dict[str, Json]:
    """Everything asked for, by its name here; None where nothing is."""
    options: dict[str, Json] = {**quirks.also_for(card.model), **_sampling(request, quirks)}
    options["reasoning_effort"] = effort_for(request, card.model, quirks)
    if switches_thinking_off(request, card, quirks):
        options["thinking"] = {"type": "disabled"}
    if request.output:
        options["response_format"] = write_output(request.output, card, quirks, dialect=request.dialect)
    options["user"] = request.user
    if request.tools:
        options["tools"] = [write_tool(tool, quirks) for tool in request.tools]
        if request.tool_choice:
            options["tool_choice"] = write_tool_choice(request.tool_choice, request.tools, quirks)
            options["parallel_tool_calls"] = request.tool_choice.parallel
    return options


def _sampling(request: ModelRequest, quirks: Quirks) -> dict[str, Json]:
    sampling = request.sampling
    return {
        quirks.max_tokens_field: sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "top_k": sampling.top_k,
        "seed": sampling.seed,
        "stop": list(sampling.stop) or None,
    }


def _unsayable(value: Any) -> Any:
    message = f"{type(value).__name__} has no JSON form"
    raise NotImplementedError(message)
