"""A tool another provider runs is left out where it cannot run, and named; a caller who insists on it is refused."""

import pytest

from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Text, Tool, ToolChoice
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.inference.foreign_tools import without_foreign_tools

OWN = Tool("look_up", schema={"type": "object"})
SEARCH = Tool("web_search", server={"type": "web_search"}, dialect="openai-responses")
ASKED = (Message(Role.USER, (Text("hi"),)),)


def test_only_foreign_tools_are_left_out() -> None:
    request = ModelRequest(ASKED, tools=(OWN, SEARCH), tool_choice=ToolChoice("auto"))
    assert without_foreign_tools(request, "openai-responses") == (request, ())
    left, names = without_foreign_tools(request, "gemini")
    assert (left.tools, left.tool_choice, names) == ((OWN,), ToolChoice("auto"), ("tools.web_search",))


def test_without_a_tool_there_is_nothing_to_choose() -> None:
    left, names = without_foreign_tools(ModelRequest(ASKED, tools=(SEARCH,), tool_choice=ToolChoice()), "gemini")
    assert (left.tools, left.tool_choice, names) == ((), None, ("tools.web_search",))


@pytest.mark.parametrize("choice", [ToolChoice("named", "web_search"), ToolChoice("required")])
def test_a_caller_who_insists_is_refused(choice: ToolChoice) -> None:
    with pytest.raises(InvalidRequest, match="web_search"):
        without_foreign_tools(ModelRequest(ASKED, tools=(SEARCH,), tool_choice=choice), "gemini")


def test_another_tool_may_be_required() -> None:
    request = ModelRequest(ASKED, tools=(OWN, SEARCH), tool_choice=ToolChoice("required"))
    assert without_foreign_tools(request, "gemini")[0].tool_choice == ToolChoice("required")
