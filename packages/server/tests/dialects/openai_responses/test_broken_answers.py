"""Answers that break off or are none say how; what is passed on is passed on as it came."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.stream_events import (
    Answer,
    Failed,
    Finished,
    FinishReason,
    Frame,
)
from packages.server.tests.dialects import hostile
from packages.server.tests.dialects.hostile import fold
from packages.server.tests.dialects.openai_responses.provider_streams import (
    CREATED,
    DIALECT,
    NOTE,
    PATCH,
    THOUGHT,
    USAGE,
    added,
    call,
    completed,
    event,
    grown,
    message,
    response,
    streamed,
)

FAILED = {"code": "server_error", "message": "It broke."}


@pytest.mark.parametrize(
    ("frames", "kind", "message"),
    [
        ((), FailureKind.CUT_SHORT, "stopped"),
        ((b'data: {"type":"response.output_te',), FailureKind.CUT_SHORT, "stopped"),
        ((event("response.failed", response=response(status="failed", error=FAILED)),), FailureKind.SERVER_ERROR, "It"),
        ((event("response.failed", response=None),), FailureKind.SERVER_ERROR, "error"),
        ((event("error", code="rate_limit_exceeded", message="Slow."),), FailureKind.RATE_LIMIT, "Slow."),
        ((event("error", error={"code": "insufficient_quota", "message": "Paid?"}),), FailureKind.QUOTA, "Paid?"),
        ((b"event: error\ndata: nonsense\n\n",), FailureKind.MALFORMED, "JSON"),
        ((b'data: {"error": "overloaded", "code": "x"}\n\n',), FailureKind.SERVER_ERROR, "overloaded"),
        ((b"data: {nonsense\n\n",), FailureKind.MALFORMED, "JSON"),
        ((b"data: " + b"[" * 100_000 + b"\n\n",), FailureKind.MALFORMED, "JSON"),
        ((b"data: " + b"x" * 17_000_000,), FailureKind.MALFORMED, "broken"),
    ],
    ids=range(11),
)
def test_a_stream_that_breaks_off_says_how(frames: tuple[bytes, ...], kind: FailureKind, message: str) -> None:
    late = () if kind is FailureKind.CUT_SHORT else (grown("output_text", 0, "late"), completed())
    events = streamed(grown("output_text", 0, "x"), *frames, *late)
    last = events[-1]
    assert isinstance(last, Failed)
    assert (last.failure.kind, last.failure.provider) == (kind, "xai")
    assert message in last.failure.message
    assert fold(events).text == ["x"]


def test_a_failure_keeps_the_usage_that_came_with_it() -> None:
    broken = event("response.failed", response=response(status="failed", error=FAILED, usage=USAGE))
    assert fold(streamed(broken)).usage is not None


def test_nothing_is_said_after_the_end() -> None:
    events = streamed(completed(message("x")), grown("output_text", 0, "y"), completed(), b"data: [DONE]\n\n")
    assert isinstance(events[-1], Finished)
    assert fold(events).text == ["x"]
    assert fold(streamed(b"data: [DONE]\n\n", completed(message("x")))).text == ["x"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FailureKind.MALFORMED),
        (b"[]", FailureKind.MALFORMED),
        (b"{}", FailureKind.MALFORMED),
        (b"<html>busy</html>", FailureKind.MALFORMED),
        (b"[" * 100_000, FailureKind.MALFORMED),
        (json.dumps(response(status="in_progress")).encode(), FailureKind.MALFORMED),
        (json.dumps(response(status="failed", error=FAILED)).encode(), FailureKind.SERVER_ERROR),
        (b'{"error": {"message": "quota", "type": "insufficient_quota"}}', FailureKind.QUOTA),
    ],
    ids=range(8),
)
def test_what_is_no_answer_is_a_failure(body: bytes, kind: FailureKind) -> None:
    (last,) = DIALECT.decode(body)
    assert isinstance(last, Failed)
    assert last.failure.kind is kind


def test_an_http_error_is_read_as_the_family_says_it() -> None:
    failure = DIALECT.decode_error(400, {}, b'{"error": {"message": "m", "code": "invalid_encrypted_content"}}')
    assert (failure.kind, failure.code) == (FailureKind.INVALID_REQUEST, "invalid_encrypted_content")


def passed_on(*pieces: bytes) -> tuple[Answer, list[Frame]]:
    decoder = DIALECT.decoder(relay=True)
    events = [each for piece in (CREATED, *pieces) for each in decoder.feed(piece)] + list(decoder.finish())
    return fold(events), [each for each in events if isinstance(each, Frame)]


def test_every_event_but_an_error_is_passed_on_as_it_came() -> None:
    sent = (
        added(0, type="reasoning"),
        grown("reasoning_summary_text", 0, "a"),
        grown("reasoning_summary_text", 0, "bb"),
        event("response.brand_new", x=1),
        grown("output_text", 1, "x"),
        grown("output_text", 1, 'y"\\'),
        completed(message("x"), usage=USAGE),
    )
    answer, frames = passed_on(*sent)
    assert [f"event: {frame.event}\ndata: {frame.data}\n\n".encode() for frame in frames] == [CREATED, *sent]
    assert [frame.skimmed for frame in frames] == [0, 0, 0, 2, 0, 0, 5, 0]
    assert (answer.text, answer.finish) == (["x"], FinishReason.STOP)
    assert answer.usage is not None


@pytest.mark.parametrize(
    "broken", [event("error", message="m"), event("response.failed", response=response(error=FAILED)), b"data: {\n\n"]
)
def test_an_error_is_not_passed_on_as_a_frame(broken: bytes) -> None:
    answer, frames = passed_on(broken)
    assert len(frames) == 1
    assert answer.failure is not None


def test_an_event_whose_name_promises_a_piece_it_does_not_hold_is_read() -> None:
    empty = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta"}\n\n'
    answer, frames = passed_on(grown("output_text", 0, "x"), empty, completed())
    assert [frame.skimmed for frame in frames] == [0, 0, 0, 0]
    assert answer.finish is FinishReason.STOP


EVENTS: Sequence[dict[str, Any]] = [
    {"type": "response.created", "response": response()},
    {"type": "response.output_item.added", "output_index": 0, "item": call()},
    {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": "{}"},
    {"type": "response.output_item.done", "output_index": 0, "item": THOUGHT},
    {"type": "response.output_item.done", "output_index": 1, "item": message("x", annotations=[NOTE])},
    {"type": "response.output_text.annotation.added", "output_index": 1, "annotation": NOTE},
    {"type": "response.reasoning_summary_part.added", "output_index": 2},
    {"type": "response.completed", "response": response(THOUGHT, call(), PATCH, message("x"), usage=USAGE)},
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(EVENTS).flatmap(hostile.bent), max_size=6))
def test_no_json_whatsoever_makes_the_decoder_raise(values: list[Any]) -> None:
    bodies = [json.dumps(value).encode() for value in values]
    for relay in (False, True):
        decoder = DIALECT.decoder(relay=relay)
        events = [each for body in bodies for each in decoder.feed(b"data: " + body + b"\n\n")]
        events += decoder.finish()
        assert hostile.ends_once(events)
        fold([each for each in events if not relay or not isinstance(each, Frame)])
    for body in bodies:
        assert hostile.ends_once(DIALECT.decode(body))


@settings(deadline=None)
@given(hostile.bent(response(THOUGHT, call(), PATCH, message("x", annotations=[NOTE]), usage=USAGE)))
def test_a_bent_whole_answer_ends_once(value: Any) -> None:
    events = list(DIALECT.decode(json.dumps(value).encode()))
    assert hostile.ends_once(events)
    fold(events)
