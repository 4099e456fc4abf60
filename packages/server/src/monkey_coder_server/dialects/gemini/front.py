"""The Gemini API as our callers speak it: Gemini CLI, google-genai, the AI SDK, litellm."""

from collections.abc import Sequence

from monkey_coder_server.dialects.gemini.composing import compose
from monkey_coder_server.dialects.gemini.framing import framing_of
from monkey_coder_server.dialects.gemini.names import DIALECT
from monkey_coder_server.dialects.gemini.reading import read_request
from monkey_coder_server.dialects.gemini.refusals import refusal_of
from monkey_coder_server.dialects.gemini.relaying import RelayedAnswer, with_cost
from monkey_coder_server.dialects.gemini.writing import WrittenAnswer
from monkey_coder_server.dialects.wire import write_json
from monkey_coder_server.domain.stream_events import Event
from monkey_coder_server.ports.front import AnswerWriter, Bill, Envelope, Inbound, Problem, Refusal, Told
from monkey_coder_server.ports.record import Record


class Form(Record, frozen=True):
    """`events`: a stream of server-sent events, else one JSON array bit by bit. `thoughts`: the caller reads them."""

    events: bool
    thoughts: bool


class GeminiFront:
    """`generateContent` and `streamGenerateContent`. Its clients read neither comments nor events of another kind."""

    name = DIALECT
    keep_alive: bytes | None = None

    def content_type(self, inbound: Inbound) -> bytes:
        """Server-sent events were asked for by `alt=sse`; a JSON array is what Google's servers send otherwise."""
        return b"text/event-stream" if inbound.form.events else b"application/json; charset=UTF-8"

    def read(self, body: bytes, envelope: Envelope) -> Inbound:
        """Read a request. Raises `InvalidRequest` with one sentence that names the field."""
        request, lost, named = read_request(body)
        reasoning = request.reasoning
        return Inbound(
            request=request,
            model=envelope.path_model or named,
            stream=bool(envelope.stream),
            form=Form(
                "sse" in {envelope.query.get("alt"), envelope.query.get("$alt")},
                reasoning is not None and reasoning.include_text,
            ),
            lost=lost,
        )

    def write(self, inbound: Inbound, told: Told, events: Sequence[Event], bill: Bill) -> bytes:
        """A whole answer: one record with everything a stream's records hold."""
        return compose(events, told, bill, thoughts=inbound.form.thoughts)

    def relay(self, inbound: Inbound, body: bytes, bill: Bill) -> bytes:  # noqa: ARG002 - part of the port
        """Google's own answer with its cost."""
        return with_cost(body, bill)

    def writer(self, inbound: Inbound, told: Told, *, relayed: bool) -> AnswerWriter:
        """A writer for one streamed answer."""
        framing = framing_of(events=inbound.form.events)
        if relayed:
            return RelayedAnswer(framing, told)
        return WrittenAnswer(framing, told, thoughts=inbound.form.thoughts)

    def refuse(self, problem: Problem) -> Refusal:
        """An error as Google's SDKs read it."""
        return refusal_of(problem)


def write_count(tokens: int) -> bytes:
    """The answer of `countTokens`."""
    return write_json({"totalTokens": tokens})
