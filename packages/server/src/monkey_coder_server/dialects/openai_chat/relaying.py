"""A caller's own request on its way to a provider of the same dialect.

Unknown fields stay at every depth and values byte for byte. What changes: the model, the token limit, that a stream
reports its usage, and what the provider or the model cannot take.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from monkey_coder_server.dialects.openai_chat.effort import effort_for
from monkey_coder_server.dialects.openai_chat.passing_on import pass_on_choice, pass_on_tools
from monkey_coder_server.dialects.openai_chat.policy import TIER, has_other_prices, refused_by, says_something
from monkey_coder_server.dialects.openai_chat.quirks import Quirks
from monkey_coder_server.dialects.openai_chat.request import (
    Written,
    encoder,
    last_words,
    name_session,
    switches_thinking_off,
    unsaid,
)
from monkey_coder_server.dialects.openai_chat.tools import write_output
from monkey_coder_server.dialects.openai_chat.turns import encode_messages
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import Json, ModelRequest

_NULL = msgspec.Raw(b"null")
_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])
_arrays = msgspec.json.Decoder(list[msgspec.Raw])
_messages = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


def relay_body(request: ModelRequest, body: bytes, *, card: ModelCard, quirks: Quirks, stream: bool) -> Written:
    """The caller's body for this model; `request` is the same as it was read."""
    return _Relay(request, _objects.decode(body), card, quirks, stream=stream).written()


class _Relay:
    """One request: what becomes of each of its fields. Setting a field again leaves it at its place."""

    def __init__(
        self,
        request: ModelRequest,
        fields: dict[str, msgspec.Raw],
        card: ModelCard,
        quirks: Quirks,
        *,
        stream: bool,
    ) -> None:
        self._request = request
        self._fields = fields
        self._card = card
        self._quirks = quirks
        self._stream = stream
        self._out: dict[str, Json] = {}

    def written(self) -> Written:
        """The fields in the caller's order; what is added stands last."""
        request, card, quirks, out = self._request, self._card, self._quirks, self._out
        refused = refused_by(card, quirks)
        dropped: list[str] = []
        for name, raw in self._fields.items():
            if name in _CHANGES:
                _CHANGES[name](self)
            elif name not in refused and name != TIER:
                out[name] = raw
            else:
                value = msgspec.json.decode(raw)
                if name not in refused and not has_other_prices(name, value):
                    out[name] = raw
                elif says_something(name, value):
                    dropped.append(name)
        out["model"] = card.model
        out[quirks.max_tokens_field] = request.sampling.max_tokens
        if self._stream:
            self.stream_options()
        if request.reasoning is not None:
            self.thinking()
        if quirks.also:
            out = {**quirks.also_for(card.model), **out}
        name_session(out, request, quirks)
        dropped.extend(unsaid(request, card, quirks))
        return encoder.encode(out), tuple(dict.fromkeys(dropped)) if dropped else ()

    def limit(self) -> None:
        """The place of the limit the answer is held to, in the field this provider reads."""
        self._out[self._quirks.max_tokens_field] = _NULL

    def stream_options(self) -> None:
        """A stream always reports its usage; its other options are the caller's."""
        if self._stream:
            raw = self._fields.get("stream_options", _NULL)
            given = {} if raw == _NULL else _objects.decode(raw)
            self._out["stream_options"] = {**given, "include_usage": True}

    def messages(self) -> None:
        """Each message as it is, where this provider takes it."""
        request, quirks = self._request, self._quirks
        given = _messages.decode(self._fields["messages"])
        if request.source is not None and request.source.words_only and not quirks.alternates:
            self._out["messages"] = given
            return
        words = last_words(request.output, self._card, quirks)
        self._out["messages"] = encode_messages(request, quirks, last_words=words, given=given)

    def thinking(self) -> None:
        """The wish to think in the words this model takes, whichever field it came in."""
        request, quirks = self._request, self._quirks
        if request.reasoning is None:
            return
        effort = effort_for(request, self._card.model, quirks)
        if effort is not None:
            self._out["reasoning_effort"] = effort
        if switches_thinking_off(request, self._card, quirks):
            self._out["thinking"] = self._fields.get("thinking", {"type": "disabled"})
        elif quirks.thinking_switch and request.reasoning.enabled and "thinking" in self._fields:
            self._out["thinking"] = self._fields["thinking"]

    def output(self) -> None:
        """The form of the answer as it is, where the model can be held to it."""
        request, raw = self._request, self._fields["response_format"]
        if request.output is None:
            self._out["response_format"] = raw
            return
        written = write_output(request.output, self._card, self._quirks, dialect=request.dialect)
        if written is not None:
            asked = "json_object" if request.output.kind == "json" else request.output.kind
            self._out["response_format"] = raw if written["type"] == asked else written

    def tools(self) -> None:
        """The tools; an empty list is left out, as is the choice among none: OpenAI refuses both."""
        if self._request.tools:
            given = _arrays.decode(self._fields["tools"])
            self._out["tools"] = pass_on_tools(given, self._request.tools, self._quirks)

    def tool_choice(self) -> None:
        """The choice among the tools."""
        choice, tools = self._request.tool_choice, self._request.tools
        if tools and choice is not None and "tool_choice" in self._fields:
            self._out["tool_choice"] = pass_on_choice(self._fields["tool_choice"], choice, tools, self._quirks)

    def parallel(self) -> None:
        """Whether several tools may be called at once."""
        name = "parallel_tool_calls"
        if self._request.tools and name not in self._quirks.refused:
            self._out[name] = self._fields[name]


_CHANGES: Mapping[str, Callable[[_Relay], None]] = MappingProxyType(
    {
        "max_tokens": _Relay.limit,
        "max_completion_tokens": _Relay.limit,
        "stream_options": _Relay.stream_options,
        "messages": _Relay.messages,
        "reasoning_effort": _Relay.thinking,
        "reasoning": _Relay.thinking,
        "thinking": _Relay.thinking,
        "response_format": _Relay.output,
        "tools": _Relay.tools,
        "tool_choice": _Relay.tool_choice,
        "parallel_tool_calls": _Relay.parallel,
    }
)
