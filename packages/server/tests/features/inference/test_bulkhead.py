"""So many calls at a time, a bounded line behind them, first come first served."""

import asyncio

import pytest

from monkey_coder_server.features.inference.bulkhead import Bulkhead


async def waiting(bulkhead: Bulkhead, seconds: float = 5.0) -> "asyncio.Task[bool]":
    task = asyncio.create_task(bulkhead.wait(seconds))
    await asyncio.sleep(0)
    return task


async def test_a_place_is_taken_at_once_while_there_is_one() -> None:
    bulkhead = Bulkhead(2, 1)
    assert await bulkhead.wait(0.0)
    assert bulkhead.free
    assert await bulkhead.wait(0.0)
    assert not bulkhead.free
    assert not await bulkhead.wait(0.0)


async def test_places_go_to_those_who_waited_longest() -> None:
    bulkhead = Bulkhead(1, 2)
    assert bulkhead.take()
    first, second = await waiting(bulkhead), await waiting(bulkhead)
    bulkhead.leave()
    assert await first
    assert not second.done()
    bulkhead.leave()
    assert await second
    assert not bulkhead.free
    bulkhead.leave()
    assert bulkhead.free


async def test_who_finds_the_line_full_is_turned_away_at_once() -> None:
    bulkhead = Bulkhead(1, 1)
    assert bulkhead.take()
    first = await waiting(bulkhead)
    assert not await bulkhead.wait(60.0)
    bulkhead.leave()
    assert await first


async def test_who_waited_too_long_leaves_the_line() -> None:
    bulkhead = Bulkhead(1, 1)
    assert bulkhead.take()
    assert not await bulkhead.wait(0.001)
    bulkhead.leave()
    assert bulkhead.free


async def test_who_is_stopped_in_line_takes_no_place_even_when_it_was_just_given() -> None:
    bulkhead = Bulkhead(1, 2)
    assert bulkhead.take()
    early, late = await waiting(bulkhead), await waiting(bulkhead)
    early.cancel()
    with pytest.raises(asyncio.CancelledError):
        await early
    bulkhead.leave()
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
    assert bulkhead.free
