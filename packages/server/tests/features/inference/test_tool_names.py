"""Tool names that not every provider takes are rewritten on the way there and back."""

import re

from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.conversation import (
    Message,
    ModelRequest,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from monkey_coder_server.domain.stream_events import ToolCallClosed, ToolCallOpened
from monkey_coder_server.features.inference.tool_names import named_back, with_safe_names

LONG = "mcp__a_server_with_a_long_name__" + "and_a_tool_with_a_longer_one_" * 2 + "x"


def request(*names: str, history: str | None = None) -> ModelRequest:
    said = Message(Role.USER, (Text("Use it."),))
    called = history or names[0]
    past = (
        Message(Role.ASSISTANT, (Text("Yes."), ToolCall("c1", called, "{}"))),
        Message(Role.TOOL, (ToolResult("c1", (Text("done"),), called),)),
    )
    tools = tuple(Tool(name, None, {"type": "object"}) for name in names)
    return ModelRequest((said, *past), tools=tools, tool_choice=ToolChoice("named", names[0]))


@given(names=st.lists(st.text(min_size=1, max_size=140), min_size=1, max_size=4, unique=True))
def test_every_name_is_one_that_every_provider_takes_and_comes_back(names: list[str]) -> None:
    sent, back = with_safe_names(request(*names))
    for name, tool in zip(names, sent.tools, strict=True):
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", tool.name)
        assert back.get(tool.name, tool.name) == name
    events = [ToolCallOpened(at, f"c{at}", tool.name) for at, tool in enumerate(sent.tools)]
    assert [event.name for event in named_back(events, back) if isinstance(event, ToolCallOpened)] == names


def test_the_same_call_goes_by_the_same_name_everywhere_in_a_request() -> None:
    sent, back = with_safe_names(request(LONG))
    (written,) = back
    call, result = sent.messages[1].parts[1], sent.messages[2].parts[0]
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert sent.tool_choice is not None
    assert {sent.tools[0].name, call.name, result.name, sent.tool_choice.name} == {written}
    assert sent.messages[0] == request(LONG).messages[0]


def test_a_request_of_usual_names_is_left_as_it_is() -> None:
    usual = request("read_file", "write-file")
    sent, back = with_safe_names(usual)
    assert sent is usual
    assert not back


def test_what_is_no_opening_of_a_call_passes_as_it_is() -> None:
    closed = ToolCallClosed(0)
    assert named_back([closed], {"a": "b"}) == [closed]
