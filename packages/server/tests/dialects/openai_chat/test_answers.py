"""Streams and whole answers become the same events, whatever a provider leaves out, repeats or gets wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.openai_chat import OpenAIChat, Quirks
from monkey_coder_server.domain.conversation import Citation
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.stream_events import (
    Answer,
    Cited,
    Event,
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

DIALECT = OpenAIChat(Quirks("moonshot"))
DONE = b"data: [DONE]\n\n"


def frame(*deltas: Any, finish: str | None = None, **fields: Any) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish} for delta in deltas]
    return b"data: " + json.dumps({"id": "r1", "model": "m", "choices": choices, **fields}).encode() + b"\n\n"


def streamed(*pieces: bytes) -> list[Event]:
    decoder = DIALECT.decoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return [*events, *decoder.finish()]


def whole(message: Any, finish: str | None = "stop", **fields: Any) -> list[Event]:
    body = {"id": "r1", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": finish}], **fields}
    return list(DIALECT.decode(json.dumps(body).encode()))


def fold(events: list[Event]) -> Answer:
    answer = Answer()
    for event in events:
        answer.apply(event)
    return answer


def test_a_stream_is_opened_told_counted_and_finished_in_that_order() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    events = streamed(
        frame({"role": "assistant", "content": ""}),
        frame({"content": "Hel"}),
        frame({"content": "lo"}),
        frame({}, finish="stop"),
        frame(usage=usage),
        DONE,
    )
    assert [type(event) for event in events] == [Opened, TextDelta, TextDelta, UsageReported, Finished]
    assert events[0] == Opened("r1", "m")
    assert events[-1] == Finished(FinishReason.STOP, "stop")


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("tool_calls", FinishReason.TOOL_CALLS),
        ("function_call", FinishReason.TOOL_CALLS),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("something_new", FinishReason.OTHER),
        (None, FinishReason.OTHER),
    ],
)
def test_the_native_word_is_kept_beside_the_reason(native: str | None, reason: FinishReason) -> None:
    assert whole({"content": "x"}, native)[-1] == Finished(reason, native)


def test_a_stop_with_calls_or_a_refusal_says_so() -> None:
    call = {"id": "c", "function": {"name": "f", "arguments": "{}"}}
    assert fold(whole({"tool_calls": [call]})).finish is FinishReason.TOOL_CALLS
    refused = fold(whole({"refusal": "I will not."}))
    assert (refused.finish, refused.refusal) == (FinishReason.REFUSAL, ["I will not."])


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_under_either_name_is_closed_before_the_text(field: str) -> None:
    events = streamed(frame({field: "hm"}), frame({field: "m"}), frame({"content": "yes"}), frame({}, finish="stop"))
    assert events[1:-1] == [ThinkingDelta("hm"), ThinkingDelta("m"), ThinkingClosed(), TextDelta("yes")]
    assert whole({field: "hmm", "content": "yes"})[1:-1] == [ThinkingDelta("hmm"), ThinkingClosed(), TextDelta("yes")]


def test_a_call_comes_in_fragments_and_is_closed_at_the_end() -> None:
    events = streamed(
        frame({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": ""}}]}),
        frame({"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]}),
        frame({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}),
        frame({}, finish="tool_calls"),
        DONE,
    )
    assert events[1:-1] == [
        ToolCallOpened(0, "c1", "f"),
        ToolCallDelta(0, '{"a"'),
        ToolCallDelta(0, ":1}"),
        ToolCallClosed(0),
    ]


def test_a_name_said_again_does_not_begin_another_call() -> None:
    piece = {"index": 0, "id": "0", "function": {"name": "f", "arguments": ""}}
    again = {"index": 0, "id": "0", "function": {"name": "f", "arguments": "{}"}}
    answer = fold(streamed(frame({"tool_calls": [piece]}), frame({"tool_calls": [again]}), DONE))
    assert [(call.name, call.arguments) for call in answer.calls] == [("f", "{}")]


def test_calls_that_all_claim_index_0_are_told_apart_by_their_ids() -> None:
    first = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
    second = {"index": 0, "id": "b", "function": {"name": "g", "arguments": "{}"}}
    answer = fold(streamed(frame({"tool_calls": [first]}), frame({"tool_calls": [second]}), DONE))
    assert [(call.id, call.name) for call in answer.calls] == [("a", "f"), ("b", "g")]


def test_pieces_without_index_and_id_continue_the_latest_call() -> None:
    answer = fold(
        streamed(
            frame({"tool_calls": [{"function": {"name": "f", "arguments": '{"a":'}}]}),
            frame({"tool_calls": [{"function": {"arguments": "1}"}}]}),
            DONE,
        )
    )
    assert [(call.id, call.name, call.arguments) for call in answer.calls] == [("call_r1_0", "f", '{"a":1}')]


def test_arguments_that_come_before_the_name_are_held_for_it() -> None:
    events = streamed(
        frame({"tool_calls": [{"index": 0, "id": "c", "function": {"arguments": "{"}}]}),
        frame({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "}"}}]}),
        DONE,
    )
    assert events[1:4] == [ToolCallOpened(0, "c", "f"), ToolCallDelta(0, "{"), ToolCallDelta(0, "}")]


def test_a_call_that_never_gets_a_name_is_still_reported() -> None:
    answer = fold(streamed(frame({"tool_calls": [{"index": 0, "id": "c", "function": {"arguments": "{}"}}]}), DONE))
    assert [(call.name, call.arguments) for call in answer.calls] == [("", "{}")]


def test_a_named_call_overtakes_one_whose_name_is_still_to_come() -> None:
    nameless = {"index": 0, "id": "a", "function": {"arguments": "{}"}}
    named = {"index": 1, "id": "b", "function": {"name": "now", "arguments": "[]"}}
    answer = fold(streamed(frame({"tool_calls": [nameless]}), frame({"tool_calls": [named]}), frame({}, finish="stop")))
    assert [(call.id, call.name, call.arguments) for call in answer.calls] == [("b", "now", "[]"), ("a", "", "{}")]
    assert fold(whole({"tool_calls": [nameless, named]})).calls == answer.calls


def test_a_report_of_usage_before_all_else_does_not_come_before_the_opening() -> None:
    early = b'data: {"id":"","model":"m","choices":[],"usage":{"prompt_tokens":3}}\n\n'
    events = streamed(early, frame({"content": "a"}, finish="stop"), DONE)
    assert [type(event) for event in events] == [Opened, UsageReported, TextDelta, Finished]


def test_words_after_the_finish_reason_still_count() -> None:
    answer = fold(streamed(frame({"content": "a"}), frame({}, finish="stop"), frame({"content": "b"}), DONE))
    assert "".join(answer.text) == "ab"
    assert answer.finish is FinishReason.STOP


@pytest.mark.parametrize("error", [{}, "", None, False])
def test_an_empty_error_is_none(error: Any) -> None:
    answer = fold(streamed(frame({"content": "a"}, finish="stop", error=error), b"data: [DONE] \n\n"))
    assert (answer.finish, answer.failure) == (FinishReason.STOP, None)
    assert fold(whole({"content": "a"}, error=error)).failure is None


def test_groqs_reason_for_stopping_early_is_a_failure() -> None:
    corner = {"id": "req_1", "error": "out of capacity"}
    answer = fold(streamed(frame({"content": "a"}), frame({}, x_groq=corner), DONE))
    assert answer.failure is not None
    assert (answer.failure.kind, answer.failure.message) == (FailureKind.CUT_SHORT, "out of capacity")
    assert fold(whole({"content": "a"}, x_groq=corner)).failure == answer.failure


def test_custom_calls_and_arguments_sent_as_an_object_are_understood() -> None:
    calls = [
        {"id": "c1", "type": "custom", "custom": {"name": "shell", "input": "ls -l"}},
        {"id": "c2", "function": {"name": "f", "arguments": {"a": 1}}},
        {"id": 7, "function": {"name": "g", "arguments": None}},
    ]
    answer = fold(whole({"tool_calls": calls}))
    assert [(call.id, call.arguments, call.custom) for call in answer.calls] == [
        ("c1", "ls -l", True),
        ("c2", '{"a":1}', False),
        ("7", "", False),
    ]


def test_only_the_first_alternative_is_relayed() -> None:
    body = {"choices": [{"index": 1, "message": {"content": "no"}}, {"index": 0, "message": {"content": "yes"}}]}
    assert "".join(fold(list(DIALECT.decode(json.dumps(body).encode()))).text) == "yes"
    second = json.dumps({"choices": [{"index": 1, "delta": {"content": "no"}}]}).encode()
    assert fold(streamed(frame({"content": "yes"}), b"data: " + second + b"\n\n", DONE)).text == ["yes"]


def test_moonshots_usage_inside_the_choice_and_groqs_corner_are_found() -> None:
    usage = {"prompt_tokens": 4, "completion_tokens": 1, "total_tokens": 5, "cached_tokens": 3}
    inside = {"id": "r", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": usage}]}
    reported = fold(streamed(b"data: " + json.dumps(inside).encode() + b"\n\n", DONE)).usage
    assert reported is not None
    assert (reported.input_tokens, reported.cached_input_tokens) == (4, 3)
    corner = fold(streamed(frame({}, finish="stop", x_groq={"usage": usage}), DONE)).usage
    assert corner == reported


def test_sources_repeated_in_every_frame_are_cited_once() -> None:
    first = [{"url": "https://a", "title": "A", "snippet": "x"}]
    both = [*first, {"url": "https://b"}]
    events = streamed(
        frame({"content": "x"}, search_results=first), frame({"content": "y"}, finish="stop", search_results=both)
    )
    cited = [event.citation for event in events if isinstance(event, Cited)]
    assert [(citation.url, citation.title, citation.quoted) for citation in cited] == [
        ("https://a", "A", "x"),
        ("https://b", None, None),
    ]


def test_bare_citations_and_annotations_are_cited() -> None:
    assert Cited(Citation(url="https://a", raw="https://a")) in whole({"content": "x"}, citations=["https://a"])
    note = {"type": "url_citation", "url_citation": {"url": "https://b", "title": "B"}}
    assert Cited(Citation("https://b", "B", raw=note)) in whole({"content": "x", "annotations": [note]})


def test_a_tool_the_provider_ran_is_told_once_with_its_output() -> None:
    begun = {"index": 0, "type": "search", "arguments": "{}"}
    ended = {**begun, "output": "found"}
    events = streamed(frame({"executed_tools": [begun]}), frame({"executed_tools": [ended]}, finish="stop"))
    assert [event for event in events if isinstance(event, ServerItem)] == [ServerItem("search", ended)]


@pytest.mark.parametrize(
    ("frames", "kind"),
    [
        ((), FailureKind.CUT_SHORT),
        ((frame({"content": "x"}),), FailureKind.CUT_SHORT),
        ((frame({"content": "x"}), b'data: {"choices": [{"del'), FailureKind.CUT_SHORT),
        ((b"data: {nonsense\n\n",), FailureKind.MALFORMED),
        ((b"data: " + b"[" * 100_000 + b"\n\n",), FailureKind.MALFORMED),
        ((b"data: " + b"x" * 17_000_000,), FailureKind.MALFORMED),
        ((b'event: error\ndata: {"error": {"message": "m", "code": "tool_use_failed"}}\n\n',), FailureKind.MALFORMED),
        ((b'data: {"error": {"message": "m", "type": "server_error"}}\n\n',), FailureKind.SERVER_ERROR),
        ((b'data: {"error": {"message": "m", "code": 429}}\n\n',), FailureKind.RATE_LIMIT),
        ((b'data: {"error": "overloaded", "code": "x"}\n\n',), FailureKind.SERVER_ERROR),
        ((b'data: {"error": true}\n\n',), FailureKind.SERVER_ERROR),
    ],
)
def test_a_stream_that_breaks_off_says_how(frames: tuple[bytes, ...], kind: FailureKind) -> None:
    last = streamed(
        *frames, frame({"content": "too late"}, finish="stop") if kind is not FailureKind.CUT_SHORT else b""
    )[-1]
    assert isinstance(last, Failed)
    assert (last.failure.kind, last.failure.provider) == (kind, "moonshot")


def test_nothing_is_said_after_the_end() -> None:
    events = streamed(frame({"content": "x"}, finish="stop"), DONE, frame({"content": "y"}), DONE)
    assert isinstance(events[-1], Finished)
    assert fold(events).text == ["x"]


def test_a_stream_without_done_is_finished_by_its_reason() -> None:
    assert streamed(frame({"content": "x"}, finish="length"))[-1] == Finished(FinishReason.LENGTH, "length")


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"3", b"{}", b'{"choices": []}', b"<html>busy</html>", b"\xff\xfe", b"[" * 100_000],
)
def test_what_is_no_answer_is_malformed(body: bytes) -> None:
    (last,) = DIALECT.decode(body)
    assert isinstance(last, Failed)
    assert last.failure.kind is FailureKind.MALFORMED


def test_an_error_with_status_200_is_a_failure() -> None:
    (last,) = DIALECT.decode(b'{"error": {"message": "quota", "type": "insufficient_quota"}}')
    assert isinstance(last, Failed)
    assert (last.failure.kind, last.failure.message) == (FailureKind.QUOTA, "quota")


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "ab"),
        ({"content": 5, "tool_calls": "no", "refusal": []}, ""),
        ({"content": "a", "tool_calls": [None, 3, {"index": "x"}], "annotations": 4}, "a"),
        ({"content": "a", "reasoning": {"x": 1}, "executed_tools": {"y": 2}}, "a"),
    ],
)
def test_fields_of_the_wrong_type_cost_only_themselves(delta: Any, text: str) -> None:
    assert "".join(fold(streamed(frame(delta), frame({}, finish="stop"))).text) == text
    assert "".join(fold(whole(delta)).text) == text


NAMES = [
    *("choices", "delta", "message", "content", "tool_calls", "function", "name", "arguments", "usage", "index"),
    *("error", "finish_reason", "id", "model", "x_groq", "citations", "search_results", "annotations", "cost"),
]

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(_json, max_size=4))
def test_no_json_whatsoever_makes_the_decoder_raise(values: list[Any]) -> None:
    bodies = [json.dumps(value).encode() for value in values]
    events = streamed(*(b"data: " + body + b"\n\n" for body in bodies))
    assert isinstance(events[-1], Finished | Failed)
    assert sum(isinstance(event, Finished | Failed) for event in events) == 1
    fold(events)
    for body in bodies:
        read = list(DIALECT.decode(body))
        assert isinstance(read[-1], Finished | Failed)
        fold(read)


@given(st.binary(max_size=200))
def test_no_bytes_whatsoever_make_the_decoder_raise(body: bytes) -> None:
    assert isinstance(streamed(body)[-1], Finished | Failed)
    assert isinstance(list(DIALECT.decode(body))[-1], Finished | Failed)
