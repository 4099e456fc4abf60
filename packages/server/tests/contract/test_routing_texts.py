"""What texts told adds up once, whatever is sent again, beside the other sums, and is there for whoever starts next."""

import asyncio
from datetime import timedelta

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.bandit.checkpoint import Delta, Sum
from monkey_coder_server.domain.bandit.evidence import Tally
from packages.server.tests.contract.booking import StillClock
from packages.server.tests.contract.conftest import OpenStore

MARK = Sum(("mark", "17"), "openai/gpt-5@high", Tally(1.5, -0.25))
ACCOUNT = Sum(("account", "26421"), "acct \u00fc", Tally(2.0, 0.125))


async def test_sums_come_back_as_they_were(store: Storage) -> None:
    await store.texts.add("one", Delta(1, (MARK, ACCOUNT)))
    stored = await store.texts.changed("one", None)
    assert sorted(stored.sums) == [ACCOUNT, MARK]
    assert stored.applied == 1
    assert (await store.evidence.changed("two", None)).sums == []


async def test_processes_add_to_the_same_sums_each_delta_once(store: Storage) -> None:
    for sequence in (1, 1, 2, 1):
        await asyncio.gather(*(store.texts.add(f"process {number}", Delta(sequence, (MARK,))) for number in range(4)))
    assert (await store.texts.changed("process 1", None)).sums == [MARK._replace(tally=Tally(12.0, -2.0))]


async def test_only_what_changed_since_is_told_and_what_is_old_is_forgotten(store: Storage, clock: StillClock) -> None:
    await store.texts.add("one", Delta(1, (MARK,)))
    clock.forward(timedelta(minutes=5))
    since = clock.now()
    await store.texts.add("two", Delta(1, (ACCOUNT,)))
    assert (await store.texts.changed("one", since)).sums == [ACCOUNT]
    assert [await store.texts.forget(since) for _ in range(2)] == [1, 0]
    assert (await store.texts.changed("one", None)).sums == [ACCOUNT]


async def test_another_process_finds_what_this_one_left(open_store: OpenStore) -> None:
    async with open_store() as one:
        await one.texts.add("one", Delta(1, (MARK,)))
    async with open_store() as two:
        assert (await two.texts.changed("two", None)).sums == [MARK]
