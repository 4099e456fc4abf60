"""Every tool has one flat name, the same for equal requests, and each flat name leads back to its tool."""

import re

from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.openai_responses.tool_names import LONGEST, Spoken, ToolNames

identifiers = st.text("ab_-.é", min_size=1, max_size=70)
tools = st.lists(st.builds(Spoken, st.none() | st.just("functions") | identifiers, identifiers, st.booleans()))


@given(tools=tools)
def test_names_are_unique_safe_and_lead_back(tools: list[Spoken]) -> None:
    names = ToolNames()
    flat = [names.add(tool) for tool in tools]
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", name) and len(name) <= LONGEST for name in flat)
    last = {(tool.namespace, tool.name): tool for tool in tools}
    assert len(set(flat)) == len(last)
    for tool, name in zip(tools, flat, strict=True):
        assert names.spoken(name) == last[tool.namespace, tool.name]
        assert names.flat(tool.namespace, tool.name) == name
    again = ToolNames()
    assert [again.add(tool) for tool in tools] == flat


def test_a_namespace_is_said_in_front_unless_it_is_openais_own() -> None:
    names = ToolNames()
    assert names.add(Spoken("agents", "spawn")) == "agents__spawn"
    assert names.add(Spoken("functions", "exec")) == "exec"
    assert names.add(Spoken(None, "exec")) == "exec_2"


def test_a_call_may_leave_its_namespace_out() -> None:
    names = ToolNames()
    names.add(Spoken("agents", "spawn"))
    assert names.flat(None, "spawn") == "agents__spawn"
    assert names.flat(None, "unheard_of") == "unheard_of"
    assert names.flat("gone", "tool") == "gone__tool"


def test_a_name_the_model_made_up_stays() -> None:
    assert ToolNames().spoken("made_up") == Spoken(None, "made_up")
