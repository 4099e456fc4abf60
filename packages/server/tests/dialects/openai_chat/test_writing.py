"""What another dialect's provider answers is written as OpenAI would have: whole is the fold of its stream."""

import json
from typing import Any

import openai
import pytest
from hypothesis import given, settings

from monkey_coder_server.domain.conversation import Citation
from monkey_coder_server.domain.stream_events import (
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
from packages.server.tests.dialects.anthropic_messages.streams import answers, reason_of
from packages.server.tests.dialects.openai_chat.answering import (
    PROBLEM,
    TOLD,
    WITH_USAGE,
    WITHOUT,
    bill,
    chunks,
    client,
    read_stream,
    read_whole,
    streamed,
    whole,
)
from packages.server.tests.dialects.openai_chat.asking import FRONT, read, turn

CALL: list[Event] = [ToolCallOpened(0, "c1", "f"), ToolCallDelta(0, '{"a"'), ToolCallDelta(0, ":1}"), ToolCallClosed(0)]
SHELL = read(tools=[{"type": "custom", "custom": {"name": "shell"}}])
FUNCTIONS = read(functions=[{"name": "f"}])


def message(*events: Event, inbound: Any = WITH_USAGE) -> dict[str, Any]:
    said: dict[str, Any] = whole(events, bill(), inbound)["choices"][0]["message"]
    return said


def deltas(*events: Event, inbound: Any = WITH_USAGE) -> list[dict[str, Any]]:
    """What is added between the role and the finish."""
    written = chunks(streamed(events, bill(), inbound))
    return [chunk["choices"][0]["delta"] for chunk in written if chunk["choices"]][1:-1]


def test_a_stream_is_complete() -> None:
    first, text, last, usage = chunks(streamed([TextDelta("hi")], bill()))
    common = {"id": "chatcmpl-7", "object": "chat.completion.chunk", "created": 1_764_000_000, "model": "gemini-x"}
    choice = {"index": 0, "logprobs": None, "finish_reason": None}
    role = {"role": "assistant", "content": "", "refusal": None}
    assert first == {**common, "choices": [{**choice, "delta": role}], "usage": None}
    assert text == {**common, "choices": [{**choice, "delta": {"content": "hi"}}], "usage": None}
    assert last == {**common, "choices": [{**choice, "delta": {}, "finish_reason": "stop"}], "usage": None}
    assert usage == {**common, "choices": [], "usage": usage["usage"]}


def test_usage_is_told_to_who_asked_with_cached_tokens_inside_the_prompt() -> None:
    told = {
        "prompt_tokens": 127,
        "completion_tokens": 20,
        "total_tokens": 147,
        "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 7},
        "completion_tokens_details": {"reasoning_tokens": 4},
        "cost": 0.001234,
    }
    assert chunks(streamed([TextDelta("hi")], bill()))[-1]["usage"] == told
    assert whole([TextDelta("hi")], bill())["usage"] == told
    silent = chunks(streamed([TextDelta("hi")], bill(), WITHOUT))
    assert not any("usage" in chunk for chunk in silent)


@pytest.mark.parametrize("cost", [0, 1, 999_999_999, 1_000_000_001, 8_999_999_999_999_999_999])
def test_the_cost_is_written_in_exact_digits(cost: int) -> None:
    written = FRONT.write(WITH_USAGE, TOLD, [], bill(cost=cost))
    digits = written.rpartition(b'"cost":')[2].rstrip(b"}").decode()
    nano = f"{cost:010d}"
    whole_part, _, fraction = digits.partition(".")
    assert (whole_part, fraction.ljust(9, "0")) == (nano[:-9], nano[-9:])


def test_a_whole_answer() -> None:
    answer = whole([TextDelta("h"), TextDelta("i")], bill())
    assert (answer["id"], answer["object"], answer["created"]) == ("chatcmpl-7", "chat.completion", 1_764_000_000)
    assert (answer["model"], len(answer["choices"])) == ("gemini-x", 1)
    said = {"role": "assistant", "content": "hi", "refusal": None, "annotations": []}
    assert answer["choices"][0] == {"index": 0, "message": said, "logprobs": None, "finish_reason": "stop"}


def test_silence_and_refusals() -> None:
    assert message()["content"] == ""
    assert message(*CALL)["content"] is None
    refused = message(RefusalDelta("No"), RefusalDelta("."))
    assert (refused["content"], refused["refusal"]) == (None, "No.")
    assert message(TextDelta("Well. "), RefusalDelta("No."))["content"] == "Well. "


@pytest.mark.parametrize(
    ("reason", "events", "word"),
    [
        (FinishReason.STOP, [], "stop"),
        (FinishReason.LENGTH, CALL[:2], "length"),
        (FinishReason.TOOL_CALLS, CALL, "tool_calls"),
        (FinishReason.STOP, CALL, "tool_calls"),
        (FinishReason.STOP, [RefusalDelta("No.")], "content_filter"),
        (FinishReason.CONTENT_FILTER, [], "content_filter"),
        (FinishReason.REFUSAL, [], "content_filter"),
        (FinishReason.PAUSE, [], "length"),
        (FinishReason.MALFORMED_CALL, [TextDelta("I call")], "length"),
        (FinishReason.OTHER, [TextDelta("hm")], "stop"),
        (FinishReason.OTHER, CALL, "tool_calls"),
    ],
)
def test_only_what_ended_well_ends_with_a_plain_stop(reason: FinishReason, events: list[Event], word: str) -> None:
    assert whole(events, bill(reason))["choices"][0]["finish_reason"] == word
    assert chunks(streamed(events, bill(reason)))[-2]["choices"][0]["finish_reason"] == word


def test_calls_are_numbered_and_never_without_arguments() -> None:
    events: list[Event] = [*CALL, ToolCallOpened(1, "c2", "g"), ToolCallClosed(1)]
    assert [delta["tool_calls"] for delta in deltas(*events)] == [
        [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}],
        [{"index": 0, "function": {"arguments": '{"a"'}}],
        [{"index": 0, "function": {"arguments": ":1}"}}],
        [{"index": 1, "id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}}],
        [{"index": 1, "function": {"arguments": "{}"}}],
    ]
    assert message(*events)["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]


def test_a_free_form_call_is_text_whatever_form_it_was_told_in() -> None:
    bare: list[Event] = [ToolCallOpened(0, "c", "shell", custom=True), ToolCallDelta(0, "ls "), ToolCallDelta(0, "-l")]
    dressed: list[Event] = [
        ToolCallOpened(0, "c", "shell"),
        ToolCallDelta(0, '{"inp'),
        ToolCallDelta(0, 'ut":"ls -l"}'),
    ]
    called = [{"id": "c", "type": "custom", "custom": {"name": "shell", "input": "ls -l"}}]
    for events in (bare, dressed):
        assert message(*events, ToolCallClosed(0), inbound=SHELL)["tool_calls"] == called
        assert deltas(*events, inbound=SHELL)[0]["tool_calls"][0]["type"] == "custom"
    odd = message(ToolCallOpened(0, "c", "shell"), ToolCallDelta(0, "ls"), inbound=SHELL)
    assert odd["tool_calls"][0]["custom"]["input"] == "ls", "what stood nowhere in JSON is not lost"
    silent = message(ToolCallOpened(0, "c", "shell"), ToolCallClosed(0), inbound=SHELL)
    assert silent["tool_calls"][0]["custom"]["input"] == ""


def test_a_caller_of_functions_is_answered_in_those_words() -> None:
    events: list[Event] = [*CALL, ToolCallOpened(1, "c2", "f"), ToolCallDelta(1, "{}"), ToolCallClosed(1)]
    answer = whole(events, bill(FinishReason.TOOL_CALLS), FUNCTIONS)["choices"][0]
    assert answer["finish_reason"] == "function_call"
    assert answer["message"]["function_call"] == {"name": "f", "arguments": '{"a":1}'}
    assert (answer["message"]["content"], "tool_calls" in answer["message"]) == (None, False)
    assert [delta["function_call"] for delta in deltas(*events, inbound=FUNCTIONS)] == [
        {"name": "f", "arguments": ""},
        {"arguments": '{"a"'},
        {"arguments": ":1}"},
    ]
    empty = message(CALL[0], CALL[-1], inbound=FUNCTIONS)
    assert empty["function_call"] == {"name": "f", "arguments": "{}"}


def test_reasoning_comes_with_its_proofs_and_goes_back_where_it_came_from() -> None:
    said = message(
        ThinkingDelta("h"),
        ThinkingDelta("m"),
        ThinkingClosed(),
        ThinkingDelta("so"),
        ThinkingClosed(signature="s1"),
        ThinkingClosed(redacted="d1"),
        TextDelta("hi"),
        ToolCallOpened(0, "c", "f", signature="s2"),
        ToolCallClosed(0),
    )
    assert said["reasoning_content"] == "hmso"
    assert said["reasoning_details"] == [
        {"type": "reasoning.text", "index": 0, "text": "so", "signature": "mk1.google.s1"},
        {"type": "reasoning.encrypted", "index": 1, "data": "mk1.google.d1"},
    ]
    assert said["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "s2"}}
    back = turn(**said).parts
    assert [getattr(part, "origin", "") for part in back] == ["google", "google", "", "google"]
    assert [getattr(part, "signature", "") for part in back] == ["s1", None, "", "s2"]


def test_sources_with_an_address_are_annotations() -> None:
    events: list[Event] = [
        TextDelta("It rains."),
        Cited(Citation("https://a.b", "A")),
        Cited(Citation(quoted="page 3")),
        Cited(Citation("https://c.d")),
        ServerItem("search", {}),
    ]
    cited = [
        {
            "type": "url_citation",
            "url_citation": {"start_index": 9, "end_index": 9, "url": "https://a.b", "title": "A"},
        },
        {"type": "url_citation", "url_citation": {"start_index": 9, "end_index": 9, "url": "https://c.d", "title": ""}},
    ]
    assert message(*events)["annotations"] == cited
    numbered = [{**note, "index": number} for number, note in enumerate(cited)]
    assert [delta["annotations"][0] for delta in deltas(*events)[1:]] == numbered


def test_no_reader_takes_a_chunk_for_two() -> None:
    text = "a\u2028b\u2029c\x85d\r\ne\x0bf"
    written = streamed([TextDelta(text), ToolCallOpened(0, "c", "f"), ToolCallDelta(0, text)], bill())
    assert chunks(written)[1]["choices"][0]["delta"]["content"] == text


def test_an_error_in_mid_stream_is_the_sdks_own() -> None:
    writer = FRONT.writer(WITH_USAGE, TOLD, relayed=False)
    body = writer.begin() + writer.write([TextDelta("hi")]) + writer.fail(PROBLEM)
    answering = client(200, body, {"content-type": "text/event-stream"})
    with pytest.raises(openai.APIError, match="It broke") as raised:
        list(answering.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True))
    assert raised.value.code == "provider_error"


def _plain(answer: Any) -> Any:
    """An answer without what the SDK adds, what only a stream needs, and what is empty."""
    if isinstance(answer, list):
        return [_plain(each) for each in answer]
    if not isinstance(answer, dict):
        return answer
    left_out = {"index", "object", "parsed", "parsed_arguments", "created"}
    return {
        name: _plain(value) for name, value in answer.items() if name not in left_out and value not in (None, "", [])
    }


@settings(deadline=None, max_examples=60)
@given(answers())
def test_whole_is_what_the_official_sdk_makes_of_the_stream(events: list[Event]) -> None:
    last = bill(reason_of(events))
    written = FRONT.write(WITH_USAGE, TOLD, events, last)
    said, folded = read_whole(written), read_stream(streamed(events, last))
    assert _plain(said) == _plain(folded)


@given(answers())
def test_events_in_one_batch_or_one_by_one_write_the_same(events: list[Event]) -> None:
    writer = FRONT.writer(WITH_USAGE, TOLD, relayed=False)
    at_once = writer.begin() + writer.write(events) + writer.end(bill(reason_of(events)))
    assert at_once == streamed(events, bill(reason_of(events)))
    assert json.loads(at_once.split(b"\n\n")[0].removeprefix(b"data: "))["choices"]
