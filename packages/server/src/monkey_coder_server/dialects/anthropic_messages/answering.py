"""Writes answers that another dialect's provider gave: whole, or as the stream of it."""

from collections.abc import Sequence

from monkey_coder_server.dialects.anthropic_messages.composing import Composer
from monkey_coder_server.dialects.anthropic_messages.frames import STOP, FrameSink, frame, one_line
from monkey_coder_server.dialects.anthropic_messages.gathering import ContentSink
from monkey_coder_server.dialects.anthropic_messages.names import stop_reason
from monkey_coder_server.dialects.anthropic_messages.refusing import error_frame
from monkey_coder_server.dialects.anthropic_messages.usage import write_usage
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.stream_events import Event
from monkey_coder_server.ports.front import Bill, Problem, Told


def whole_message(told: Told, events: Sequence[Event], bill: Bill) -> bytes:
    """A message that is not streamed."""
    sink = ContentSink()
    composer = Composer(sink, told.provider)
    for event in events:
        composer.take(event)
    composer.close()
    message = opening(told) | {"content": sink.content} | stopping(bill, composer)
    return one_line(message | {"usage": write_usage(bill.usage, bill.cost)})


def opening(told: Told) -> dict[str, Json]:
    """A message before anything is said."""
    return {
        "id": f"msg_{told.request_id.removeprefix('req_')}",
        "type": "message",
        "role": "assistant",
        "model": told.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def stopping(bill: Bill, composer: Composer | None = None) -> dict[str, Json]:
    """Why the message ends; `composer` knows what was said, where we wrote it."""
    refusal = [] if composer is None else composer.refusal
    called = composer is not None and composer.called
    stop = stop_reason(bill.finish, called=called, refused=bool(refusal))
    written: dict[str, Json] = {"stop_reason": stop, "stop_sequence": None}
    if stop == "refusal":
        explanation = "".join(refusal) or None
        written["stop_details"] = {"type": "refusal", "category": None, "explanation": explanation}
    return written


def start_frame(told: Told, input_tokens: int) -> bytes:
    """The beginning of a stream. What the prompt really was is known at its end; until then, our own guess."""
    usage = {
        "input_tokens": input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 0,
    }
    return frame({"type": "message_start", "message": opening(told) | {"usage": usage}})


def end_frames(bill: Bill, composer: Composer | None = None) -> bytes:
    """The end of a stream: why, what was used, what it cost."""
    usage = write_usage(bill.usage, bill.cost)
    return frame({"type": "message_delta", "delta": stopping(bill, composer), "usage": usage}) + STOP


class TranslatedStream:
    """Implements `ports.front.AnswerWriter` over the events of another dialect."""

    __slots__ = ("_composer", "_input_tokens", "_sink", "_told")

    def __init__(self, told: Told, input_tokens: int) -> None:
        self._told = told
        self._input_tokens = input_tokens
        self._sink = FrameSink()
        self._composer = Composer(self._sink, told.provider)

    def begin(self) -> bytes:
        """`message_start`; nothing where no model answers and only an error can follow."""
        return start_frame(self._told, self._input_tokens) if self._told.provider else b""

    def write(self, events: Sequence[Event]) -> bytes:
        """What the events say."""
        take = self._composer.take
        for event in events:
            take(event)
        return self._sink.take()

    def end(self, bill: Bill) -> bytes:
        """Stop what is open, then the message."""
        self._composer.close()
        return self._sink.take() + end_frames(bill, self._composer)

    def fail(self, problem: Problem) -> bytes:
        """The error event."""
        return error_frame(problem)
