"""What processes saw of the models adds up once, whatever is sent again, and is there for whoever starts next."""

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
ARM = "openai/gpt-5"
TALLY = Tally(1.5, 1.0, 0.75, 0.5, 0.25, 0.125)


def delta(sequence: int, *sums: tuple[Node, str, Tally]) -> Delta:
    return Delta(sequence, tuple(Sum(*each) for each in sums or [(NODE, ARM, TALLY)]))


async def seen(store: Storage, instance: str = "one") -> dict[tuple[Node, str], Tally]:
    return {(node, arm): tally for node, arm, tally, _ in (await store.evidence.changed(instance, None)).sums}


async def test_sums_come_back_as_they_were(store: Storage) -> None:
    assert await seen(store) == {}
    other: Node = ("test", "", "acct \u00fc")
    await store.evidence.add("one", delta(1, (NODE, ARM, TALLY), (other, f"{ARM}@high", TALLY)))
    assert await seen(store) == {(NODE, ARM): TALLY, (other, f"{ARM}@high"): TALLY}


async def test_processes_add_to_the_same_sums(store: Storage) -> None:
    await asyncio.gather(*(store.evidence.add(f"process {number}", delta(1)) for number in range(8)))
    assert (await seen(store))[NODE, ARM].rows == 12.0


async def test_a_delta_sent_again_counts_once(store: Storage) -> None:
    for sequence in (1, 1, 2, 1, 2):
        await store.evidence.add("one", delta(sequence))
    assert (await seen(store))[NODE, ARM].rows == 3.0
    assert (await store.evidence.changed("one", None)).applied == 2
    assert (await store.evidence.changed("two", None)).applied == 0


async def test_what_is_taken_back_is_taken_off(store: Storage) -> None:
    await store.evidence.add("one", delta(1))
    await store.evidence.add("one", delta(2, (NODE, ARM, Tally(-1.5, -1.0, -0.75, -0.5, -0.25, -0.125))))
    assert (await seen(store))[NODE, ARM] == Tally()


async def test_a_later_era_takes_the_place_of_the_sums_before_it_and_an_earlier_one_counts_no_more(
    store: Storage,
) -> None:
    await store.evidence.add("one", delta(1))
    left = Tally(0.5, 0.125, 0.0625, 0.25, 0.125, 0.0625)
    for instance in ("one", "two"):
        await store.evidence.add(instance, Delta(2, (Sum(NODE, ARM, left, 1),)))
    await store.evidence.add("three", delta(1))
    (told,) = (await store.evidence.changed("one", None)).sums
    assert told == Sum(NODE, ARM, Tally(1.0, 0.25, 0.125, 0.5, 0.25, 0.125), 1)
    await store.evidence.add("three", Delta(2, (Sum(NODE, ARM, TALLY, 3),)))
    (told,) = (await store.evidence.changed("one", None)).sums
    assert told == Sum(NODE, ARM, TALLY, 3)


async def test_only_what_changed_since_is_told(store: Storage, clock: StillClock) -> None:
    await store.evidence.add("one", delta(1))
    clock.forward(timedelta(minutes=5))
    since = clock.now()
    assert (await store.evidence.changed("one", since)).sums == []
    await store.evidence.add("two", delta(1, (NODE, "google/gemini", TALLY)))
    assert [each.arm for each in (await store.evidence.changed("one", since)).sums] == ["google/gemini"]


async def test_another_process_finds_what_this_one_left(open_store: OpenStore) -> None:
    async with open_store() as one:
        await one.evidence.add("one", delta(1))
    async with open_store() as two:
        assert await seen(two, "two") == {(NODE, ARM): TALLY}


async def test_what_nobody_adds_to_is_forgotten_in_pieces(store: Storage, clock: StillClock) -> None:
    many = [(("fix", "", f"acct_{number}"), ARM, TALLY) for number in range(stored.FORGOTTEN_AT_ONCE + 1)]
    await store.evidence.add("one", delta(1, *many))
    clock.forward(timedelta(days=1))
    await store.evidence.add("two", delta(1))
    before = clock.now()
    assert [await store.evidence.forget(before) for _ in range(3)] == [stored.FORGOTTEN_AT_ONCE, 1, 0]
    assert await seen(store) == {(NODE, ARM): TALLY}
    assert (await store.evidence.changed("one", None)).applied == 0
