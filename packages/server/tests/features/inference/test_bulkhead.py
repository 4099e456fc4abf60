"""So many calls at a time, a bounded line behind them, in turn by account."""

import asyncio

import pytest

from monkey_coder_server.adapters.upstream.limits import UpstreamLimits
from monkey_coder_server.features.inference.attempt import AttemptSettings
from monkey_coder_server.features.inference.bulkhead import Bulkhead


async def waiting(bulkhead: Bulkhead, account: str = "acc_one", seconds: float = 5.0) -> "asyncio.Task[bool]":
    task = asyncio.create_task(bulkhead.wait(account, seconds))
    await asyncio.sleep(0)
    return task


async def test_a_place_is_taken_at_once_while_there_is_one() -> None:
    bulkhead = Bulkhead(2, 1)
    assert await bulkhead.wait("acc_one", 0.0)
    assert bulkhead.free_for("acc_one")
    assert await bulkhead.wait("acc_one", 0.0)
    assert not bulkhead.free_for("acc_one")
    assert not await bulkhead.wait("acc_one", 0.0)


async def test_places_go_to_those_who_waited_longest() -> None:
    bulkhead = Bulkhead(1, 2)
    assert bulkhead.take("acc_one")
    first, second = await waiting(bulkhead), await waiting(bulkhead)
    bulkhead.leave("acc_one")
    assert await first
    assert not second.done()
    bulkhead.leave("acc_one")
    assert await second
    assert not bulkhead.free_for("acc_one")
    bulkhead.leave("acc_one")
    assert bulkhead.free_for("acc_one")


async def test_who_finds_the_line_full_is_turned_away_at_once() -> None:
    bulkhead = Bulkhead(1, 1)
    assert bulkhead.take("acc_one")
    first = await waiting(bulkhead)
    assert not await bulkhead.wait("acc_one", 60.0)
    bulkhead.leave("acc_one")
    assert await first


async def test_who_waited_too_long_leaves_the_line() -> None:
    bulkhead = Bulkhead(1, 1)
    assert bulkhead.take("acc_one")
    assert not await bulkhead.wait("acc_one", 0.001)
    bulkhead.leave("acc_one")
    assert bulkhead.free_for("acc_one")


async def test_who_is_stopped_in_line_takes_no_place_even_when_it_was_just_given() -> None:
    bulkhead = Bulkhead(1, 2)
    assert bulkhead.take("acc_one")
    early, late = await waiting(bulkhead), await waiting(bulkhead)
    early.cancel()
    with pytest.raises(asyncio.CancelledError):
        await early
    bulkhead.leave("acc_one")
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
    assert bulkhead.free_for("acc_one")


async def test_whoever_has_few_in_line_does_not_wait_for_all_of_who_has_many() -> None:
    bulkhead = Bulkhead(1, 500)
    assert bulkhead.take("acc_many")
    many = [await waiting(bulkhead, "acc_many") for _ in range(500)]
    bulkhead.leave("acc_many")
    few = await waiting(bulkhead, "acc_few")
    for _ in range(2):
        bulkhead.leave("acc_many")
    assert await asyncio.wait_for(few, 1.0)
    assert [task.done() for task in many[:3]] == [True, True, False]
    for task in many:
        task.cancel()


async def test_of_a_line_that_is_full_whoever_has_most_in_it_loses_the_last() -> None:
    bulkhead = Bulkhead(1, 3)
    assert bulkhead.take("acc_many")
    many = [await waiting(bulkhead, "acc_many") for _ in range(3)]
    few = await waiting(bulkhead, "acc_few")
    assert not await asyncio.wait_for(many[-1], 1.0)
    for _ in range(3):
        bulkhead.leave("acc_many")
    assert await few
    assert [await task for task in many[:2]] == [True, True]


async def test_one_account_leaves_a_place_for_the_next_and_has_its_turn_again_when_it_has_less() -> None:
    bulkhead = Bulkhead(8, 10)
    assert [bulkhead.take("acc_many") for _ in range(8)] == [True] * 7 + [False]
    many = await waiting(bulkhead, "acc_many")
    assert bulkhead.take("acc_few")
    few = await waiting(bulkhead, "acc_few")
    bulkhead.leave("acc_few")
    assert await few
    assert not many.done()
    bulkhead.leave("acc_many")
    assert await many
    bulkhead.leave("acc_few")
    assert not bulkhead.free_for("acc_many")
    assert bulkhead.free_for("acc_few")


def test_one_account_may_have_512_calls_at_a_provider_and_each_a_connection() -> None:
    settings = AttemptSettings()
    bulkhead = Bulkhead(settings.places, settings.line)
    assert all(bulkhead.take("acc_one") for _ in range(512))
    assert UpstreamLimits().connections == settings.places
