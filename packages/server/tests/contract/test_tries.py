"""Counted tries."""

import asyncio
from datetime import datetime, timedelta

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.adapters.storage.tries import DROPPED_AT_ONCE
from monkey_coder_server.domain.throttling import SECOND, Allowance
from packages.server.tests.contract.booking import NOON
from packages.server.tests.contract.conftest import OpenStore

FEW = Allowance(free=3, forgotten_after=3_600 * SECOND, first=2 * SECOND, longest=8 * SECOND)
MANY = Allowance(free=100, forgotten_after=3_600 * SECOND, first=SECOND, longest=SECOND)


async def wait(store: Storage, at: datetime, **subjects: Allowance) -> float:
    return (await store.tries.take(subjects, at)).total_seconds()


async def test_tries_beyond_the_free_ones_wait_longer_each_time(store: Storage) -> None:
    waits = [await wait(store, NOON, ada=FEW) for _ in range(5)]
    assert waits == [0.0, 0.0, 0.0, 2.0, 2.0]
    assert await wait(store, NOON + timedelta(seconds=2), ada=FEW) == 0.0
    assert await wait(store, NOON + timedelta(seconds=2), ada=FEW) == 4.0
    assert await wait(store, NOON, bob=FEW) == 0.0


async def test_a_refused_try_counts_for_nothing(store: Storage) -> None:
    for _ in range(3):
        await wait(store, NOON, ada=FEW)
    for _ in range(3):
        assert await wait(store, NOON, ada=FEW, house=FEW) == 2.0
    assert [await wait(store, NOON, house=FEW) for _ in range(4)] == [0.0, 0.0, 0.0, 2.0]


async def test_of_many_who_try_at_once_in_two_processes_only_the_free_ones_get_through(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as other:
        came = await asyncio.gather(
            *(wait(each, NOON, ada=FEW, house=MANY) for each in (one, other) for _ in range(20))
        )
    assert sorted(came)[:4] == [0.0, 0.0, 0.0, 2.0]


async def test_tries_are_given_back_forgotten_and_dropped_when_clear(store: Storage) -> None:
    for _ in range(3):
        await wait(store, NOON, ada=FEW)
    await store.tries.give_back("ada", FEW)
    assert [await wait(store, NOON, ada=FEW) for _ in range(2)] == [0.0, 2.0]
    await store.tries.drop_clear(NOON + timedelta(hours=2))
    assert await wait(store, NOON, ada=FEW) == 2.0
    await store.tries.forget("ada")
    assert [await wait(store, NOON, ada=FEW) for _ in range(4)] == [0.0, 0.0, 0.0, 2.0]
    await store.tries.drop_clear(NOON + timedelta(hours=3))
    assert await wait(store, NOON, ada=FEW) == 0.0
    await store.tries.give_back("nobody", FEW)


async def test_a_clock_that_is_set_back_keeps_nobody_waiting(store: Storage) -> None:
    for _ in range(3):
        await wait(store, NOON + timedelta(days=3), ada=FEW)
    assert [await wait(store, NOON, ada=FEW) for _ in range(2)] == [2.0, 2.0]
    assert await wait(store, NOON + timedelta(seconds=2), ada=FEW) == 0.0


async def test_what_is_clear_is_dropped_some_at_a_time_and_nothing_else(store: Storage) -> None:
    strangers = {f"stranger {number}": MANY for number in range(DROPPED_AT_ONCE + 1)}
    await store.tries.take(strangers, NOON)
    await wait(store, NOON + timedelta(minutes=30), ada=FEW)
    after = NOON + timedelta(hours=1)
    assert [await store.tries.drop_clear(after) for _ in range(3)] == [DROPPED_AT_ONCE, 1, 0]
    assert await store.tries.drop_clear(NOON + timedelta(hours=2)) == 1
