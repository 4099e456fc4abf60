"""Writes an answer of another dialect as a response: whole, or as a stream."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from monkey_coder_server.dialects.costs import cost_of
from monkey_coder_server.dialects.event_frames import one_line
from monkey_coder_server.dialects.openai_responses.composing import Composer
from monkey_coder_server.dialects.openai_responses.form import Form
from monkey_coder_server.dialects.openai_responses.refusing import failure, say_failure
from monkey_coder_server.dialects.openai_responses.writing_frames import COMPLETED, INCOMPLETE, Item
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.stream_events import Event, FinishReason
from monkey_coder_server.ports.front import Bill, Inbound, Problem, Told
from monkey_coder_server.ports.record import Record

FAILED: Final = "failed"
_CUT: Final[Mapping[FinishReason, str]] = MappingProxyType(
    {
        FinishReason.LENGTH: "max_output_tokens",
        FinishReason.PAUSE: "max_output_tokens",
        FinishReason.CONTENT_FILTER: "content_filter",
        FinishReason.REFUSAL: "content_filter",
        FinishReason.OTHER: "content_filter",
    }
)
"""Why an answer is incomplete. The API knows two reasons: an unfinished answer that may go on, and one that may not."""
_MALFORMED: Final[Json] = {
    "code": "server_error",
    "message": "The model tried to call a tool and wrote no valid call. Ask again.",
}


class Ending(Record, frozen=True):
    """How a response ends. `reason` of an incomplete one, `error` of a failed one."""

    status: str
    reason: str | None = None
    error: Json = None


def ending_of(finish: FinishReason, *, refuses: bool = False, waits: bool = False) -> Ending:
    """The end an answer came to.

    A refusal in the model's own words is a complete answer, and so is one that waits for the caller to act on an item.
    """
    if finish is FinishReason.MALFORMED_CALL:
        return Ending(FAILED, error=_MALFORMED)
    complete = (refuses and finish is FinishReason.REFUSAL) or (waits and finish is FinishReason.PAUSE)
    reason = None if complete else _CUT.get(finish)
    return Ending(COMPLETED) if reason is None else Ending(INCOMPLETE, reason)


def usage_of(bill: Bill) -> Item:
    """The `usage` object, with what the answer cost its caller."""
    usage = bill.usage
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total,
        "cost": cost_of(bill),
    }


def response_of(form: Form, told: Told, ending: Ending, output: Sequence[Item], usage: Json) -> Item:
    """The response object."""
    return {
        "id": f"resp_{_suffix(told)}",
        "object": "response",
        "created_at": told.created,
        "status": ending.status,
        "background": False,
        "error": ending.error,
        "incomplete_details": None if ending.reason is None else {"reason": ending.reason},
        "model": told.model,
        "output": output,
        **form.echo,
        "usage": usage,
    }


def write_whole(inbound: Inbound, told: Told, events: Sequence[Event], bill: Bill) -> bytes:
    """A whole answer: the last object of the stream the same events would have made."""
    writer = ResponseWriter(inbound.form, told)
    writer.write(events)
    writer.end(bill)
    return writer.finished()


class ResponseWriter:
    """Implements `ports.front.AnswerWriter`, and `Finishing`."""

    def __init__(self, form: Form, told: Told) -> None:
        self._form = form
        self._told = told
        self._composer = Composer(form.names, origin=told.provider, suffix=_suffix(told))
        self._finished = b""

    def begin(self) -> bytes:
        """`response.created` and `response.in_progress`."""
        response = response_of(self._form, self._told, Ending("in_progress"), (), None)
        for kind in ("response.created", "response.in_progress"):
            self._composer.sink.say(kind, response=response)
        return self._composer.sink.take()

    def write(self, events: Sequence[Event]) -> bytes:
        """The frames of these events."""
        take = self._composer.take
        for event in events:
            take(event)
        return self._composer.sink.take()

    def end(self, bill: Bill) -> bytes:
        """Close every item, then the response."""
        finish, composer = bill.finish, self._composer
        composer.close(complete=ending_of(finish, refuses=True, waits=composer.given).status == COMPLETED)
        ending = ending_of(finish, refuses=composer.refuses, waits=composer.given)
        response = response_of(self._form, self._told, ending, composer.output, usage_of(bill))
        self._finished = one_line(response)
        composer.sink.say(f"response.{ending.status}", response=msgspec.Raw(self._finished))
        return composer.sink.take()

    def fail(self, problem: Problem) -> bytes:
        """`error`, at which SDKs raise, then `response.failed`, by which Codex ends a turn."""
        sink, number = self._composer.sink, self._composer.sink.number
        self._composer.close(complete=False)
        sink.drop(number)
        ending = Ending(FAILED, error=failure(problem))
        say_failure(sink, problem, response_of(self._form, self._told, ending, self._composer.output, None))
        return sink.take()

    def finished(self) -> bytes:
        """The response as the last frame told it."""
        return self._finished


def _suffix(told: Told) -> str:
    return told.request_id.partition("_")[2]
