"""Streams and whole answers become the same events, whatever a provider leaves out or repeats."""

from typing import Any

import pytest

from monkey_coder_server.domain.conversation import Citation, Thinking
from monkey_coder_server.domain.stream_events import (
    Cited,
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
from packages.server.tests.dialects import hostile
from packages.server.tests.dialects.hostile import fold
from packages.server.tests.dialects.openai_responses.provider_streams import (
    DIALECT,
    NOTE,
    PATCH,
    THOUGHT,
    USAGE,
    added,
    call,
    completed,
    done,
    event,
    grown,
    message,
    response,
    streamed,
    whole,
)


def test_a_stream_is_opened_told_counted_and_finished_in_that_order() -> None:
    events = streamed(
        event("response.in_progress", response=response(status="in_progress")),
        added(0, type="message", content=[]),
        event("response.content_part.added", output_index=0, part={"type": "output_text"}),
        grown("output_text", 0, "Hel"),
        grown("output_text", 0, "lo"),
        event("response.output_text.done", output_index=0, text="Hello"),
        done(0, **message("Hello")),
        completed(message("Hello"), usage=USAGE),
    )
    assert [type(each) for each in events] == [Opened, TextDelta, TextDelta, UsageReported, Finished]
    assert events[0] == Opened("resp_1", "m")
    assert events[-1] == Finished(FinishReason.STOP, "completed")


def test_a_whole_answer_says_the_same_as_its_stream() -> None:
    searched = {"type": "web_search_call", "action": {"type": "search"}}
    output = [THOUGHT, searched, message("Hi", annotations=[NOTE]), call(), PATCH]
    told = streamed(
        added(0, type="reasoning", summary=[]),
        event("response.reasoning_summary_part.added", output_index=0, summary_index=0),
        grown("reasoning_summary_text", 0, "first"),
        event("response.reasoning_summary_part.added", output_index=0, summary_index=1),
        grown("reasoning_summary_text", 0, "second"),
        done(0, **THOUGHT),
        added(1, type="web_search_call"),
        done(1, **searched),
        added(2, type="message"),
        grown("output_text", 2, "Hi"),
        event("response.output_text.annotation.added", output_index=2, annotation=NOTE),
        done(2, **message("Hi", annotations=[NOTE])),
        added(3, type="function_call", call_id="c1", name="f", arguments=""),
        grown("function_call_arguments", 3, "{"),
        grown("function_call_arguments", 3, "}"),
        done(3, **call()),
        added(4, type="custom_tool_call", call_id="c2", name="p", input=""),
        grown("custom_tool_call_input", 4, "*** x"),
        done(4, **PATCH),
        completed(*output, usage=USAGE),
    )
    at_once = whole(*output, usage=USAGE)
    assert at_once == [
        Opened("resp_1", "m"),
        ThinkingDelta("first\nsecond"),
        ThinkingClosed("gAAA"),
        ServerItem("web_search_call", searched),
        TextDelta("Hi"),
        Cited(Citation("https://a", "A", raw=NOTE)),
        ToolCallOpened(0, "c1", "f"),
        ToolCallDelta(0, "{}"),
        ToolCallClosed(0),
        ToolCallOpened(1, "c2", "p", custom=True),
        ToolCallDelta(1, "*** x"),
        ToolCallClosed(1),
        told[-2],
        Finished(FinishReason.TOOL_CALLS, "completed"),
    ]
    ours, theirs = fold(told), fold(at_once)
    assert ("".join(ours.text), ours.thinking, ours.calls, ours.usage) == (
        "".join(theirs.text),
        theirs.thinking,
        theirs.calls,
        theirs.usage,
    )
    assert (ours.citations, ours.server_items) == (theirs.citations, theirs.server_items)


def test_usage_is_told_as_it_stands_with_the_searches_beside() -> None:
    searches = [
        {"type": "web_search_call", "action": {"type": "search"}},
        {"type": "web_search_call"},
        {"type": "web_search_call", "action": {"type": "open_page"}},
        {"type": "file_search_call"},
    ]
    usage = fold(whole(message("x"), *searches, usage=USAGE)).usage
    assert usage is not None
    assert (usage.input_tokens, usage.cached_input_tokens, usage.cache_write_tokens) == (10, 4, 2)
    assert (usage.output_tokens, usage.reasoning_tokens, usage.total_tokens) == (7, 3, 17)
    assert (usage.cost_nano, dict(usage.units)) == (3, {"web_search_calls": 2})
    counted = fold(whole(message("x"), *searches, usage=USAGE, tool_usage={"web_search": {"num_requests": 3}})).usage
    assert counted is not None
    assert dict(counted.units) == {"web_search_calls": 3}
    assert fold(whole(message("x"), usage=None)).usage is None


@pytest.mark.parametrize(
    ("fields", "reason", "native"),
    [
        ({}, FinishReason.STOP, "completed"),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            FinishReason.LENGTH,
            "incomplete:max_output_tokens",
        ),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            FinishReason.CONTENT_FILTER,
            "incomplete:content_filter",
        ),
        ({"status": "incomplete", "incomplete_details": None}, FinishReason.LENGTH, "incomplete"),
        ({"status": "cancelled"}, FinishReason.OTHER, "cancelled"),
        ({"status": None}, FinishReason.STOP, "completed"),
    ],
)
def test_the_status_says_why_the_model_stopped(fields: Any, reason: FinishReason, native: str) -> None:
    assert streamed(completed(message("x"), **fields))[-1] == Finished(reason, native)
    assert streamed(event("response.incomplete", response=response(**fields)))[-1] == Finished(reason, native)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"type": "message", "content": [{"type": "refusal", "refusal": "I will not."}]}, FinishReason.REFUSAL),
        ({"type": "mcp_approval_request", "id": "a"}, FinishReason.PAUSE),
        ({"type": "local_shell_call", "action": {}}, FinishReason.PAUSE),
        ({"type": "tool_search_call", "execution": "client"}, FinishReason.PAUSE),
        ({"type": "tool_search_call", "execution": "server"}, FinishReason.STOP),
        (call(), FinishReason.TOOL_CALLS),
    ],
)
def test_an_answer_that_is_none_says_so(item: Any, reason: FinishReason) -> None:
    assert whole(item)[-1] == Finished(reason, "completed")


def test_a_refusal_in_a_stream_is_one() -> None:
    events = streamed(
        added(0, type="message"), grown("refusal", 0, "I will"), grown("refusal", 0, " not."), completed()
    )
    assert events[1:-1] == [RefusalDelta("I will"), RefusalDelta(" not.")]
    assert events[-1] == Finished(FinishReason.REFUSAL, "completed")


def test_reasoning_without_a_word_still_has_its_proof() -> None:
    silent = {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
    assert fold(whole(silent, message("x"))).thinking == [Thinking("", "gAAA")]
    assert fold(streamed(added(0, type="reasoning"), done(0, **silent), completed())).thinking == [Thinking("", "gAAA")]
    assert fold(whole({"type": "reasoning", "summary": []}, message("x"))).thinking == []


def test_raw_reasoning_text_is_reasoning() -> None:
    raw = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}
    assert fold(whole(raw)).thinking == [Thinking("hm")]
    told = streamed(added(0, type="reasoning"), grown("reasoning_text", 0, "hm"), done(0, **raw), completed())
    assert fold(told).thinking == [Thinking("hm")]


def test_what_was_not_told_in_pieces_is_told_at_the_end_of_its_item() -> None:
    events = streamed(
        added(0, type="reasoning"),
        done(0, **THOUGHT),
        added(1, type="message"),
        done(1, **message("Hi", annotations=[NOTE])),
        added(2, type="function_call", call_id="c1", name="f"),
        done(2, **call()),
        completed(),
    )
    answer = fold(events)
    assert (answer.thinking, answer.text) == ([Thinking("first\nsecond", "gAAA")], ["Hi"])
    assert [(each.id, each.arguments) for each in answer.calls] == [("c1", "{}")]
    assert len(answer.citations) == 1


def test_what_only_the_last_event_holds_is_told_with_it() -> None:
    answer = fold(streamed(completed(THOUGHT, message("Hi"), call(), PATCH)))
    assert (answer.text, [each.name for each in answer.calls], len(answer.thinking)) == (["Hi"], ["f", "p"], 1)
    begun = fold(streamed(added(0, type="reasoning"), grown("reasoning_summary_text", 0, "hm"), completed(THOUGHT)))
    assert begun.thinking == [Thinking("hm", "gAAA")]


def test_a_call_without_an_id_gets_one_of_its_own() -> None:
    nameless = {"type": "function_call", "arguments": "{}"}
    (first, second) = fold(whole(nameless, nameless)).calls
    assert (first.id, second.id, first.name) == ("call_resp_1_0", "call_resp_1_1", "")


def test_pieces_for_items_nobody_announced_are_harmless() -> None:
    events = streamed(
        grown("function_call_arguments", 7, "{"),
        event("response.reasoning_summary_part.added", output_index=7),
        grown("output_text", 7, "x"),
        grown("output_text", 7, ""),
        completed(),
    )
    assert events[1:-1] == [TextDelta("x")]


def test_a_call_begun_and_never_ended_is_closed_only_by_a_good_end() -> None:
    begun = (added(0, type="function_call", call_id="c", name="f"), grown("function_call_arguments", 0, "{}"))
    assert ToolCallClosed(0) in streamed(*begun, completed())
    assert ToolCallClosed(0) not in streamed(*begun)


def test_a_stream_nobody_opened_is_opened_by_its_first_word() -> None:
    events = hostile.read(DIALECT, [grown("output_text", 0, "x"), completed()])
    assert events[:2] == [Opened(None, None), TextDelta("x")]
    assert isinstance(hostile.read(DIALECT, [completed(message("x"))])[0], Opened)
