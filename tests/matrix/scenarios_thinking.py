"""Thinking: shown where the provider shows it, counted, handed back on the next turn, and taken to another provider."""

from tests.matrix.cells import Cell, scenario, told
from tests.matrix.models import PROVIDERS, THINKS
from tests.matrix.scenarios_tools import WEATHER
from tests.matrix.words import Options, Returned, Said

THINKING = Options(thinking=True)
WITH_TOOLS = Options(thinking=True, tools=(WEATHER,))


def _thinks(cell: Cell, *, stream: bool) -> None:
    talk = cell.talk(THINKS)
    talk.say(told(f"text='{cell.mark} thought' reasoning_tokens=120"))
    said = talk.ask(THINKING, stream=stream)
    assert said.text.endswith(f"{cell.mark} thought")
    assert said.text.startswith("<think>") is (cell.limit is not None and cell.limit.kind == "inline")
    assert bool(said.thinking) is (cell.limit is None)
    cell.check(said, "stop")
    talk.say(told(f"text='{cell.mark} went on'"))
    went_on = talk.ask(THINKING, stream=stream)
    assert went_on.text.endswith(f"{cell.mark} went on")
    cell.check(went_on, "stop")


@scenario("thinking")
def thinking(cell: Cell) -> None:
    _thinks(cell, stream=False)


@scenario("thinking, streamed")
def thinking_streamed(cell: Cell) -> None:
    _thinks(cell, stream=True)


def _call(cell: Cell, *, stream: bool) -> tuple[Said, object]:
    talk = cell.talk(THINKS)
    talk.say(told(f'tool=get_weather args=\'{{"city": "{cell.mark}"}}\'', "How is the weather?"))
    said = talk.ask(WITH_TOOLS, stream=stream)
    assert [call.arguments for call in said.calls] == [{"city": cell.mark}]
    cell.check(said, "calls")
    return said, talk


@scenario("thinking before a call")
def thinking_before_a_call(cell: Cell) -> None:
    """The simulators check the signatures they are handed back, and miss those they are not."""
    for stream in (False, True):
        said, talk = _call(cell, stream=stream)
        talk.hand_back([Returned(said.calls[0], f"sunny in {cell.mark}")])
        answer = talk.ask(WITH_TOOLS, stream=stream)
        assert f"sunny in {cell.mark}" in answer.text
        cell.check(answer, "stop")


@scenario("moving on after a call")
def moving_on(cell: Cell) -> None:
    """The next turn is another provider's: nothing that is only good at the first reaches it."""
    said, talk = _call(cell, stream=False)
    talk.hand_back([Returned(said.calls[0], f"sunny in {cell.mark}")])
    others = [name for name in PROVIDERS if name not in {cell.provider, "perplexity"}]
    for other in others:
        history = list(talk.history)
        talk.model = f"{other}/{THINKS[other]}"
        answer = talk.ask(WITH_TOOLS)
        assert f"sunny in {cell.mark}" in answer.text
        cell.stage.booked(answer, other)
        talk.history[:] = history
