"""Google's own answers, passed on."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.stream_events import Event, FinishReason, Frame, TextDelta
from packages.server.tests.dialects.gemini.reading import FRONT, HELLO, bill, inbound, problem, records, streamed, told

FIRST = '{"candidates": [{"content": {"parts": [{"text": "Hél\\u00e9"}],"role": "model"}}],"usageMetadata": {"a": 1}}'
LAST = '{"candidates": [{"finishReason": "STOP"}],"usageMetadata": {"promptTokenCount":  1.50,"x":{"y": []}},"z": 1e5}'
TRAIL = '{"usageMetadata": {"promptTokenCount": 2}}'


def relayed(frames: list[str], finish: FinishReason = FinishReason.STOP, *, events: bool = True) -> bytes:
    return streamed([[Frame("", frame)] for frame in frames], bill(finish), events=events, relayed=True)


def test_a_whole_answer_keeps_its_bytes_and_gains_its_cost() -> None:
    assert FRONT.relay(inbound(HELLO), LAST.encode(), bill()) == (
        b'{"candidates":[{"finishReason": "STOP"}],'
        b'"usageMetadata":{"promptTokenCount":1.50,"x":{"y": []},"cost":0.0012345},"z":1e5}'
    )


def test_usage_that_google_left_out_is_added() -> None:
    added = json.loads(FRONT.relay(inbound(HELLO), b'{"candidates":[]}', bill()))
    assert added["usageMetadata"]["totalTokenCount"] == 19
    assert added["usageMetadata"]["cost"] == 0.0012345


@pytest.mark.parametrize("body", [b"[]", b"", b'"x"', b'{"usageMetadata":5}'])
def test_what_is_no_record_of_googles_is_passed_on_as_it_is(body: bytes) -> None:
    assert FRONT.relay(inbound(HELLO), body, bill()) == body


def test_frames_pass_unchanged_but_for_the_cost_of_the_last() -> None:
    stream = relayed([FIRST, LAST])
    escaped = FIRST.replace("é", "\\u00e9").encode()
    assert stream.startswith(b"data: " + escaped + b"\n\ndata: ")
    assert records(stream)[-1] == {
        **json.loads(LAST),
        "usageMetadata": {"promptTokenCount": 1.5, "x": {"y": []}, "cost": 0.0012345},
    }


def test_the_last_record_waits_for_its_cost_and_no_other() -> None:
    writer = FRONT.writer(inbound(HELLO, stream=True, query={"alt": "sse"}), told("google"), relayed=True)
    wordy = '{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"finishReason":"x"}}}]}}]}'
    assert writer.begin() == b""
    assert writer.write([Frame("", FIRST), TextDelta("said by the frame")]).count(b"data: ") == 1
    assert writer.write([Frame("", wordy)]) == f"data: {wordy}\n\n".encode()
    assert writer.write([Frame("", LAST)]) == b""
    assert writer.write([Frame("", TRAIL)]) == b""
    *_, before, last = records(writer.end(bill()))
    assert before == json.loads(LAST)
    assert last["usageMetadata"] == {"promptTokenCount": 2, "cost": 0.0012345}


def test_a_stream_that_says_its_end_in_every_record_still_flows() -> None:
    writer = FRONT.writer(inbound(HELLO, stream=True, query={"alt": "sse"}), told("google"), relayed=True)
    assert [writer.write([Frame("", LAST)]).count(b"data: ") for _ in range(3)] == [0, 1, 1]
    assert len(records(writer.end(bill()))) == 1


def test_what_follows_the_end_without_end_is_not_kept() -> None:
    writer = FRONT.writer(inbound(HELLO, stream=True, query={"alt": "sse"}), told("google"), relayed=True)
    writer.write([Frame("", LAST)])
    kept = sum(1 - writer.write([Frame("", TRAIL)]).count(b"data: ") for _ in range(1_000))
    assert kept < 100
    assert records(writer.end(bill()))[-1]["usageMetadata"]["cost"] == 0.0012345


@pytest.mark.parametrize("events", [True, False])
def test_a_stream_cut_off_gets_an_end_of_ours(events: bool) -> None:
    stream = relayed([FIRST], FinishReason.LENGTH, events=events)
    first, last = records(stream) if events else json.loads(stream)
    assert first == json.loads(FIRST)
    assert last["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert last["usageMetadata"]["cost"] == 0.0012345
    assert last["modelVersion"] == "claude-big"


def test_an_error_after_the_end_follows_it() -> None:
    writer = FRONT.writer(inbound(HELLO, stream=True, query={"alt": "sse"}), told("google"), relayed=True)
    writer.write([Frame("", LAST)])
    last, error = records(writer.fail(problem()))
    assert last == json.loads(LAST)
    assert "error" in error


def test_line_ends_between_tokens_do_not_break_an_event() -> None:
    pretty = json.dumps(json.loads(FIRST), indent=1).replace("\n", "\r\n")
    assert records(relayed([pretty, LAST]))[0] == json.loads(FIRST)


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
frames = st.dictionaries(st.sampled_from(["candidates", "modelVersion", "new"]), values, max_size=3).map(
    lambda record: json.dumps(record, ensure_ascii=False)
)


@given(said=st.lists(frames, max_size=5), cut=st.integers(0, 5))
def test_an_array_holds_what_the_events_hold(said: list[str], cut: int) -> None:
    batches: list[list[Event]] = [
        [Frame("", frame) for frame in said[:cut]],
        [Frame("", frame) for frame in said[cut:]],
    ]
    as_events = records(streamed([*batches, [Frame("", LAST)]], bill(), relayed=True))
    as_array = json.loads(streamed([*batches, [Frame("", LAST)]], bill(), events=False, relayed=True))
    assert as_events == as_array
    assert as_events[:-1] == [json.loads(frame) for frame in said]
