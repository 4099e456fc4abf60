"""Answers of other providers in Gemini's words: whole, as events, as one array."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.conversation import Citation
from monkey_coder_server.domain.stream_events import (
    Cited,
    Event,
    Finished,
    FinishReason,
    Opened,
    RefusalDelta,
    ServerItem,
    TextDelta,
    ThinkingClosed,
    ThinkingDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallOpened,
    UsageReported,
)
from monkey_coder_server.domain.usage import ReportedUsage, Usage
from monkey_coder_server.ports.front import Bill
from packages.server.tests.dialects.gemini.reading import (
    FRONT,
    HELLO,
    bill,
    inbound,
    joined,
    problem,
    records,
    streamed,
    told,
    whole,
)

WRITTEN_USAGE = {
    "promptTokenCount": 10,
    "candidatesTokenCount": 5,
    "totalTokenCount": 19,
    "cachedContentTokenCount": 3,
    "thoughtsTokenCount": 4,
    "cost": 0.0012345,
}
ANSWER: list[Event] = [
    Opened("msg_1", "claude-big-2026"),
    ThinkingDelta("Hm."),
    ThinkingClosed("sig"),
    TextDelta("Hel"),
    TextDelta("lo\u2028é"),
    ToolCallOpened(0, "toolu_1", "now"),
    ToolCallDelta(0, '{"zone":'),
    ToolCallOpened(1, "toolu_2", "later"),
    ToolCallDelta(0, '"UTC"}'),
    ToolCallClosed(0),
    ToolCallClosed(1),
    Cited(Citation("https://a.example", "A")),
    Cited(Citation("https://a.example", "A", "quoted elsewhere")),
    Cited(Citation(None, "Book", "page 1")),
    ServerItem("web_search_call", {}),
    UsageReported(ReportedUsage(1, 1)),
    Finished(FinishReason.TOOL_CALLS, "tool_use"),
]
CALLS = [
    {"functionCall": {"id": "toolu_1", "name": "now", "args": {"zone": "UTC"}}},
    {"functionCall": {"id": "toolu_2", "name": "later", "args": {}}},
]
SOURCES = {
    "groundingChunks": [
        {"web": {"uri": "https://a.example", "title": "A"}},
        {"retrievedContext": {"title": "Book", "text": "page 1"}},
    ]
}


def spoken(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in part.items() if name != "thoughtSignature"} for part in parts]


def test_a_whole_answer() -> None:
    answer = whole(ANSWER, bill(FinishReason.TOOL_CALLS, "tool_use"))
    (candidate,) = answer.pop("candidates")
    assert spoken(candidate["content"].pop("parts")) == [
        {"text": "Hm.", "thought": True},
        {"text": "Hello\u2028é"},
        *CALLS,
    ]
    assert candidate == {
        "content": {"role": "model"},
        "finishReason": "STOP",
        "groundingMetadata": SOURCES,
        "index": 0,
    }
    assert answer == {"usageMetadata": WRITTEN_USAGE, "modelVersion": "claude-big", "responseId": "req_1"}


def test_a_stream_says_the_same_bit_by_bit_and_ends_with_what_it_cost() -> None:
    ended = bill(FinishReason.TOOL_CALLS, "tool_use")
    *before, last = records(streamed([[event] for event in ANSWER], ended))
    assert [record["candidates"][0]["content"]["parts"] for record in before[2:4]] == [
        [{"text": "Hel"}],
        [{"text": "lo\u2028é"}],
    ]
    assert all("finishReason" not in record["candidates"][0] and "usageMetadata" not in record for record in before)
    assert last == {
        "candidates": [
            {
                "content": {"parts": [{"text": ""}], "role": "model"},
                "finishReason": "STOP",
                "groundingMetadata": SOURCES,
                "index": 0,
            }
        ],
        "usageMetadata": WRITTEN_USAGE,
        "modelVersion": "claude-big",
        "responseId": "req_1",
    }
    assert {(record["modelVersion"], record["responseId"]) for record in before} == {("claude-big", "req_1")}


def test_the_cost_is_a_number_with_its_exact_digits() -> None:
    exact = FRONT.write(inbound(HELLO), told(), [TextDelta("Hi")], bill(cost=12_345_678_901_234_567_891))
    assert b'"cost":12345678901.234567891}' in exact
    free = Bill(usage=Usage(), cost=0, receipt_id=None, finish=FinishReason.LENGTH)
    assert whole([TextDelta("Hi")], free)["usageMetadata"] == {
        "promptTokenCount": 0,
        "candidatesTokenCount": 0,
        "totalTokenCount": 0,
        "cost": 0,
    }


texts = st.text(max_size=6) | st.sampled_from(["\u2028", "\x85", '"}\n', "\U0001f600"])
blocks = st.one_of(
    texts.map(lambda text: [TextDelta(text)]),
    texts.map(lambda text: [RefusalDelta(text)]),
    st.tuples(st.lists(texts, max_size=3), st.none() | st.just("sig"), st.none() | st.just("red")).map(
        lambda thought: [*map(ThinkingDelta, thought[0]), ThinkingClosed(*thought[1:])]
    ),
    st.sampled_from([[Cited(Citation("https://a.example"))], [ServerItem("x", {})]]),
    st.sampled_from(['{"a":1}', "", "{", "[]"]).map(
        lambda arguments: [
            ToolCallOpened(0, "c", "f"),
            *(ToolCallDelta(0, piece) for piece in arguments),
            ToolCallClosed(0),
        ]
    ),
)


@given(said=st.lists(blocks, max_size=6), cuts=st.lists(st.integers(1, 5), min_size=1, max_size=12), seen=st.booleans())
def test_a_stream_in_any_batches_adds_up_to_the_whole_answer(
    said: list[list[Event]], cuts: list[int], seen: bool
) -> None:
    events = [event for block in said for event in block]
    ended = bill(FinishReason.TOOL_CALLS)
    batches, at = [], 0
    while at < len(events):
        size = cuts[len(batches) % len(cuts)]
        batches.append(events[at : at + size])
        at += size
    answer = whole(events, ended, thoughts=seen)
    as_events = records(streamed(batches, ended, thoughts=seen))
    as_array = json.loads(streamed(batches, ended, thoughts=seen, events=False))
    assert as_events == as_array
    assert joined(as_events) == joined([answer])
    last = as_events[-1]["candidates"][0]
    assert {**last, "content": None} == {**answer["candidates"][0], "content": None}
    assert as_events[-1]["usageMetadata"] == answer["usageMetadata"]


def test_an_array_grows_by_whole_elements() -> None:
    given_query = inbound(HELLO, stream=True)
    writer = FRONT.writer(given_query, told(), relayed=False)
    pieces = [writer.begin(), writer.write([TextDelta("a")]), writer.write([]), writer.write([TextDelta("b")])]
    pieces.append(writer.end(bill()))
    assert pieces[0] == b"["
    assert json.loads(pieces[1])["candidates"][0]["content"]["parts"] == [{"text": "a"}]
    assert pieces[2] == b""
    assert pieces[3].startswith(b",\r\n{")
    assert pieces[4].endswith(b"}]")
    assert len(json.loads(b"".join(pieces))) == 3


@pytest.mark.parametrize(
    ("finish", "native", "written", "message"),
    [
        (FinishReason.STOP, "end_turn", "STOP", None),
        (FinishReason.TOOL_CALLS, "tool_use", "STOP", None),
        (FinishReason.LENGTH, "max_tokens", "MAX_TOKENS", None),
        (FinishReason.CONTENT_FILTER, "content_filter", "SAFETY", "content_filter"),
        (FinishReason.REFUSAL, "refusal", "SAFETY", "refusal"),
        (FinishReason.PAUSE, "pause_turn", "OTHER", "pause_turn"),
        (FinishReason.MALFORMED_CALL, None, "MALFORMED_FUNCTION_CALL", None),
        (FinishReason.OTHER, "odd", "OTHER", "odd"),
    ],
)
def test_why_it_ended(finish: FinishReason, native: str | None, written: str, message: str | None) -> None:
    candidate = whole([TextDelta("x")], bill(finish, native))["candidates"][0]
    assert (candidate["finishReason"], candidate.get("finishMessage")) == (written, message)


def test_a_call_without_readable_arguments_is_no_call_and_no_plain_stop() -> None:
    events: list[Event] = [ToolCallOpened(0, "c", "now"), ToolCallDelta(0, '{"a'), ToolCallClosed(0)]
    candidate = whole(events, bill(FinishReason.TOOL_CALLS))["candidates"][0]
    assert candidate["content"]["parts"] == [{"text": ""}]
    assert candidate["finishReason"] == "MALFORMED_FUNCTION_CALL"
    assert candidate["finishMessage"] == "Malformed function call: now"
    assert whole(events, bill(FinishReason.LENGTH))["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_a_call_cut_off_in_the_middle_is_left_out() -> None:
    (last,) = records(streamed([[ToolCallOpened(0, "c", "now")], [ToolCallDelta(0, "{}")]], bill(FinishReason.LENGTH)))
    assert last["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert last["candidates"][0]["content"]["parts"] == [{"text": ""}]


def test_free_text_of_a_call_is_its_one_argument() -> None:
    events: list[Event] = [ToolCallOpened(0, "c", "patch", custom=True), ToolCallDelta(0, "*** x"), ToolCallClosed(0)]
    (part,) = whole(events, bill())["candidates"][0]["content"]["parts"]
    assert part["functionCall"]["args"] == {"input": "*** x"}


def test_an_error_in_the_middle_ends_the_stream_with_an_end_and_the_error() -> None:
    for relayed in (True, False):
        for query in ({"alt": "sse"}, {}):
            writer = FRONT.writer(inbound(HELLO, stream=True, query=query), told(), relayed=relayed)
            stream = writer.begin() + writer.fail(problem(retry_after=2.0))
            last, error = records(stream) if query else json.loads(stream)
            assert last["candidates"][0]["finishReason"] == "OTHER"
            assert last["candidates"][0]["finishMessage"] == "It broke."
            assert next(iter(error)) == "error", "google-genai knows an error by its first key"
            assert error["error"]["code"] == 502
