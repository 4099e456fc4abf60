"""Tools: called one at a time, several at once, in pieces; with and without arguments; and what they return."""

import json
from collections.abc import Sequence

from tests.matrix.cells import Cell, scenario, told
from tests.matrix.models import SEES
from tests.matrix.scenarios_talk import AWKWARD, picture
from tests.matrix.words import Options, Returned, Said, Tool

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool("get_weather", "The weather of a city.", CITY)
TIME = Tool("get_time", "The time in a city.", CITY)
NOW = Tool("list_cities", "All cities there are.", {"type": "object", "properties": {}})
TOOLS = Options(tools=(WEATHER, TIME, NOW))


def _asks(cell: Cell, directive: str, calls: Sequence[tuple[str, dict[str, str]]], *, stream: bool) -> None:
    """The model calls what it is told to, gets results, and answers with them."""
    talk = cell.talk()
    talk.say(told(directive, f"Look it up for {cell.mark}."))
    said = talk.ask(TOOLS, stream=stream)
    assert [(call.name, call.arguments) for call in said.calls] == list(calls)
    ids = [call.id for call in said.calls]
    if cell.place[1:] != ("gemini", "google"):  # Gemini gives its calls no ids, and its own dialect is not touched
        assert all(ids)
        assert len(set(ids)) == len(ids)
    cell.check(said, "calls")
    talk.hand_back([Returned(call, f"result {number} of {cell.mark}") for number, call in enumerate(said.calls)])
    answer = talk.ask(TOOLS, stream=stream)
    for number in range(len(calls)):
        assert f"result {number} of {cell.mark}" in answer.text
    assert not answer.calls
    cell.check(answer, "stop")


def _arguments(**arguments: str) -> str:
    return f"args='{json.dumps(arguments)}'"


@scenario("one tool")
def one_tool(cell: Cell) -> None:
    city = {"city": f"{cell.mark} {AWKWARD}"}
    _asks(cell, f"tool=get_weather {_arguments(**city)}", [("get_weather", city)], stream=False)


@scenario("one tool, streamed")
def one_tool_streamed(cell: Cell) -> None:
    city = {"city": f"{cell.mark} {AWKWARD}"}
    _asks(cell, f"tool=get_weather {_arguments(**city)} chunk=3 split=5", [("get_weather", city)], stream=True)


@scenario("parallel tools")
def parallel_tools(cell: Cell) -> None:
    city = {"city": cell.mark}
    calls = [("get_weather", city), ("get_time", city), ("get_weather", city)]
    _asks(cell, f"tool=get_weather,get_time parallel=3 {_arguments(**city)}", calls, stream=False)


@scenario("parallel tools, streamed")
def parallel_tools_streamed(cell: Cell) -> None:
    city = {"city": cell.mark}
    calls = [("get_weather", city), ("get_time", city), ("get_weather", city)]
    _asks(cell, f"tool=get_weather,get_time parallel=3 {_arguments(**city)} split=11", calls, stream=True)


@scenario("a call without arguments")
def without_arguments(cell: Cell) -> None:
    for stream in (False, True):
        _asks(cell, "tool=list_cities args='{}'", [("list_cities", {})], stream=stream)


def _must_call(cell: Cell, choice: str) -> Said:
    talk = cell.talk()
    told_to = "args='{}'" if choice == "get_time" else "tool=get_weather args='{}'"
    talk.say(told(told_to, f"Just talk about {cell.mark}."))
    said = talk.ask(Options(tools=(WEATHER, TIME), choice=choice, parallel=False))
    assert len(said.calls) == 1
    cell.check(said, "calls")
    return said


@scenario("a tool that must be called")
def named_tool(cell: Cell) -> None:
    assert _must_call(cell, "get_time").calls[0].name == "get_time"


@scenario("any tool must be called")
def any_tool(cell: Cell) -> None:
    _must_call(cell, "required")


@scenario("an image from a tool")
def image_from_a_tool(cell: Cell) -> None:
    camera = Tool("take_picture", "A picture of a place.", CITY)
    talk = cell.talk(SEES)
    talk.say(told(f"tool=take_picture {_arguments(city=cell.mark)}", "What does it look like?"))
    said = talk.ask(Options(tools=(camera,)))
    cell.check(said, "calls")
    talk.hand_back([Returned(said.calls[0], f"here is {cell.mark}", [picture()])])
    talk_after = talk.ask(Options(tools=(camera,)))
    cell.check(talk_after, "stop")
    assert picture() in cell.received(), "the picture was lost"
