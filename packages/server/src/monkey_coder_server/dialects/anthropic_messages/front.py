"""The Messages API as our callers speak it: Claude Code, the official SDKs and everything built on them."""

from collections.abc import Sequence

from monkey_coder_server.dialects.anthropic_messages.answering import TranslatedStream, whole_message
from monkey_coder_server.dialects.anthropic_messages.frames import PING
from monkey_coder_server.dialects.anthropic_messages.inbound import read_request
from monkey_coder_server.dialects.anthropic_messages.names import DIALECT
from monkey_coder_server.dialects.anthropic_messages.passing import RelayedStream, billed_message
from monkey_coder_server.dialects.anthropic_messages.refusing import refuse
from monkey_coder_server.domain.prompt_tokens import expected_tokens
from monkey_coder_server.domain.stream_events import Event
from monkey_coder_server.ports.front import AnswerWriter, Bill, Envelope, Inbound, Problem, Refusal, Told


class MessagesFront:
    """Implements `ports.front.Front`. `counts_only`: for requests that only ask how long their prompt is."""

    name = DIALECT
    keep_alive: bytes | None = PING

    def __init__(self, *, counts_only: bool = False) -> None:
        self._counts_only = counts_only

    def content_type(self, inbound: Inbound) -> bytes:
        """Of the answer's stream."""
        del inbound
        return b"text/event-stream; charset=utf-8"

    def read(self, body: bytes, envelope: Envelope) -> Inbound:
        """Read a request. Raises `InvalidRequest` with one sentence."""
        return read_request(body, envelope, counts_only=self._counts_only)

    def write(self, inbound: Inbound, told: Told, events: Sequence[Event], bill: Bill) -> bytes:
        """A whole message from another dialect's events."""
        del inbound
        return whole_message(told, events, bill)

    def relay(self, inbound: Inbound, body: bytes, bill: Bill) -> bytes:
        """A whole message of Anthropic's, with the cost."""
        del inbound
        return billed_message(body, bill)

    def writer(self, inbound: Inbound, told: Told, *, relayed: bool) -> AnswerWriter:
        """A writer for one streamed message."""
        return RelayedStream(told) if relayed else TranslatedStream(told, expected_tokens(inbound.request))

    def refuse(self, problem: Problem) -> Refusal:
        """An error before the message begins."""
        return refuse(problem)
