"""How answers end: at the limit, at a stop sequence, at a filter; and streams that do not end by themselves."""

import asyncio

import pytest

from tests.matrix.cells import Cell, scenario, told
from tests.matrix.words import Options

LIMIT = 512


def _cut_to_length(cell: Cell, *, stream: bool) -> None:
    talk = cell.talk()
    talk.say(told(f"text='{cell.mark} on and on ' output_tokens=3000", "Write a long story."))
    said = talk.ask(Options(max_tokens=LIMIT), stream=stream)
    assert said.text.startswith(cell.mark)
    assert len(said.text) < 4 * 3_000
    assert said.usage is not None
    assert said.usage.output <= LIMIT
    cell.check(said, "length")


@scenario("long output")
def long_output(cell: Cell) -> None:
    _cut_to_length(cell, stream=False)


@scenario("long output, streamed")
def long_output_streamed(cell: Cell) -> None:
    _cut_to_length(cell, stream=True)


@scenario("stop sequence")
def stop_sequence(cell: Cell) -> None:
    for stream in (False, True):
        talk = cell.talk()
        talk.say(told(f"text='{cell.mark} STOPHERE and more'"))
        said = talk.ask(Options(stop=("STOPHERE",)), stream=stream)
        if cell.limit is not None:
            assert said.text == f"{cell.mark} STOPHERE and more"
            assert cell.limit.says in said.headers["x-monkey-dropped"]
            cell.check(said, "stop")
            continue
        assert said.text == f"{cell.mark} "
        assert said.finish in {cell.driver.finishes["stop sequence"], cell.driver.finishes["stop"]}
        cell.stage.booked(said, cell.provider)


@scenario("the model declines")
def declined(cell: Cell) -> None:
    """What a model says when it declines arrives as the dialect has it, where its provider tells it from an answer."""
    for stream in (False, True):
        talk = cell.talk()
        talk.say(told("fault=refusal reasoning_tokens=0", f"Do {cell.mark}."))
        said = talk.ask(stream=stream)
        assert "can't assist" in said.text + said.refusal
        if cell.limit is None:
            assert said.refusal or said.finish == cell.driver.finishes["filter"]
        cell.stage.booked(said, cell.provider)


@scenario("cancelled")
def cancelled(cell: Cell) -> None:
    """Whoever hangs up pays what the provider bills: we read on to its own figures."""
    talk = cell.talk()
    talk.say(told(f"text='{cell.mark} goes on ' output_tokens=240 tokens_per_second=200 reasoning_tokens=0"))
    request_id = asyncio.run(talk.leave(after=4))
    row = cell.stage.row(request_id)
    assert (row.status, row.counted.output, row.estimated) == ("served", 240, False)
    assert row.price > 0


@scenario("no usage told")
def no_usage(cell: Cell) -> None:
    """Usage always arrives; where the provider tells none it is our estimate."""
    for stream in (False, True):
        talk = cell.talk()
        talk.say(told(f"text='{cell.mark} counts' fault=no_usage"))
        said = talk.ask(stream=stream)
        assert said.text == f"{cell.mark} counts"
        assert cell.stage.booked(said, cell.provider).estimated


@scenario("cut in mid-stream")
def cut(cell: Cell) -> None:
    """The caller gets what came, ended as if at the limit, with usage, and is not charged."""
    for fault in ("cut", "eof"):
        text = f"{cell.mark} {fault} goes on "
        broken = f"fault={fault} after=6 tokens_per_second=400 reasoning_tokens=0"
        talk = cell.talk()
        talk.say(told(f"text='{text}' output_tokens=200 {broken}"))
        said = talk.ask(stream=True)
        assert said.text
        assert (text * 40).startswith(said.text)
        assert said.finish == cell.driver.finishes["length"]
        assert said.usage is not None
        assert said.usage.output > 0
        row = cell.stage.row(said.request_id)
        assert (row.status, row.price) == ("failed", 0)


@scenario("error in mid-stream")
def error_in_mid_stream(cell: Cell) -> None:
    talk = cell.talk()
    talk.say(told(f"text='{cell.mark} goes on ' output_tokens=200 fault=error_event after=6 reasoning_tokens=0"))
    with pytest.raises(cell.driver.broken) as raised:
        talk.ask(stream=True)
    assert "could not serve the request" in str(raised.value) or "provider" in str(raised.value).lower()
