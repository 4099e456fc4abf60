"""What verdicts were worth adds up once, whatever is sent again, and is there for whoever starts next."""

import asyncio
from datetime import timedelta

from monkey_coder_server.adapters.storage import routing_sums as stored
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.bandit.checkpoint import Delta, Sum
from monkey_coder_server.domain.bandit.context import Node
from monkey_coder_server.domain.bandit.evidence import Tally
from packages.server.tests.contract.booking import StillClock
from packages.server.tests.contract.conftest import OpenStore

NODE: Node = ("fix", "python", "acct_1")
PLACE = "together right"


def delta(sequence: int, *sums: tuple[Node, str, Tally]) -> Delta:
    return Delta(sequence, tuple(Sum(*each) for each in sums or [(NODE, PLACE, Tally(1.5, 1.0))]))


async def seen(store: Storage, instance: str = "one") -> dict[tuple[Node, str], Tally]:
    sums = (await store.verdicts.changed(instance, None)).sums
    return {(each.node, each.arm): each.tally for each in sums}


async def test_sums_come_back_as_they_were(store: Storage) -> None:
    assert await seen(store) == {}
    other: Node = ("test", "", "acct \u00fc")
    await store.verdicts.add("one", delta(1, (NODE, PLACE, Tally(1.5, 1.0)), (other, "syntax wrong", Tally(2.0, 0.5))))
    assert await seen(store) == {(NODE, PLACE): Tally(1.5, 1.0), (other, "syntax wrong"): Tally(2.0, 0.5)}


async def test_processes_add_to_the_same_sums_each_delta_once(store: Storage) -> None:
    for sequence in (1, 1, 2, 1):
        await asyncio.gather(*(store.verdicts.add(f"process {number}", delta(sequence)) for number in range(4)))
    assert (await seen(store))[NODE, PLACE] == Tally(12.0, 8.0)
    assert (await store.verdicts.changed("process 1", None)).applied == 2


async def test_they_are_counted_beside_evidence_and_never_with_it(store: Storage) -> None:
    await store.verdicts.add("verdicts of one", delta(1))
    await store.evidence.add("one", delta(1, (NODE, "openai/gpt-5", Tally(1.0, 1.0))))
    assert [each.arm for each in (await store.evidence.changed("one", None)).sums] == ["openai/gpt-5"]
    assert await seen(store) == {(NODE, PLACE): Tally(1.5, 1.0)}


async def test_only_what_changed_since_is_told(store: Storage, clock: StillClock) -> None:
    await store.verdicts.add("one", delta(1))
    clock.forward(timedelta(minutes=5))
    since = clock.now()
    assert (await store.verdicts.changed("one", since)).sums == []
    await store.verdicts.add("two", delta(1, (NODE, "whole wrong", Tally(1.0, 1.0))))
    assert [each.arm for each in (await store.verdicts.changed("one", since)).sums] == ["whole wrong"]


async def test_another_process_finds_what_this_one_left(open_store: OpenStore) -> None:
    async with open_store() as one:
        await one.verdicts.add("one", delta(1))
    async with open_store() as two:
        assert await seen(two, "two") == {(NODE, PLACE): Tally(1.5, 1.0)}


async def test_what_nobody_adds_to_is_forgotten_in_pieces(store: Storage, clock: StillClock) -> None:
    many = [(("fix", "", f"acct_{number}"), PLACE, Tally(1.0, 1.0)) for number in range(stored.FORGOTTEN_AT_ONCE + 1)]
    await store.verdicts.add("one", delta(1, *many))
    clock.forward(timedelta(days=1))
    await store.verdicts.add("two", delta(1))
    before = clock.now()
    assert [await store.verdicts.forget(before) for _ in range(3)] == [stored.FORGOTTEN_AT_ONCE, 1, 0]
    assert await seen(store) == {(NODE, PLACE): Tally(1.5, 1.0)}
