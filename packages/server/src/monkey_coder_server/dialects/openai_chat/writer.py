"""Writes a streamed answer of another dialect's provider as chat completion chunks."""

from collections.abc import Sequence

from monkey_coder_server.dialects.openai_chat.answer import Composer
from monkey_coder_server.dialects.openai_chat.frames import DONE, Chunks, completion_id
from monkey_coder_server.dialects.openai_chat.inbound import Form
from monkey_coder_server.dialects.openai_refusals import refusal
from monkey_coder_server.domain.stream_events import Event, TextDelta
from monkey_coder_server.ports.front import Bill, Problem, Told


class ChatWriter:
    """Implements `ports.front.AnswerWriter`."""

    __slots__ = ("_chunks", "_composer", "_include_usage")

    def __init__(self, form: Form, told: Told) -> None:
        self._include_usage = form.include_usage
        self._composer = Composer(form, told.provider)
        self._chunks = Chunks(
            identifier=completion_id(told), created=told.created, model=told.model, with_usage=form.include_usage
        )

    def begin(self) -> bytes:
        """The role comes first."""
        return self._chunks.delta({"role": "assistant", "content": "", "refusal": None})

    def write(self, events: Sequence[Event]) -> bytes:
        """A chunk for each event that adds something."""
        chunks, composer = self._chunks, self._composer
        out = []
        for event in events:
            if type(event) is TextDelta:
                composer.characters += len(event.text)
                out.append(chunks.text(event.text))
            elif (delta := composer.take(event)) is not None:
                out.append(chunks.delta(delta))
        return b"".join(out)

    def end(self, bill: Bill) -> bytes:
        """Why it ended, what it took for who asked, and the end."""
        chunks = self._chunks
        last = [chunks.delta(delta) for delta in self._composer.close()]
        last.append(chunks.finish(self._composer.finish(bill.finish)))
        if self._include_usage:
            last.append(chunks.usage(bill))
        return b"".join([*last, DONE])

    def fail(self, problem: Problem) -> bytes:
        """The error the official SDK raises in mid-stream."""
        return error_frame(problem)


def error_frame(problem: Problem) -> bytes:
    """An error inside a stream."""
    return b"data: " + refusal(problem).body + b"\n\n"
