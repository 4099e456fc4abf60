"""What a Messages answer means, whole and streamed; the recordings suite holds the true ones."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.conversation import Citation, Thinking
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.stream_events import (
    Cited,
    Failed,
    Finished,
    FinishReason,
    Opened,
    ServerItem,
    TextDelta,
    ThinkingClosed,
    ThinkingDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallOpened,
    UsageReported,
)
from monkey_coder_server.domain.usage import ReportedUsage
from monkey_coder_server.providers.anthropic import PROVIDER
from packages.server.tests.dialects.hostile import bent, ends_once, fold, read

DIALECT = PROVIDER.dialect

OPENING = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "model": "claude-x",
        "usage": {
            "input_tokens": 10,
            "cache_read_input_tokens": 5,
            "cache_creation_input_tokens": 7,
            "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
            "output_tokens": 1,
        },
    },
}


def started(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def grown(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def stopped(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def closing(reason: str | None, **usage: Any) -> list[dict[str, Any]]:
    return [
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 20, **usage}},
        {"type": "message_stop"},
    ]


def sse(*records: Any) -> bytes:
    return b"".join(b"event: x\ndata: " + json.dumps(record).encode() + b"\n\n" for record in records)


FULL = [
    OPENING,
    {"type": "ping"},
    started(0, {"type": "thinking", "thinking": "", "signature": ""}),
    grown(0, "thinking_delta", thinking="Hm"),
    grown(0, "signature_delta", signature="c2ln"),
    stopped(0),
    started(1, {"type": "redacted_thinking", "data": "cmVk"}),
    stopped(1),
    started(2, {"type": "text", "text": ""}),
    grown(2, "text_delta", text="Grüß"),
    grown(
        2,
        "citations_delta",
        citation={"type": "web_search_result_location", "url": "u", "title": "t", "cited_text": "c"},
    ),
    stopped(2),
    started(3, {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}),
    grown(3, "input_json_delta", partial_json='{"query":'),
    grown(3, "input_json_delta", partial_json='"x"}'),
    stopped(3),
    started(4, {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}}),
    grown(4, "input_json_delta", partial_json=""),
    stopped(4),
    started(5, {"type": "tool_use", "id": "toolu_2", "name": "at", "input": {}}),
    grown(5, "input_json_delta", partial_json='{"a"'),
    grown(5, "input_json_delta", partial_json=":1}"),
    stopped(5),
    *closing("tool_use", server_tool_use={"web_search_requests": 2, "web_fetch_requests": 0}),
]


def test_a_full_stream() -> None:
    first = ReportedUsage(10, 1, None, 5, 7, 4)
    assert read(DIALECT, [sse(*FULL)]) == [
        Opened("msg_1", "claude-x"),
        UsageReported(first),
        ThinkingDelta("Hm"),
        ThinkingClosed(signature="c2ln"),
        ThinkingClosed(redacted="cmVk"),
        TextDelta("Grüß"),
        Cited(Citation("u", "t", "c", FULL[10]["delta"]["citation"])),
        ServerItem(
            "server_tool_use", {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}}
        ),
        ToolCallOpened(0, "toolu_1", "now"),
        ToolCallDelta(0, "{}"),
        ToolCallClosed(0),
        ToolCallOpened(1, "toolu_2", "at"),
        ToolCallDelta(1, '{"a"'),
        ToolCallDelta(1, ":1}"),
        ToolCallClosed(1),
        UsageReported(ReportedUsage(10, 20, None, 5, 7, 4, units={"web_search_requests": 2})),
        Finished(FinishReason.TOOL_CALLS, "tool_use"),
    ]


def test_a_whole_message_means_the_same_as_its_stream() -> None:
    content = [
        {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "cmVk"},
        {"type": "text", "text": "Grüß", "citations": [FULL[10]["delta"]["citation"]]},
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}},
        {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}},
        {"type": "tool_use", "id": "toolu_2", "name": "at", "input": {"a": 1}},
    ]
    usage = OPENING["message"]["usage"] | {"output_tokens": 20, "server_tool_use": {"web_search_requests": 2}}
    message = {"id": "msg_1", "model": "claude-x", "content": content, "stop_reason": "tool_use", "usage": usage}
    whole, streamed = fold(DIALECT.decode(json.dumps(message).encode())), fold(read(DIALECT, [sse(*FULL)]))
    assert whole.parts() == streamed.parts()
    assert whole.usage == streamed.usage
    assert whole.server_items == streamed.server_items
    assert (whole.finish, whole.native_finish) == (streamed.finish, streamed.native_finish)
    assert whole.thinking == [Thinking("Hm", "c2ln"), Thinking("", None, "cmVk")]


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("end_turn", FinishReason.STOP),
        ("stop_sequence", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("tool_use", FinishReason.TOOL_CALLS),
        ("pause_turn", FinishReason.PAUSE),
        ("refusal", FinishReason.REFUSAL),
        ("unheard_of", FinishReason.OTHER),
        (None, FinishReason.OTHER),
    ],
)
def test_a_stop_reason(native: str | None, reason: FinishReason) -> None:
    assert read(DIALECT, [sse(OPENING, *closing(native))])[-1] == Finished(reason, native)


def test_a_refusal_says_why() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "This may harm."}
    last = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}}
    answer = fold(read(DIALECT, [sse(OPENING, last, {"type": "message_stop"})]))
    assert answer.refusal == ["This may harm."]
    assert answer.finish is FinishReason.REFUSAL


def test_thinking_tokens_are_reported() -> None:
    answer = fold(read(DIALECT, [sse(OPENING, *closing("end_turn", output_tokens_details={"thinking_tokens": 9}))]))
    assert answer.usage is not None
    assert answer.usage.reasoning_tokens == 9


@pytest.mark.parametrize("missing", [1, 2])
def test_a_stream_without_its_end_is_cut_short_and_its_open_call_is_not_complete(missing: int) -> None:
    open_call = started(0, {"type": "tool_use", "id": "t", "name": "rm", "input": {}})
    events = read(DIALECT, [sse(OPENING, open_call, *closing("tool_use")[:-missing])])
    assert isinstance(events[-1], Failed)
    assert events[-1].failure.kind is FailureKind.CUT_SHORT
    assert not [event for event in events if isinstance(event, ToolCallClosed | ToolCallDelta)]


def test_a_server_item_cut_in_the_middle_is_kept_as_far_as_it_came() -> None:
    search = started(0, {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}})
    answer = fold(read(DIALECT, [sse(OPENING, search, grown(0, "input_json_delta", partial_json='{"que'))]))
    assert answer.server_items[0].raw["input"] == '{"que'


def test_an_error_in_mid_stream_ends_it() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    text = started(0, {"type": "text", "text": "Half"})
    events = read(DIALECT, [sse(OPENING, text, error, *closing("end_turn"))])
    assert isinstance(events[-1], Failed)
    assert events[-1].failure.kind is FailureKind.OVERLOADED
    assert fold(events).text == ["Half"]


@pytest.mark.parametrize(
    ("data", "type_", "message"),
    [
        (b'{"error":{"type":"overloaded_error","message":"Overloaded"}}', "overloaded_error", "Overloaded"),
        (b'{"type":"error","error":"words"}', None, '{"type":"error","error":"words"}'),
        (b"upstream died", None, "upstream died"),
    ],
)
def test_an_event_named_error_is_one_whatever_it_holds(data: bytes, type_: str | None, message: str) -> None:
    last = read(DIALECT, [sse(OPENING) + b"event: error\ndata: " + data + b"\n\n"])[-1]
    assert isinstance(last, Failed)
    assert (last.failure.type, last.failure.message) == (type_, message)
    assert last.failure.kind is (FailureKind.OVERLOADED if type_ else FailureKind.SERVER_ERROR)


@pytest.mark.parametrize("garbage", [b"data: {nonsense\n\n", b"data: <html>\n\n"])
def test_garbage_in_a_stream_is_malformed(garbage: bytes) -> None:
    last = read(DIALECT, [sse(OPENING), garbage, sse(*closing("end_turn"))])[-1]
    assert isinstance(last, Failed)
    assert last.failure.kind is FailureKind.MALFORMED


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"content":"x"}', b"{" * 100_000])
def test_a_body_that_is_no_message_is_malformed(body: bytes) -> None:
    last = DIALECT.decode(body)[-1]
    assert isinstance(last, Failed)
    assert last.failure.kind is FailureKind.MALFORMED


def test_json_where_a_stream_was_asked_for_is_read_all_the_same() -> None:
    message = {"id": "m", "model": "c", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}
    body = b"\n " + json.dumps(message).encode()
    answer = fold(read(DIALECT, [body[:1], body[1:9], body[9:]]))
    assert answer.text == ["Hi"]
    assert answer.finish is FinishReason.STOP


@pytest.mark.parametrize("start", [b"data: ", b"{"], ids=["event", "plain JSON"])
def test_an_answer_beyond_all_bounds_ends_the_stream(start: bytes) -> None:
    decoder = DIALECT.decoder()
    events = [event for piece in (start, b"x" * (33 << 20), sse(*FULL)) for event in decoder.feed(piece)]
    assert [event.failure.kind for event in events if isinstance(event, Failed)] == [FailureKind.MALFORMED]
    assert decoder.finish() == []


def test_compaction_is_kept_as_the_provider_wrote_it() -> None:
    written = [
        started(0, {"type": "compaction", "content": None}),
        grown(0, "compaction_delta", content="So far: "),
        grown(0, "compaction_delta", content="nothing."),
        stopped(0),
    ]
    events = read(DIALECT, [sse(OPENING, *written, *closing("end_turn"))])
    assert ServerItem("compaction", {"type": "compaction", "content": "So far: nothing."}) in events


@given(records=st.tuples(*(bent(record) for record in FULL)))
def test_nothing_a_stream_holds_can_raise(records: tuple[Any, ...]) -> None:
    events = read(DIALECT, [sse(*records)])
    assert ends_once(events)
    fold(events)


@given(noise=st.lists(st.binary(max_size=60), max_size=6))
def test_no_bytes_can_raise(noise: list[bytes]) -> None:
    assert ends_once(read(DIALECT, noise))
    assert ends_once(DIALECT.decode(b"".join(noise)))
    assert DIALECT.decode_error(500, {}, b"".join(noise)).message
