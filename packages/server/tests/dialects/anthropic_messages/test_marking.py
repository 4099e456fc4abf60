"""Marks are placed where they are allowed and pay, and nothing but marks is added."""

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.conversation import PromptCache, Reuse
from monkey_coder_server.providers.anthropic import PROVIDER
from packages.server.tests.dialects import conversations
from packages.server.tests.dialects.anthropic_messages import agents
from packages.server.tests.dialects.anthropic_messages.test_relaying import raw_fields, read

MODEL = "claude-opus-4-8"
"""Keeps 1,024 tokens and more."""
MARK = {"type": "ephemeral"}
LONG = "word " * 1_000
SHORT = "word "
TOOL = {"name": "read", "input_schema": {"type": "object"}}
LATER = {**TOOL, "name": "later", "defer_loading": True}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def said(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def sent(body: dict[str, Any], reuse: Reuse = Reuse.ALL, *, anew: bool = False, model: str = MODEL) -> bytes:
    """The body as it leaves; `anew`: written from the neutral conversation, as for a caller of another dialect."""
    request = replace(read({"model": "auto", "max_tokens": 9_000, **body}), prompt_cache=PromptCache(reuse))
    if anew:
        request = replace(request, source=None, dialect=None)
    card = conversations.card(PROVIDER, model)
    return PROVIDER.dialect.encode(request, card=card, key="a-key", stream=False).body


def marks(value: Any, path: str = "") -> list[str]:
    """Where marks are."""
    if isinstance(value, dict):
        own = [path] if "cache_control" in value else []
        return own + [each for name, inner in value.items() for each in marks(inner, f"{path}.{name}".strip("."))]
    if isinstance(value, list):
        return [each for place, inner in enumerate(value) for each in marks(inner, f"{path}.{place}")]
    return []


def placed(body: dict[str, Any], reuse: Reuse = Reuse.ALL, **how: Any) -> list[str]:
    return marks(json.loads(sent(body, reuse, **how)))


def plain(value: Any) -> Any:
    """Without marks, and texts as the blocks they stand for."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    opened = {name: plain(inner) for name, inner in value.items() if name != "cache_control"}
    for name in ("content", "system"):
        if isinstance(opened.get(name), str) and ("role" in opened or name == "system"):
            opened[name] = [{"type": "text", "text": opened[name]}]
    return opened


CONVERSATION = {
    "tools": [TOOL, LATER],
    "system": LONG,
    "messages": [
        user("first"),
        said([{"type": "tool_use", "id": "t1", "name": "read", "input": {}}]),
        user([{"type": "tool_result", "tool_use_id": "t1", "content": "one"}]),
        said([{"type": "tool_use", "id": "t2", "name": "read", "input": {}}]),
        user([{"type": "tool_result", "tool_use_id": "t2", "content": "two"}, {"type": "text", "text": "go on"}]),
    ],
}


@pytest.mark.parametrize("anew", [False, True])
def test_system_and_the_users_last_two_turns_are_marked_in_a_conversation(*, anew: bool) -> None:
    body = {**CONVERSATION, "tools": [TOOL]}
    assert placed(body, anew=anew) == ["system.0", "messages.2.content.0", "messages.4.content.1"]


@pytest.mark.parametrize("anew", [False, True])
def test_tools_are_marked_where_they_alone_are_long_enough(*, anew: bool) -> None:
    body = {**CONVERSATION, "tools": [{**TOOL, "description": LONG}, TOOL | {"name": "other"}]}
    expected = ["tools.1", "system.0", "messages.2.content.0", "messages.4.content.1"]
    assert sorted(placed(body, anew=anew)) == sorted(expected)


def test_a_tool_that_is_loaded_later_is_not_marked() -> None:
    assert "tools.0" in placed({**CONVERSATION, "tools": [{**TOOL, "description": LONG}, LATER]})
    assert placed({**CONVERSATION, "tools": [{**LATER, "description": LONG}]})[0] == "system.0"


@pytest.mark.parametrize("anew", [False, True])
def test_only_what_stands_before_the_conversation_is_marked_where_no_more_comes_again(*, anew: bool) -> None:
    assert placed({**CONVERSATION, "tools": [TOOL]}, Reuse.BEGINNING, anew=anew) == ["system.0"]


@pytest.mark.parametrize("anew", [False, True])
def test_nothing_is_marked_where_nothing_comes_again(*, anew: bool) -> None:
    assert placed({**CONVERSATION, "tools": [TOOL]}, Reuse.NOTHING, anew=anew) == []


@pytest.mark.parametrize("anew", [False, True])
def test_nothing_is_marked_in_a_prompt_too_short_for_the_model(*, anew: bool) -> None:
    short = {"system": SHORT, "messages": [user("first"), said("yes"), user("second")]}
    assert placed(short, anew=anew) == []
    long = {"system": SHORT, "messages": [user("first"), said("yes"), user(LONG)]}
    assert placed(long, anew=anew) == ["messages.2.content.0"], "the system prompt alone is too short, all of it is not"
    assert placed(long, anew=anew, model="claude-haiku-4-5") == []


def test_a_first_turn_of_which_all_comes_again_is_marked_at_its_end() -> None:
    assert placed({"messages": [user(LONG)]}) == ["messages.0.content.0"]


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ([{"type": "text", "text": LONG}, {"type": "text", "text": " "}], ["messages.0.content.0"]),
        ([{"type": "text", "text": LONG}, {"type": "thinking", "thinking": "hm", "signature": "s"}], None),
        ([{"type": "text", "text": LONG}, {"type": "of_tomorrow"}], ["messages.0.content.0"]),
        ([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": LONG}}], None),
        ([{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": LONG}}], None),
    ],
)
def test_the_last_block_that_can_be_marked_is(content: list[Any], where: list[str] | None) -> None:
    found = placed({"messages": [user(content)]})
    assert found == (where or ["messages.0.content.0"])


def test_a_turn_with_nothing_to_mark_is_left_alone() -> None:
    blank = user([{"type": "of_tomorrow", "text": LONG}])
    assert placed({"messages": [blank]}) == []
    assert placed({"messages": [user(LONG), said("yes"), user("   ")]}) == ["messages.0.content.0"]


def test_an_empty_system_prompt_is_left_alone() -> None:
    assert placed({"system": "", "messages": [user(LONG)]}) == ["messages.0.content.0"]
    assert placed({"system": " " * 9_000, "messages": [user("hi")]}) == ["messages.0.content.0"]
    assert placed({"system": None, "tools": None, "messages": [user(LONG)]}) == ["messages.0.content.0"]


def test_a_caller_that_marks_automatically_is_left_alone() -> None:
    body = {**CONVERSATION, "cache_control": MARK}
    assert placed(body) == [""]


@pytest.mark.parametrize("name", agents.ALL)
def test_of_an_agents_request_only_what_is_marked_is_written_anew(name: str) -> None:
    body = without_marks(agents.ALL[name])
    written = json.dumps(body, indent=2, ensure_ascii=False).encode()
    request = replace(read(written), prompt_cache=PromptCache(Reuse.ALL))
    card = conversations.card(PROVIDER, MODEL if name.startswith("claude") else "claude-sonnet-4-5")
    encoded = PROVIDER.dialect.encode(request, card=card, key="a-key", stream=True).body
    before, after = raw_fields(written), raw_fields(encoded)
    assert list(after) == list(before), "in their order"
    changed = {field for field in before if after[field] != before[field]}
    assert changed <= {"model", "tools", "system", "messages"}
    assert len(marks(json.loads(encoded))) <= 4


def without_marks(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_marks(inner) for name, inner in value.items() if name != "cache_control"}
    return [without_marks(each) for each in value] if isinstance(value, list) else value


texts = st.sampled_from(["", " ", "word", LONG, 'höchst \\u0041 "quoted"\n'])
blocks = st.one_of(
    texts.map(lambda text: {"type": "text", "text": text}),
    st.just({"type": "image", "source": {"type": "url", "url": "https://pictures.example/a.png"}}),
    texts.map(lambda text: {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": text}}),
    st.builds(lambda text: {"type": "tool_result", "tool_use_id": "t", "content": text}, texts),
    st.just({"type": "of_tomorrow", "deep": {"er": [1.50, None]}}),
)
turns = st.builds(
    lambda role, content: {"role": role, "content": content, "of_tomorrow": 1.0},
    st.sampled_from(["user", "assistant"]),
    st.one_of(texts, st.lists(blocks.filter(lambda block: block["type"] != "image"), max_size=4)),
)
tools = st.lists(
    st.builds(
        lambda number, later, text: {**TOOL, "name": f"t{number}", "description": text, "defer_loading": later},
        st.integers(0, 99),
        st.booleans(),
        texts,
    ),
    max_size=3,
)


@given(
    turns=st.lists(turns, min_size=1, max_size=6),
    tools=tools,
    system=st.one_of(texts, st.lists(texts.map(lambda text: {"type": "text", "text": text}), max_size=3)),
    reuse=st.sampled_from([Reuse.BEGINNING, Reuse.ALL]),
)
def test_nothing_but_marks_is_added_and_never_more_than_four(
    turns: list[Any], tools: list[Any], system: Any, reuse: Reuse
) -> None:
    body = {"tools": tools, "system": system, "messages": turns, "x_of_tomorrow": {"deep": [1.50]}}
    given_to = deepcopy(body)
    without = json.loads(sent(body, Reuse.NOTHING, model="claude-haiku-4-5"))
    with_marks = json.loads(sent(body, reuse))
    places = marks(with_marks)
    assert body == given_to
    assert len(places) <= 4
    names = ("tools", "system", "messages", "x_of_tomorrow")
    assert plain({name: with_marks[name] for name in names}) == plain({name: body[name] for name in names})
    assert list(with_marks) == list(without)
    for place in places:
        found: Any = with_marks
        for step in place.split("."):
            found = found[int(step)] if isinstance(found, list) else found[step]
        assert found["cache_control"] == MARK
        assert found.get("type") not in {"thinking", "redacted_thinking"}
        assert found.get("type") != "text" or found["text"].strip()
        assert not found.get("defer_loading")
