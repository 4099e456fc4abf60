"""An answer is the fold of its events, however finely they were cut."""

from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.conversation import Citation, Refusal, Text, Thinking, ToolCall
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.domain.stream_events import (
    Answer,
    Cited,
    Computed,
    Event,
    Failed,
    Finished,
    FinishReason,
    Frame,
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
from monkey_coder_server.domain.usage import ReportedUsage

STOPPED = Finished(FinishReason.STOP, "stop")


def fold(*events: Event) -> Answer:
    answer = Answer()
    for event in events:
        answer.apply(event)
    return answer


def call(index: int, identifier: str, arguments: str, *, closed: bool = True) -> list[Event]:
    events: list[Event] = [ToolCallOpened(index, identifier, f"tool_{index}")]
    events += [ToolCallDelta(index, letter) for letter in arguments]
    return [*events, ToolCallClosed(index)] if closed else events


def test_a_whole_answer_is_kept_part_by_part() -> None:
    citation = Citation(url="https://example.com")
    answer = fold(
        Opened("resp_1", "gpt-5-2025"),
        ThinkingDelta("let me "),
        ThinkingDelta("see"),
        ThinkingClosed("sig"),
        TextDelta("Hello, "),
        TextDelta("world"),
        Cited(citation),
        *call(0, "call_a", '{"a":1}'),
        ServerItem("web_search", {"id": 1}),
        UsageReported(ReportedUsage(input_tokens=1)),
        UsageReported(ReportedUsage(input_tokens=2)),
        Finished(FinishReason.TOOL_CALLS, "tool_use"),
    )
    assert (answer.response_id, answer.model) == ("resp_1", "gpt-5-2025")
    assert answer.parts() == (
        Thinking("let me see", "sig"),
        Text("Hello, world", citations=(citation,)),
        ToolCall("call_a", "tool_0", '{"a":1}'),
    )
    assert answer.usage == ReportedUsage(input_tokens=2)
    assert answer.server_items == [ServerItem("web_search", {"id": 1})]
    assert (answer.finish, answer.native_finish, answer.failure) == (FinishReason.TOOL_CALLS, "tool_use", None)


def test_a_refusal_is_no_text() -> None:
    answer = fold(RefusalDelta("I will "), RefusalDelta("not."), Finished(FinishReason.REFUSAL, "refusal"))
    assert answer.parts() == (Refusal("I will not."),)


def test_several_thoughts_keep_their_own_signatures() -> None:
    answer = fold(
        ThinkingDelta("a"),
        ThinkingClosed("s1"),
        ThinkingClosed(redacted="xyz"),
        ThinkingDelta("b"),
        ThinkingClosed("s2"),
    )
    assert answer.thinking == [Thinking("a", "s1"), Thinking("", None, "xyz"), Thinking("b", "s2")]


def test_parallel_calls_may_interleave() -> None:
    answer = fold(
        ToolCallOpened(0, "a", "f", signature="proof"),
        ToolCallOpened(1, "b", "g", custom=True),
        ToolCallDelta(1, "free "),
        ToolCallDelta(0, "{"),
        ToolCallDelta(1, "text"),
        ToolCallDelta(0, "}"),
        ToolCallClosed(1),
        ToolCallClosed(0),
        STOPPED,
    )
    assert answer.calls == [
        ToolCall("a", "f", "{}", signature="proof"),
        ToolCall("b", "g", "free text", custom=True),
    ]


@pytest.mark.parametrize(
    "ending",
    [STOPPED, Failed(ProviderFailure("openai", FailureKind.CUT_SHORT, "The stream ended without its end."))],
)
def test_what_was_left_open_closes_with_the_answer(ending: Event) -> None:
    answer = fold(
        ThinkingDelta("half a th"), *call(0, "a", '{"x', closed=False), *call(1, "b", "", closed=False), ending
    )
    assert answer.thinking == [Thinking("half a th")]
    assert [each.arguments for each in answer.calls] == ['{"x', ""]
    assert (answer.finish is None) == isinstance(ending, Failed)
    assert (answer.failure is not None) == isinstance(ending, Failed)


def test_an_answer_that_is_given_up_keeps_what_it_has() -> None:
    answer = fold(ThinkingDelta("hm"), *call(0, "a", "{", closed=False))
    for _ in range(2):
        answer.close_open_blocks()
        assert answer.parts() == (Thinking("hm"), ToolCall("a", "tool_0", "{"))


PIECES = st.text(min_size=1, max_size=4)
CONTENT = st.lists(
    st.one_of(st.builds(TextDelta, PIECES), st.builds(ThinkingDelta, PIECES), st.builds(RefusalDelta, PIECES)),
    max_size=12,
)


@given(CONTENT)
@settings(max_examples=80)
def test_cutting_the_same_content_into_letters_changes_nothing(
    content: list[TextDelta | ThinkingDelta | RefusalDelta],
) -> None:
    letters: list[Event] = [type(event)(letter) for event in content for letter in event.text]
    joined: list[Event] = [kind("".join(event.text for event in run)) for kind, run in groupby(content, key=type)]
    assert fold(*letters, STOPPED).parts() == fold(*joined, STOPPED).parts() == fold(*content, STOPPED).parts()


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=5))
@settings(max_examples=60)
def test_calls_come_out_with_the_arguments_that_went_in(arguments: list[str]) -> None:
    events = [event for index, text in enumerate(arguments) for event in call(index, f"id{index}", text)]
    assert [each.arguments for each in fold(*events, STOPPED).calls] == arguments


def test_results_that_are_no_conversation_are_counted() -> None:
    answer = fold(Opened(None, "text-embedding"), Computed([0.5]), Computed([0.25]), STOPPED)
    assert (answer.computed, answer.parts(), answer.finish) == (2, (), FinishReason.STOP)


def test_a_skimmed_frame_adds_to_what_was_said_unread() -> None:
    answer = fold(Opened(None, "m"), Frame("", "{}", 5), TextDelta("hi"), Frame("", "{}", 7), STOPPED)
    assert (answer.skimmed, answer.text) == (12, ["hi"])
