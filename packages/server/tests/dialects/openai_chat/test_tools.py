"""Tools, the choice among them and the form of an answer are asked for in the words each provider takes."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from monkey_coder_server.domain.conversation import OutputFormat, Tool, ToolChoice
from monkey_coder_server.domain.errors import InvalidRequest
from packages.server.tests.dialects.openai_chat.asking import CLOSED, HELLO, WEATHER, written


def test_tools_and_the_choice_among_them() -> None:
    body = written(replace(HELLO, tools=(WEATHER, Tool("shell")), tool_choice=ToolChoice("required", parallel=False)))
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "Tells it",
                "parameters": dict(CLOSED),
                "strict": True,
            },
        },
        {"type": "custom", "custom": {"name": "shell"}},
    ]
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)


@pytest.mark.parametrize(
    ("name", "choice"),
    [
        ("weather", {"type": "function", "function": {"name": "weather"}}),
        ("shell", {"type": "custom", "custom": {"name": "shell"}}),
    ],
)
def test_a_named_tool_is_chosen_by_its_kind(name: str, choice: dict[str, Any]) -> None:
    asked = replace(HELLO, tools=(WEATHER, Tool("shell")), tool_choice=ToolChoice("named", name))
    assert written(asked)["tool_choice"] == choice


def test_kimi_is_never_told_that_a_tool_is_required() -> None:
    asked = replace(HELLO, tools=(WEATHER,), tool_choice=ToolChoice("required"))
    assert written(asked, "kimi-k3")["tool_choice"] == "auto"


@pytest.mark.parametrize(
    ("dialect", "runner"), [("openai-chat", "at a price of its own"), ("anthropic", "another provider")]
)
def test_a_tool_a_provider_runs_itself_is_refused(dialect: str, runner: str) -> None:
    own = Tool("search", server={"type": "web_search"}, dialect=dialect)
    with pytest.raises(InvalidRequest, match=runner):
        written(replace(HELLO, tools=(own,)))


def test_a_free_form_tool_is_a_function_where_nobody_takes_it() -> None:
    (tool,) = written(replace(HELLO, tools=(Tool("shell"),)), "grok-3")["tools"]
    assert (tool["type"], list(tool["function"]["parameters"]["properties"])) == ("function", ["input"])


def test_a_schema_is_sent_as_a_schema_or_said_in_words() -> None:
    schema = MappingProxyType({"type": "object", "required": ["a"], "additionalProperties": False})
    asked = replace(HELLO, output=OutputFormat("json_schema", schema, name="thing", strict=True))
    assert written(asked)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "thing", "schema": dict(schema), "strict": True},
    }
    loose = written(asked, "llama-3.1-8b-instant")
    assert loose["response_format"] == {"type": "json_object"}
    assert '{"type":"object","required":["a"],"additionalProperties":false}' in loose["messages"][-1]["content"]


def test_json_without_a_schema_is_asked_for_where_that_can_be_asked() -> None:
    asked = replace(HELLO, output=OutputFormat("json"))
    assert written(asked)["response_format"] == {"type": "json_object"}
    silent = written(asked, "sonar")
    assert "response_format" not in silent
    assert "JSON object" in silent["messages"][-1]["content"][-1]["text"]
