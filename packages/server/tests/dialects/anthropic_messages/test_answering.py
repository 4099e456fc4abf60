"""Another dialect's answer as an Anthropic message: whole and streamed, the same in both forms."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.dialects.anthropic_messages.front import MessagesFront
from monkey_coder_server.domain.conversation import Citation, Text, Thinking, ToolCall
from monkey_coder_server.domain.stream_events import (
    Answer,
    Cited,
    Event,
    FinishReason,
    RefusalDelta,
    ServerItem,
    TextDelta,
    ThinkingClosed,
    ThinkingDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallOpened,
)
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.front import Envelope, Told
from packages.server.tests.dialects.anthropic_messages import sdk, streams
from packages.server.tests.dialects.anthropic_messages.streams import PROBLEM, TOLD, bill

FRONT = MessagesFront()
ASKED = FRONT.read(
    json.dumps({"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "x" * 300}]}).encode(),
    Envelope(headers={}, query={}),
)
STARTED = {"type": "tool_use", "id": "c", "name": "Write", "input": {}}


def whole(*events: Event, finish: FinishReason = FinishReason.STOP, usage: Usage = streams.USAGE) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(FRONT.write(ASKED, TOLD, events, bill(finish, usage=usage)))
    return written


def streamed(*events: Event, finish: FinishReason = FinishReason.STOP, step: int = 100) -> bytes:
    writer = FRONT.writer(ASKED, TOLD, relayed=False)
    pieces = [writer.write(events[at : at + step]) for at in range(0, len(events), step)]
    return b"".join([writer.begin(), *pieces, writer.end(bill(finish))])


def content(*events: Event) -> list[dict[str, Any]]:
    """The content, which must be the same whole and streamed."""
    written: list[dict[str, Any]] = whole(*events)["content"]
    stream = streamed(*events)
    assert streams.disorder(stream) == []
    assert streams.fold(stream) == written
    return written


def call(number: int, *fragments: str, closed: bool = True, signature: str | None = None) -> list[Event]:
    opened = ToolCallOpened(number, "c", "Write", signature=signature)
    ends: list[Event] = [ToolCallClosed(number)] if closed else []
    return [opened, *(ToolCallDelta(number, fragment) for fragment in fragments), *ends]


@given(events=streams.answers(), step=st.integers(1, 9))
def test_chunked_equals_whole(events: list[Event], step: int) -> None:
    finish = streams.reason_of(events)
    stream = streamed(*events, finish=finish, step=step)
    assert stream == streamed(*events, finish=finish)
    assert streams.disorder(stream) == []
    message = whole(*events, finish=finish)
    assert streams.fold(stream) == message["content"]
    _, last = streams.frames(stream)[-2]
    assert (last["delta"], last["usage"]) == (
        {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details") if name in message},
        message["usage"],
    )


@given(streams.answers())
def test_the_next_turn_reads_what_was_said(events: list[Event]) -> None:
    answer = Answer()
    for event in events:
        answer.apply(event)
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": whole(*events)["content"]}]
    body = json.dumps({"model": "auto", "max_tokens": 9, "messages": turns}).encode()
    read = FRONT.read(body, Envelope(headers={}, query={})).request.messages[1].parts
    assert "".join(part.text for part in read if isinstance(part, Text)) == "".join(
        event.text for event in events if isinstance(event, TextDelta | RefusalDelta)
    )
    assert [part for part in read if isinstance(part, Thinking)] == [
        Thinking(part.text, part.signature or None, part.redacted, origin="google") for part in answer.thinking
    ]
    assert [part for part in read if isinstance(part, ToolCall)] == [
        ToolCall(
            each.id,
            each.name,
            json.dumps(json.loads(each.arguments or "{}"), separators=(",", ":"), ensure_ascii=False),
            signature=each.signature,
            origin=each.signature and "google",
        )
        for each in answer.calls
    ]


@given(streams.answers())
@settings(max_examples=30, deadline=None)  # a client is made for each
def test_the_official_sdk_reads_both_forms_alike(events: list[Event]) -> None:
    finish = streams.reason_of(events)
    from_stream = sdk.read_stream(streamed(*events, finish=finish))
    from_whole = sdk.read_whole(FRONT.write(ASKED, TOLD, events, bill(finish)))
    assert from_stream["content"] == from_whole["content"]
    for name in ("id", "model", "role", "stop_reason", "stop_sequence"):
        assert from_stream[name] == from_whole[name]
    for name in ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"):
        assert from_stream["usage"][name] == from_whole["usage"][name]


def test_a_message() -> None:
    assert whole(TextDelta("Hi"), TextDelta(" there")) == {
        "id": "msg_7",
        "type": "message",
        "role": "assistant",
        "model": "gemini-x",
        "content": [{"type": "text", "text": "Hi there"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 90,
            "cache_creation_input_tokens": 7,
            "cache_read_input_tokens": 30,
            "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 2},
            "output_tokens": 20,
            "output_tokens_details": {"thinking_tokens": 4},
            "cost": 0.001234,
        },
    }


def test_a_stream_begins_with_a_guess_of_its_prompt() -> None:
    name, data = streams.frames(streamed(TextDelta("Hi")))[0]
    assert name == "message_start"
    assert data["message"]["content"] == []
    assert data["message"]["usage"] == {
        "input_tokens": 73,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 0,
    }


def test_the_cost_is_written_from_its_exact_digits() -> None:
    assert b'"cost":0.001234}' in FRONT.write(ASKED, TOLD, [TextDelta("Hi")], bill())
    assert b'"cost":0.000000001}' in FRONT.write(ASKED, TOLD, [TextDelta("Hi")], bill(cost=1))


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ({}, None),
        ({"num_search_queries": 2}, {"web_search_requests": 2, "web_fetch_requests": 0}),
        ({"web_fetch_requests": 1, "citation_tokens": 9}, {"web_search_requests": 0, "web_fetch_requests": 1}),
    ],
)
def test_searches_are_counted_in_anthropics_words(units: dict[str, int], expected: dict[str, int] | None) -> None:
    assert whole(TextDelta("Hi"), usage=Usage(units=units))["usage"].get("server_tool_use") == expected


@pytest.mark.parametrize(
    ("finish", "expected"),
    [
        (FinishReason.STOP, "end_turn"),
        (FinishReason.LENGTH, "max_tokens"),
        (FinishReason.TOOL_CALLS, "tool_use"),
        (FinishReason.CONTENT_FILTER, "refusal"),
        (FinishReason.REFUSAL, "refusal"),
        (FinishReason.PAUSE, "pause_turn"),
        (FinishReason.MALFORMED_CALL, "max_tokens"),
        (FinishReason.OTHER, "end_turn"),
    ],
)
def test_every_finish_has_its_stop_reason(finish: FinishReason, expected: str) -> None:
    assert whole(TextDelta("Hi"), finish=finish)["stop_reason"] == expected


def test_what_was_called_or_refused_shows_whatever_the_provider_says() -> None:
    assert whole(*call(0, "{}"))["stop_reason"] == "tool_use"
    refused = whole(RefusalDelta("I "), RefusalDelta("cannot."))
    assert refused["content"] == [{"type": "text", "text": "I cannot."}]
    assert refused["stop_reason"] == "refusal"
    assert refused["stop_details"] == {"type": "refusal", "category": None, "explanation": "I cannot."}
    assert whole(finish=FinishReason.CONTENT_FILTER)["stop_details"]["explanation"] is None


def test_thoughts_are_sealed_with_their_origin() -> None:
    assert content(
        ThinkingDelta("a"), ThinkingDelta("b"), ThinkingClosed("s"), ThinkingClosed(redacted="r"), TextDelta("Hi")
    ) == [
        {"type": "thinking", "thinking": "ab", "signature": "mk1.google.s"},
        {"type": "redacted_thinking", "data": "mk1.google.r"},
        {"type": "text", "text": "Hi"},
    ]


@pytest.mark.parametrize("end", [[], [ThinkingClosed()], [ThinkingClosed("")]])
def test_a_thought_without_a_proof_says_where_it_came_from(end: list[Event]) -> None:
    thought = {"type": "thinking", "thinking": "a", "signature": "mk1.google."}
    assert content(ThinkingDelta("a"), *end) == [thought]
    assert content(ThinkingDelta("a"), *end, TextDelta("Hi")) == [thought, {"type": "text", "text": "Hi"}]


def test_a_proof_may_come_alone() -> None:
    assert content(TextDelta("Hi"), ThinkingClosed("s"), ThinkingClosed()) == [
        {"type": "text", "text": "Hi"},
        {"type": "thinking", "thinking": "", "signature": "mk1.google.s"},
    ]


def test_thoughts_of_anthropic_are_not_sealed() -> None:
    told = Told(request_id="req_7", created=1, provider="anthropic", model="claude")
    written = FRONT.write(ASKED, told, [ThinkingDelta("a"), ThinkingClosed("s"), *call(0, signature="x")], bill())
    assert json.loads(written)["content"] == [{"type": "thinking", "thinking": "a", "signature": "s"}, STARTED]


def test_the_proof_of_a_call_stands_right_before_it() -> None:
    assert content(*call(0, '{"a":1}', signature="s")) == [
        {"type": "redacted_thinking", "data": "mk1.google.next.s"},
        STARTED | {"input": {"a": 1}},
    ]


def test_no_arguments_are_an_empty_object() -> None:
    assert content(*call(0)) == [STARTED]
    assert b'"partial_json":"{}"' in streamed(*call(0))
    assert b'"partial_json":""' not in streamed(*call(0, "", "{}"))


def test_woven_calls_come_one_after_the_other() -> None:
    woven: list[Event] = [
        *call(0, '{"a"', closed=False),
        *call(1, '{"b"', closed=False),
        ToolCallDelta(0, ":1}"),
        ToolCallDelta(1, ":2}"),
        ToolCallClosed(1),
        ToolCallClosed(0),
    ]
    assert content(*woven) == [STARTED | {"input": {"a": 1}}, STARTED | {"input": {"b": 2}}]


def test_a_call_does_not_wait_for_the_end_once_the_one_before_is_complete() -> None:
    writer = FRONT.writer(ASKED, TOLD, relayed=False)
    writer.write(call(0, '{"a"', ":1}", closed=False))
    begun = writer.write(call(1, '{"b"', closed=False))
    assert [data["type"] for _, data in streams.frames(begun)] == [
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
    ]


def test_text_may_follow_a_call() -> None:
    assert content(*call(0, '{"a":1}', closed=False), TextDelta("Hi")) == [
        STARTED | {"input": {"a": 1}},
        {"type": "text", "text": "Hi"},
    ]
    late = streamed(*call(0, '{"a"', closed=False), TextDelta("Hi"), ToolCallDelta(0, ":1}"), ToolCallClosed(0))
    assert streams.fold(late) == [STARTED | {"input": {"a": 1}}, {"type": "text", "text": "Hi"}]


def test_a_call_cut_off_in_the_middle_does_not_look_complete() -> None:
    cut = whole(*call(0, '{"path": "/etc', closed=False), finish=FinishReason.LENGTH)
    assert cut["content"] == [STARTED | {"input": {"unparsed_arguments": '{"path": "/etc'}}]
    assert cut["stop_reason"] == "max_tokens"
    stream = streamed(*call(0, '{"path": "/etc', closed=False), finish=FinishReason.LENGTH)
    assert streams.disorder(stream) == []


def test_what_nobody_opened_is_passed_over() -> None:
    assert content(ToolCallDelta(3, "{}"), ToolCallClosed(3), ServerItem("search", {}), TextDelta("")) == []


def test_sources_belong_to_the_text_that_is_open_or_comes_next() -> None:
    location = {
        "type": "web_search_result_location",
        "url": "https://a.b",
        "title": "T",
        "cited_text": "said",
        "encrypted_index": "mk1.google.",
    }
    early, late = Cited(Citation("https://a.b", "T", "said")), Cited(Citation())
    nowhere = {**location, "url": "", "title": None, "cited_text": ""}
    assert content(early, TextDelta("Hi"), late) == [{"type": "text", "text": "Hi", "citations": [location, nowhere]}]


def test_no_reader_takes_a_frame_for_several_lines() -> None:
    said = "a\u2028b\u2029c\x85d\r\ne\x0bf\u00fc"
    stream = streamed(TextDelta(said))
    assert all(len(block.splitlines()) == 2 for block in stream.decode().split("\n\n") if block)
    assert streams.fold(stream)[0]["text"] == said
    assert "f\u00fc".encode() in stream


def test_an_error_in_mid_stream_is_an_error_event() -> None:
    writer = FRONT.writer(ASKED, TOLD, relayed=False)
    writer.write([TextDelta("Hi")])
    error = {"type": "api_error", "message": "It broke."}
    assert streams.frames(writer.fail(PROBLEM)) == [
        ("error", {"type": "error", "error": error, "request_id": "req_7"}),
    ]


def test_where_no_model_answers_nothing_is_begun() -> None:
    nobody = Told(request_id="req_7", created=1, provider="", model="auto")
    assert FRONT.writer(ASKED, nobody, relayed=False).begin() == b""


def test_a_silence_is_filled_with_a_ping() -> None:
    assert FRONT.keep_alive is not None
    assert streams.frames(FRONT.keep_alive) == [("ping", {"type": "ping"})]
    assert FRONT.content_type(ASKED) == b"text/event-stream; charset=utf-8"
