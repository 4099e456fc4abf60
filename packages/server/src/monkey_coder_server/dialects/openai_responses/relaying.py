"""Passes on an answer of a provider that speaks Responses, too: its bytes, with the cost added to its usage."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Raw

from monkey_coder_server.dialects import seals
from monkey_coder_server.dialects.costs import cost_of
from monkey_coder_server.dialects.event_frames import one_line
from monkey_coder_server.dialects.openai_responses.form import Form
from monkey_coder_server.dialects.openai_responses.names import HOME
from monkey_coder_server.dialects.openai_responses.refusing import failure, say_failure
from monkey_coder_server.dialects.openai_responses.relayed_items import Heard
from monkey_coder_server.dialects.openai_responses.writing import FAILED, Ending, ending_of, response_of, usage_of
from monkey_coder_server.dialects.openai_responses.writing_frames import COMPLETED, INCOMPLETE, Sink
from monkey_coder_server.dialects.wire import as_text, parse_json
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.stream_events import Event, FinishReason, Frame
from monkey_coder_server.ports.front import Bill, Problem, Told

_CREATED: Final = frozenset({"response.created", "response.in_progress", "response.queued"})
_TERMINAL: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})
_ITEMS: Final = frozenset({"response.output_item.added", "response.output_item.done"})
_PROOF: Final = '"encrypted_content":"'
"""A quotation mark inside a JSON string is escaped, so this is never found in what anybody said."""


class _Last(msgspec.Struct, gc=False):
    """The event that ends a stream."""

    type: str
    response: dict[str, Raw]
    sequence_number: int = -1


_last = msgspec.json.Decoder(_Last)
_object = msgspec.json.Decoder(dict[str, Raw])


def relay_whole(form: Form, body: bytes, bill: Bill) -> bytes:
    """A whole answer: every value as its provider wrote it, but for the cost and what the gateway keeps itself."""
    return one_line(_completed(form, _with_origin(_object.decode(body), bill.provider), bill))


class RelayWriter:
    """Implements `ports.front.AnswerWriter`, and `Finishing`, for frames of this dialect."""

    def __init__(self, form: Form, told: Told) -> None:
        self._form = form
        self._told = told
        self._heard = Heard()
        self._last: _Last | None = None
        self._finished = b""
        self._ours = [(f'"{name}":{given}', f'"{name}":{ours}') for name, given, ours in _ours(form)]

    def begin(self) -> bytes:
        """The provider's own first frames open the stream."""
        return b""

    def write(self, events: Sequence[Event]) -> bytes:
        """The frames as they came; what ends the answer is kept back."""
        written: list[str] = []
        see = self._heard.see
        for event in events:
            if not isinstance(event, Frame):
                continue
            kind, data = event.event or _kind_of(event.data), event.data
            if kind in _TERMINAL:
                self._keep(data)
                continue
            if kind in _CREATED:
                for given, ours in self._ours:
                    data = data.replace(given, ours, 1)
            elif kind in _ITEMS:
                data = _sealed(data, self._told.provider)
            see(kind, data)
            written.append(f"event: {kind}\ndata: {data}\n\n" if "\n" not in data else _in_lines(kind, data))
        return "".join(written).encode()

    def end(self, bill: Bill) -> bytes:
        """The provider's own end with the cost in it; where none came, what is open is closed and cut short."""
        sink, last = self._sink(), self._last
        if last is None:
            response, ending = self._response(), ending_of(_cut(bill))
            output = self._heard.close(sink, status=INCOMPLETE)
            details = {"reason": ending.reason}
            response |= _raw(status=ending.status, incomplete_details=details, output=output, usage=usage_of(bill))
            kind = f"response.{ending.status}"
        else:
            response, kind = _with_origin(last.response, self._told.provider), last.type
            status = COMPLETED if kind == "response.completed" else INCOMPLETE
            sink.number = max(sink.number, last.sequence_number)
            self._heard.close(sink, status=status, final=parse_json(response.get("output", b"[]")))
        self._finished = one_line(_completed(self._form, response, bill))
        sink.say(kind, response=Raw(self._finished))
        return sink.take()

    def fail(self, problem: Problem) -> bytes:
        """`error`, at which SDKs raise, then `response.failed`, by which Codex ends a turn."""
        sink = self._sink()
        begun, number = sink.take(), sink.number
        output = self._heard.close(sink, status=INCOMPLETE)
        sink.drop(number)
        response = self._response() | _raw(status=FAILED, error=failure(problem), output=output)
        say_failure(sink, problem, dict(response))
        return begun + sink.take()

    def finished(self) -> bytes:
        """The response as the last frame told it."""
        return self._finished

    def _keep(self, data: str) -> None:
        try:
            self._last = _last.decode(data)
        except (msgspec.DecodeError, UnicodeError):
            self._last = None  # an end nobody can read is none

    def _sink(self) -> Sink:
        """Goes on where the provider stopped; says that the response was created where it never did."""
        sink = Sink()
        sink.number = self._heard.number
        if not self._heard.response:
            self._heard.response = _raw(**response_of(self._form, self._told, Ending("in_progress"), (), None))
            sink.say("response.created", response=self._heard.response)
        return sink

    def _response(self) -> dict[str, Raw]:
        return dict(self._heard.response)


def _completed(form: Form, response: dict[str, Raw], bill: Bill) -> dict[str, Raw]:
    """The response with its cost, also where its provider reported no usage at all."""
    usage = parse_json(response.get("usage", b"null"))
    told: Json = usage_of(bill)
    if isinstance(usage, dict) and usage:
        told = {**_object.decode(response["usage"]), "cost": cost_of(bill)}
    changed = {name: Raw(ours.encode()) for name, _, ours in _ours(form)}
    return response | changed | _raw(usage=told)


def _ours(form: Form) -> Iterator[tuple[str, str, str]]:
    """What the gateway keeps itself: fields with what their provider says of them and what is so."""
    if form.previous is not None:
        yield "previous_response_id", "null", one_line(form.previous).decode()
    if form.echo["store"]:
        yield "store", "false", "true"


def _with_origin(response: dict[str, Raw], provider: str) -> dict[str, Raw]:
    """The response with every proof in its output marked with its origin."""
    if provider == HOME or "output" not in response:
        return response
    return {**response, "output": Raw(_sealed(bytes(response["output"]).decode(), provider).encode())}


def _sealed(data: str, provider: str) -> str:
    """Proofs of thought with their origin, where they are not OpenAI's own: no other provider can read them."""
    if provider == HOME:
        return data
    return data.replace(_PROOF, f"{_PROOF}{seals.seal('', origin=provider, home=HOME)}")


def _raw(**fields: Json) -> dict[str, Raw]:
    return {name: Raw(one_line(value)) for name, value in fields.items()}


def _cut(bill: Bill) -> FinishReason:
    """Why an answer ends whose provider did not say so: its limit was reached, or its line broke."""
    return bill.finish if bill.finish is FinishReason.CONTENT_FILTER else FinishReason.LENGTH


def _kind_of(data: str) -> str:
    parsed = parse_json(data)
    return (as_text(parsed.get("type")) if isinstance(parsed, dict) else None) or "message"


def _in_lines(kind: str, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.split("\n"))
    return f"event: {kind}\n{lines}\n"
