"""Sends a caller's own request on: byte for byte, but for what is ours to say and what the model does not take.

Changed are
* `model`, `stream`, the token limit, `store` (nothing is kept at the provider) and `include` (so that reasoning can be
  given back);
* what lives in a provider's account, or has another price than the one we know: left out, and named;
* effort, verbosity and sampling the model refuses: adapted or left out, and named;
* thoughts of another provider, and tools the model cannot be offered: left out.

A request with free-form or namespaced tools for a model that has none is written anew from what it says.
"""

from typing import Final, NamedTuple, TypeAlias

import msgspec

from monkey_coder_server.dialects.openai_responses.forwarded_input import fit_input
from monkey_coder_server.dialects.openai_responses.forwarded_tools import fit_tools, is_said_otherwise
from monkey_coder_server.dialects.openai_responses.parameters import ENCRYPTED, encode_json, thinks, write_limits
from monkey_coder_server.dialects.openai_responses.quirks import Quirks
from monkey_coder_server.dialects.openai_responses.request import name_session, write_conversation
from monkey_coder_server.dialects.reasoning_effort import nearest_effort
from monkey_coder_server.dialects.wire import as_list, as_text, parse_json
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import Json, ModelRequest, Source
from monkey_coder_server.domain.errors import InvalidRequest

_Pieces: TypeAlias = dict[str, msgspec.Raw]

_NOT_HERE: Final = ("background", "conversation", "prompt", "stop")
"""What would be kept, or lie, in the gateway's own account at the provider; and stop sequences, which our front door
takes for models of other dialects and this one has no word for."""
_STANDARD: Final = (None, "auto", "default")
"""Service tiers at the price we know."""
_CONVERSATION: Final = ("tools", "tool_choice", "parallel_tool_calls", "instructions", "input")
_SAMPLING: Final = ("temperature", "top_p")
_PLAIN: Final = (None, 1)
"""Values of these that ask for nothing."""
_pieces = msgspec.json.Decoder(_Pieces).decode


class Passed(NamedTuple):
    """What is sent. `dropped` names what the model is not told; `anew`: the answer has to be translated back."""

    body: bytes
    dropped: tuple[str, ...]
    anew: bool


def pass_on(request: ModelRequest, source: Source, *, card: ModelCard, quirks: Quirks, stream: bool) -> Passed:
    """The request as this model takes it. Raises `InvalidRequest` for what it cannot be told at all."""
    try:
        body = _pieces(source.body)
    except (msgspec.DecodeError, UnicodeError) as wrong:
        raise InvalidRequest("The request is not a JSON object.") from wrong
    dropped: list[str] = []
    _say_ours(body, request, card, quirks, stream=stream)
    _leave_out(body, dropped)
    _fit_reasoning(body, card, quirks, dropped)
    _fit_sampling(body, card, dropped)
    _fit_verbosity(body, card, quirks, dropped)
    anew = is_said_otherwise(body, card.model, quirks)
    if anew:
        for name in _CONVERSATION:
            body.pop(name, None)
        written = write_conversation(request, card=card, quirks=quirks, dropped=dropped)
        return Passed(encode_json({**body, **written}), _once(dropped), anew=True)
    fit_tools(body, card.model, quirks, dropped)
    fit_input(body, card, quirks, dropped)
    return Passed(encode_json(body), _once(dropped), anew=False)


def _say_ours(body: _Pieces, request: ModelRequest, card: ModelCard, quirks: Quirks, *, stream: bool) -> None:
    ours: dict[str, Json] = {"model": card.model, "store": False}
    limit = write_limits(request.sampling, card, quirks).get("max_output_tokens")
    if limit is not None:
        ours["max_output_tokens"] = limit
    if stream:
        ours["stream"] = True
    else:
        body.pop("stream", None)
        body.pop("stream_options", None)
    if thinks(card):
        asked = as_list(_value(body, "include"))
        ours["include"] = asked if ENCRYPTED in asked else [*asked, ENCRYPTED]
    if _value(body, "prompt_cache_key") is None:
        name_session(ours, request)
    body |= {name: msgspec.Raw(encode_json(value)) for name, value in ours.items()}


def _leave_out(body: _Pieces, dropped: list[str]) -> None:
    body.pop("previous_response_id", None)  # what came before stands in the input by now
    for name in _NOT_HERE:
        if _value(body, name):
            dropped.append(name)
        body.pop(name, None)
    tier = _value(body, "service_tier")
    if tier not in _STANDARD:
        del body["service_tier"]
        dropped.append("service_tier")


def _fit_reasoning(body: _Pieces, card: ModelCard, quirks: Quirks, dropped: list[str]) -> None:
    given = _value(body, "reasoning")
    if not isinstance(given, dict):
        return
    if not thinks(card):
        del body["reasoning"]
        if any(value is not None for value in given.values()):
            dropped.append("reasoning")
        return
    effort, allowed = as_text(given.get("effort")), quirks.efforts_of(card.model)
    if effort is None or effort in allowed:
        return
    dropped.append("reasoning.effort")
    nearest = nearest_effort(effort, allowed)
    kept = {name: value for name, value in given.items() if name != "effort"}
    fitted = kept if nearest is None else {**kept, "effort": nearest}
    body["reasoning"] = msgspec.Raw(encode_json(fitted))


def _fit_sampling(body: _Pieces, card: ModelCard, dropped: list[str]) -> None:
    if not card.fixed_temperature:
        return
    for name in _SAMPLING:
        if _value(body, name) not in _PLAIN:
            dropped.append(name)
        body.pop(name, None)


def _fit_verbosity(body: _Pieces, card: ModelCard, quirks: Quirks, dropped: list[str]) -> None:
    text = _value(body, "text")
    if isinstance(text, dict) and text.get("verbosity") is not None and not card.model.startswith(quirks.verbosity):
        dropped.append("text.verbosity")
        body["text"] = msgspec.Raw(encode_json({name: text[name] for name in text if name != "verbosity"}))


def _value(body: _Pieces, name: str) -> Json:
    """A field's value; None where it is absent."""
    return parse_json(body[name]) if name in body else None


def _once(dropped: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(dropped))
