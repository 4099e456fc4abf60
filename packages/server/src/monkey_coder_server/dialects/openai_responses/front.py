"""OpenAI's Responses API as our callers speak it."""

from collections.abc import Sequence

from monkey_coder_server.dialects.openai_responses.names import DIALECT
from monkey_coder_server.dialects.openai_responses.reading import read
from monkey_coder_server.dialects.openai_responses.refusing import refuse
from monkey_coder_server.dialects.openai_responses.relaying import RelayWriter, relay_whole
from monkey_coder_server.dialects.openai_responses.writing import ResponseWriter, write_whole
from monkey_coder_server.domain.stream_events import Event
from monkey_coder_server.ports.front import AnswerWriter, Bill, Envelope, Inbound, Problem, Refusal, Told


class ResponsesFront:
    """Implements `ports.front.Front`."""

    name = DIALECT
    keep_alive: bytes | None = b": keep-alive\n\n"

    def content_type(self, inbound: Inbound) -> bytes:  # noqa: ARG002 - one for all of them
        """Of the answer's stream."""
        return b"text/event-stream; charset=utf-8"

    def read(self, body: bytes, envelope: Envelope) -> Inbound:
        """Read a request. Raises `InvalidRequest`."""
        return read(body, envelope)

    def write(self, inbound: Inbound, told: Told, events: Sequence[Event], bill: Bill) -> bytes:
        """A whole answer from its events."""
        return write_whole(inbound, told, events, bill)

    def relay(self, inbound: Inbound, body: bytes, bill: Bill) -> bytes:
        """A whole answer as its provider wrote it, with its cost."""
        return relay_whole(inbound.form, body, bill)

    def writer(self, inbound: Inbound, told: Told, *, relayed: bool) -> AnswerWriter:
        """A writer for one streamed answer."""
        return RelayWriter(inbound.form, told) if relayed else ResponseWriter(inbound.form, told)

    def refuse(self, problem: Problem) -> Refusal:
        """An error in OpenAI's shape; without credit, the one at which Codex stops at once."""
        return refuse(problem)
