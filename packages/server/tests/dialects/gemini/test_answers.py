"""What a Gemini answer means, whole and streamed; the recordings suite holds the true ones."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.conversation import Citation
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
from monkey_coder_server.providers.google import PROVIDER
from packages.server.tests.dialects.hostile import bent, ends_once, fold, read

DIALECT = PROVIDER.dialect
CODE = {"executableCode": {"language": "PYTHON", "code": "1"}}
WEB = {"web": {"uri": "https://a.b", "title": "A"}}
GROUNDING = {"groundingChunks": [WEB, WEB], "webSearchQueries": ["x", "y"]}


def record(*parts: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **more}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "responseId": "r-1", "modelVersion": "gemini-x"}


USAGE = {
    "promptTokenCount": 10,
    "candidatesTokenCount": 5,
    "thoughtsTokenCount": 7,
    "toolUsePromptTokenCount": 3,
    "cachedContentTokenCount": 4,
    "totalTokenCount": 25,
}
FULL = [
    record({"text": "Hm", "thought": True}),
    record({"text": "Grüß"}, CODE),
    record({"text": "", "thoughtSignature": "c2ln"}),
    record(
        {"functionCall": {"name": "now"}, "thoughtSignature": "c2ln2"},
        {"functionCall": {"id": "f", "name": "at", "args": {"a": 1}}},
    ),
    record(finish="STOP", groundingMetadata=GROUNDING) | {"usageMetadata": USAGE},
]


def sse(*records: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(each).encode() + b"\r\n\r\n" for each in records)


EVENTS = [
    Opened("r-1", "gemini-x"),
    ThinkingDelta("Hm"),
    ThinkingClosed(),
    TextDelta("Grüß"),
    ServerItem("executable_code", CODE),
    ThinkingClosed(signature="c2ln"),
    ToolCallOpened(0, "call_r-1_0", "now", signature="c2ln2"),
    ToolCallDelta(0, "{}"),
    ToolCallClosed(0),
    ToolCallOpened(1, "f", "at"),
    ToolCallDelta(1, '{"a":1}'),
    ToolCallClosed(1),
    Cited(Citation("https://a.b", "A", None, WEB)),
    ServerItem("grounding_metadata", GROUNDING),
    UsageReported(ReportedUsage(10, 5, 25, 4, reasoning_tokens=7, tool_input_tokens=3, units={"webSearchQueries": 2})),
    Finished(FinishReason.TOOL_CALLS, "STOP"),
]


def test_a_full_stream() -> None:
    assert read(DIALECT, [sse(*FULL)]) == EVENTS


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("size", [1, 2, 7, 100_000])
def test_a_stream_sent_as_a_json_array_means_the_same(indent: int | None, size: int) -> None:
    body = json.dumps(FULL, indent=indent).encode()
    assert read(DIALECT, [body[at : at + size] for at in range(0, len(body), size)]) == EVENTS


def test_an_array_as_a_whole_answer_means_the_same() -> None:
    assert DIALECT.decode(json.dumps(FULL).encode()) == EVENTS


def test_braces_and_quotes_in_strings_do_not_split_an_array() -> None:
    text = '}{"\\"}]{'
    body = json.dumps([record({"text": text}), record(finish="STOP")]).encode()
    for size in (1, 3, 5):
        answer = fold(read(DIALECT, [body[at : at + size] for at in range(0, len(body), size)]))
        assert "".join(answer.text) == text
        assert answer.finish is FinishReason.STOP


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("STOP", FinishReason.STOP),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("SAFETY", FinishReason.CONTENT_FILTER),
        ("RECITATION", FinishReason.CONTENT_FILTER),
        ("MALFORMED_FUNCTION_CALL", FinishReason.MALFORMED_CALL),
        ("UNEXPECTED_TOOL_CALL", FinishReason.MALFORMED_CALL),
        ("LANGUAGE", FinishReason.CONTENT_FILTER),
        ("CONTINUATION", FinishReason.LENGTH),
        ("MALFORMED_RESPONSE", FinishReason.MALFORMED_CALL),
        ("OTHER", FinishReason.OTHER),
    ],
)
def test_a_finish_reason(native: str, reason: FinishReason) -> None:
    assert read(DIALECT, [sse(record(finish=native))])[-1] == Finished(reason, native)


def test_a_call_cut_by_the_length_limit_is_not_a_tool_stop() -> None:
    events = read(DIALECT, [sse(record({"functionCall": {"name": "now", "args": {}}}, finish="MAX_TOKENS"))])
    assert events[-1] == Finished(FinishReason.LENGTH, "MAX_TOKENS")


def test_a_blocked_prompt_is_a_content_filter() -> None:
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 4}}
    for events in (read(DIALECT, [sse(blocked)]), DIALECT.decode(json.dumps(blocked).encode())):
        assert events[-1] == Finished(FinishReason.CONTENT_FILTER, "PROHIBITED_CONTENT")
        assert UsageReported(ReportedUsage(4)) in events


def test_citations_of_recited_text_are_kept() -> None:
    source = {"startIndex": 1, "endIndex": 9, "uri": "https://a.b", "license": "MIT"}
    events = read(DIALECT, [sse(record({"text": "x"}, finish="STOP", citationMetadata={"citationSources": [source]}))])
    assert Cited(Citation("https://a.b", None, None, source)) in events


def test_a_stream_without_a_finish_reason_is_cut_short() -> None:
    last = read(DIALECT, [sse(*FULL[:-1])])[-1]
    assert isinstance(last, Failed)
    assert last.failure.kind is FailureKind.CUT_SHORT


def test_a_whole_body_without_a_finish_reason_is_an_answer_all_the_same() -> None:
    said = fold(DIALECT.decode(json.dumps(record({"text": "x"})).encode()))
    assert (said.text, said.finish, said.native_finish, said.failure) == (["x"], FinishReason.OTHER, None, None)
    called = fold(DIALECT.decode(json.dumps(record({"functionCall": {"name": "now"}})).encode()))
    assert called.finish is FinishReason.TOOL_CALLS


def test_a_call_marked_as_thought_is_a_call() -> None:
    part = {"thought": True, "functionCall": {"name": "now", "args": {"a": 1}}, "thoughtSignature": "c2ln"}
    answer = fold(DIALECT.decode(json.dumps(record(part, finish="STOP")).encode()))
    assert [(call.name, call.arguments, call.signature) for call in answer.calls] == [("now", '{"a":1}', "c2ln")]


def test_a_call_named_before_the_answer_is_given_an_id_that_is_its_own() -> None:
    calls = record({"functionCall": {"name": "a"}}, {"functionCall": {"name": "a"}}, finish="STOP") | {
        "responseId": "x/y=="
    }
    answer = fold(DIALECT.decode(json.dumps(calls).encode()))
    assert [call.id for call in answer.calls] == ["call_x_y___0", "call_x_y___1"]


def test_usage_after_the_finish_reason_still_counts() -> None:
    late = {"usageMetadata": {"promptTokenCount": 9}}
    answer = fold(read(DIALECT, [sse(record({"text": "x"}, finish="STOP"), late)]))
    assert answer.usage == ReportedUsage(9)
    assert answer.finish is FinishReason.STOP


@pytest.mark.parametrize("wrapped", [False, True], ids=["object", "list"])
def test_an_error_in_mid_stream_ends_it(wrapped: bool) -> None:
    error: Any = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
    last = read(DIALECT, [sse(record({"text": "x"}), [error] if wrapped else error, record(finish="STOP"))])[-1]
    assert isinstance(last, Failed)
    assert last.failure.kind is FailureKind.OVERLOADED
    assert (last.failure.type, last.failure.code, last.failure.status) == ("UNAVAILABLE", "503", 200)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"candidates', b"[1]", b'{"candidates":[]}', b"[" * 100_000])
def test_a_body_that_is_no_answer_is_malformed(body: bytes) -> None:
    last = DIALECT.decode(body)[-1]
    assert isinstance(last, Failed)
    assert last.failure.kind is FailureKind.MALFORMED


def test_garbage_in_a_stream_is_malformed() -> None:
    last = read(DIALECT, [sse(FULL[0]), b"data: {nonsense\r\n\r\n"])[-1]
    assert isinstance(last, Failed)
    assert last.failure.kind is FailureKind.MALFORMED


@pytest.mark.parametrize("start", [b"data: ", b'[{"a":"'], ids=["event", "array"])
def test_a_record_beyond_all_bounds_ends_the_stream(start: bytes) -> None:
    decoder = DIALECT.decoder()
    events = [event for piece in (start, b"x" * (17 << 20), sse(*FULL)) for event in decoder.feed(piece)]
    assert [event.failure.kind for event in events if isinstance(event, Failed)] == [FailureKind.MALFORMED]
    assert decoder.finish() == []


def test_an_escape_cut_in_two_does_not_end_its_string() -> None:
    body = json.dumps([record({"text": 'a\\"}'}, finish="STOP")]).encode()
    pieces = [body[at : at + 1] for at in range(len(body))]
    assert fold(read(DIALECT, pieces)).text == ['a\\"}']


@given(records=st.tuples(*(bent(each) for each in FULL)), array=st.booleans())
def test_nothing_a_stream_holds_can_raise(records: tuple[Any, ...], array: bool) -> None:
    events = read(DIALECT, [json.dumps(records).encode() if array else sse(*records)])
    assert ends_once(events)
    fold(events)


@given(noise=st.lists(st.binary(max_size=60), max_size=6))
def test_no_bytes_can_raise(noise: list[bytes]) -> None:
    assert ends_once(read(DIALECT, noise))
    assert ends_once(DIALECT.decode(b"".join(noise)))
    assert DIALECT.decode_error(500, {}, b"".join(noise)).message
