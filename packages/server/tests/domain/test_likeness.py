"""What makes requests alike, and what never leaves a request but as a hash."""

from dataclasses import replace

import pytest

from monkey_coder_server.domain.conversation import (
    Message,
    ModelRequest,
    OutputFormat,
    Reasoning,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from monkey_coder_server.domain.likeness import TAIL, Circles, Lesson, Likeness, narrow, shape_of, wide
from monkey_coder_server.domain.prompt_tokens import prompt_size

USER = Message(Role.USER, (Text("add paging"),))
CALL = Message(Role.ASSISTANT, (ToolCall("c1", "read", "{}"),))
RESULT = Message(Role.TOOL, (ToolResult("c1", (Text("def view(): ..."),)),))
ASKED = ModelRequest((USER,))
AGENT = ModelRequest((USER, CALL, RESULT), tools=(Tool("read"),))


def like(
    request: ModelRequest, *, account: str = "acc_1", task_type: str = "testing", most: int | None = None
) -> Likeness:
    return Likeness.of(account, shape_of(task_type, request), most, request, prompt_size(request))


def said(words: str) -> ModelRequest:
    return ModelRequest((Message(Role.USER, (Text(words),)),))


def test_the_same_request_is_the_same() -> None:
    assert like(ASKED) == like(said("add paging"))
    assert (like(ASKED).size, like(ASKED).turns, like(ASKED).max_tokens) == (4, 1, None)


def test_words_are_known_by_their_end_for_files_stand_before_them() -> None:
    words = "x" * TAIL
    one, other = like(said(f"file one\n{words}")), like(said(f"file two\n{words}"))
    assert (one.words, one.same) == (other.words, other.same)
    assert like(said(f"{words}!")).words != one.words


def test_hashes_of_one_account_say_nothing_to_another() -> None:
    mine, theirs = like(AGENT), like(AGENT, account="acc_2")
    assert mine.shape == theirs.shape
    assert not {mine.tools, mine.words, mine.same} & {theirs.tools, theirs.words, theirs.same}


def test_hashes_are_those_that_were_stored_before() -> None:
    assert (like(ASKED).tools, like(ASKED).words, like(ASKED).same) == (
        "9c27f151dea3c992",
        "c173213a88649b83",
        "1a30eda3654f3ffe",
    )
    assert like(replace(ASKED, tools=(Tool(""),))).tools != like(ASKED).tools


def test_nothing_that_was_said_can_be_read() -> None:
    text = repr(like(AGENT))
    assert not [word for word in ("paging", "view", "read") if word in text]


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        (replace(AGENT, tools=()), {"shape", "tools", "same"}),
        (replace(AGENT, tools=(Tool("write"),)), {"tools", "same"}),
        (replace(AGENT, tool_choice=ToolChoice("required")), {"tools", "same"}),
        (replace(AGENT, output=OutputFormat("json")), {"shape", "tools", "same"}),
        (replace(AGENT, reasoning=Reasoning(effort="low")), {"effort"}),
        (replace(AGENT, messages=(USER, CALL, CALL, RESULT)), {"turns", "same"}),
        (
            replace(AGENT, messages=(USER, CALL, Message(Role.TOOL, (ToolResult("c1", (Text("def list(): ..."),)),)))),
            {"same"},
        ),
        (replace(AGENT, messages=(USER, CALL, Message(Role.ASSISTANT, ()))), {"shape", "same"}),
        (replace(AGENT, messages=(Message(Role.USER, (Text("add sorts!"),)), CALL, RESULT)), {"words", "same"}),
    ],
)
def test_what_tells_requests_apart(other: ModelRequest, differs: set[str]) -> None:
    one, two = like(AGENT), replace_size(like(other), like(AGENT).size)
    assert {name for name in Likeness._fields if getattr(one, name) != getattr(two, name)} == differs


def replace_size(one: Likeness, size: int) -> Likeness:
    return one._replace(size=size)


def test_task_and_limit_tell_requests_apart_too() -> None:
    assert like(ASKED, task_type="chat").same != like(ASKED).same
    assert like(ASKED, most=5).same != like(ASKED).same
    assert like(ASKED, most=5).max_tokens == 5


def test_a_request_without_words_has_its_likeness_too() -> None:
    assert like(ModelRequest(())).turns == 0
    assert like(ModelRequest((CALL, RESULT))).words == like(ModelRequest(())).words


def test_what_a_tool_found_is_not_what_its_user_said() -> None:
    found = Message(Role.USER, RESULT.parts)
    assert like(ModelRequest((USER, CALL, found))).words == like(ModelRequest((USER, CALL))).words == like(ASKED).words
    assert like(ModelRequest((found,))).words == like(ModelRequest(())).words


def test_circles_narrow_from_everybody_to_this_very_request() -> None:
    mine, theirs = Circles.of(like(AGENT), "m"), Circles.of(like(AGENT, account="acc_2"), "m")
    elsewhere = Circles.of(like(AGENT), "n")
    for own, others, other_model in zip(mine, theirs, elsewhere, strict=True):
        assert own[0] == others[0]
        assert not set(own[-3:]) & set(others)
        assert not set(own[-2:]) & set(other_model)
    assert {mine.answer[0], mine.answer[-3]} <= set(elsewhere.answer)
    assert not set(mine.thought) & set(elsewhere.thought)


def test_wide_and_narrow_circles_are_all_and_lessons_of_a_kind_share_the_wide_ones() -> None:
    one, other = like(AGENT), like(AGENT)._replace(words="w", same="s")
    all_of_it = {circle for circles in Circles.of(one, "m") for circle in circles}
    assert {*wide(one, "m"), *narrow(one, "m")} == all_of_it
    assert len(wide(one, "m")) + len(narrow(one, "m")) == len(all_of_it)
    lessons = [Lesson(each, "m", 10, 20, 5, 10, 7, 3) for each in (one, other)]
    assert lessons[0].kind == lessons[1].kind != lessons[0]._replace(model="n").kind
    assert wide(one, "m") == wide(other, "m")
    assert not set(narrow(one, "m")) & set(narrow(other, "m"))
    assert lessons[0].figures == (2.0, 0.25, 0.5, 7, 3)
