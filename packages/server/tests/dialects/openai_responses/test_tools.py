"""Tools are offered in the form a model takes; those it cannot be offered are named, or refused where insisted on."""

from dataclasses import replace
from typing import Any

import pytest

from monkey_coder_server.domain.conversation import Grammar, ModelRequest, Tool, ToolChoice
from monkey_coder_server.domain.errors import InvalidRequest
from packages.server.tests.dialects.openai_responses.asking import CARDS, GROK, HELLO, PLAIN, THINKER, wire, written

OPEN = {"type": "object", "properties": {"city": {"type": "string"}}}
CLOSED = {**OPEN, "required": ["city"], "additionalProperties": False}
WEATHER = Tool("weather", "Tells it", OPEN)
PATCH = Tool("apply_patch", "Edits.", grammar=Grammar("lark", "start: X"))
SEARCH = Tool("web_search", server={"type": "web_search"}, dialect="openai-responses")
DEEPWIKI = Tool("mcp.wiki", server={"type": "mcp", "server_label": "wiki"}, dialect="openai-responses")


def offering(*tools: Tool, choice: ToolChoice | None = None, dialect: str | None = None) -> ModelRequest:
    return replace(HELLO, tools=tools, tool_choice=choice, dialect=dialect)


def test_a_function_is_lenient_unless_its_caller_asks_for_strictness() -> None:
    (tool,) = written(offering(WEATHER))["tools"]
    assert tool == {
        "type": "function",
        "name": "weather",
        "description": "Tells it",
        "parameters": OPEN,
        "strict": False,
    }
    (held,) = written(offering(replace(WEATHER, schema=CLOSED, strict=True)))["tools"]
    assert (held["parameters"], held["strict"]) == (CLOSED, True)
    (loose,) = written(offering(replace(WEATHER, strict=True)))["tools"]
    assert (loose["parameters"], loose["strict"]) == (OPEN, False)
    assert "strict" not in written(offering(WEATHER, dialect="openai-responses"))["tools"][0]


def test_a_schema_always_names_its_properties() -> None:
    (tool,) = written(offering(Tool("now", schema={})))["tools"]
    assert tool["parameters"] == {"type": "object", "properties": {}}
    assert written(offering(Tool("odd", schema={"type": "string"})))["tools"][0]["parameters"] == {"type": "string"}


@pytest.mark.parametrize(("model", "kind"), [(THINKER, "custom"), (PLAIN, "function"), (GROK, "function")])
def test_a_free_form_tool_is_one_where_the_model_has_such(model: str, kind: str) -> None:
    body = written(offering(PATCH, choice=ToolChoice("named", "apply_patch", parallel=False)), model)
    (tool,) = body["tools"]
    assert (tool["type"], body["tool_choice"]) == (kind, {"type": kind, "name": "apply_patch"})
    assert body["parallel_tool_calls"] is False
    if kind == "custom":
        assert tool["format"] == {"type": "grammar", "syntax": "lark", "definition": "start: X"}
    else:
        assert "start: X" in tool["description"]
    assert "description" not in written(offering(Tool("any")))["tools"][0]


def test_the_choice_among_tools_is_said_only_when_there_are_any() -> None:
    assert written(offering(WEATHER, choice=ToolChoice("required")))["tool_choice"] == "required"
    assert written(offering(WEATHER, choice=ToolChoice("none")))["tool_choice"] == "none"
    assert written(offering(choice=ToolChoice("required"))).keys().isdisjoint({"tools", "tool_choice"})


def test_a_tool_the_provider_runs_is_offered_where_it_has_a_price_and_left_out_elsewhere() -> None:
    sent = wire(offering(WEATHER, SEARCH, DEEPWIKI), GROK)
    assert sent.dropped == ("tools.web_search", "tools.mcp.wiki")
    body = written(offering(SEARCH, DEEPWIKI, choice=ToolChoice("named", "mcp.wiki")))
    assert body["tools"] == [SEARCH.server, DEEPWIKI.server]
    assert body["tool_choice"] == {"type": "mcp", "server_label": "wiki"}
    foreign = replace(SEARCH, dialect="anthropic_messages")
    assert wire(offering(WEATHER, foreign)).dropped == ("tools.web_search",)


@pytest.mark.parametrize("choice", [ToolChoice("named", "web_search"), ToolChoice("required")])
def test_a_caller_who_insists_on_what_cannot_be_offered_is_refused(choice: ToolChoice) -> None:
    with pytest.raises(InvalidRequest, match="web_search"):
        wire(offering(SEARCH, choice=choice), GROK)
    if choice.mode == "required":
        assert written(offering(WEATHER, SEARCH, choice=choice), GROK)["tool_choice"] == "required"


@pytest.mark.parametrize(
    ("environment", "offered"), [(None, True), ({"type": "local"}, True), ({"type": "container_auto"}, False)]
)
def test_a_shell_is_offered_only_when_the_caller_runs_it(environment: Any, offered: bool) -> None:
    server = {"type": "shell"} if environment is None else {"type": "shell", "environment": environment}
    sent = wire(offering(Tool("shell", server=server, dialect="openai-responses")))
    assert (not sent.dropped) is offered


def test_no_model_is_offered_a_search_without_a_price() -> None:
    from genai_prices.data import providers

    prices = {entry.id: entry for entry in providers}
    for model, (provider, card) in CARDS.items():
        if "tools.web_search" not in wire(offering(SEARCH, WEATHER), model).dropped:
            (priced,) = [entry for entry in prices[provider.prices_id].models if entry.is_match(card.model)]
            price = priced.prices[-1].prices if isinstance(priced.prices, list) else priced.prices
            assert price.web_searches_kcount, model
