"""The books go away for a minute: requests within leases go on, and what was leased stays until they are back."""

import asyncio
import random
from datetime import timedelta

import pytest

from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.ports.books import Lease, LeaseWish
from monkey_coder_server.ports.ledger import Hold, HoldRequest
from packages.server.tests.adapters.leasing import quiet
from packages.server.tests.adapters.leasing.doubles import FaultyBooks, LoopClock
from packages.server.tests.adapters.leasing.quiet import DeafBooks, SilentBooks
from packages.server.tests.adapters.leasing.simulated import Process, World
from packages.server.tests.adapters.leasing.stepping import SteppingLoop, run
from packages.server.tests.contract.booking import settlement

ACCOUNT = "acc_a"
WARM, AWAY = 120, 75
"""A minute, and what it takes until the books are found again."""
AT_ONCE = 4


def world_with_credit() -> World:
    world = World(1, random.Random(1))
    world.bank.grant(ACCOUNT, 10_000_000)
    return world


async def ask(process: Process, key: str) -> None:
    """A request of a second, of which nine tenths are charged. Raises `Unavailable`."""
    number, now = process.world.number(), LoopClock().now()
    amount = process.world.chance.randrange(50, 150)
    request = HoldRequest(f"req_{number:026d}", ACCOUNT, key, amount, now, now + timedelta(minutes=10))
    held = await process.ledger.hold(request)
    assert isinstance(held, Hold)
    await asyncio.sleep(1.0)
    await process.ledger.settle(settlement(request, price=amount * 9 // 10))


async def steadily(process: Process, enough: asyncio.Event, refused: list[float]) -> None:
    while not enough.is_set():
        try:
            await ask(process, "key_busy")
        except Unavailable:
            refused.append(asyncio.get_running_loop().time())
            await asyncio.sleep(1.0)


async def until_little_is_left(process: Process) -> None:
    """After two minutes, a moment before the lease is topped up."""
    await asyncio.sleep(WARM)
    before = left = process.ledger.figures()["leased"]
    least = left
    while left <= before:
        before, least = left, min(left, least)
        await asyncio.sleep(0.1)
        left = process.ledger.figures()["leased"]
    while left > least * 1.05:
        await asyncio.sleep(0.1)
        left = process.ledger.figures()["leased"]


@pytest.mark.parametrize("silent", [False, True], ids=["refused", "silent"])
def test_a_steady_key_is_served_through_a_minute_without_the_books(silent: bool) -> None:
    world, refused = world_with_credit(), list[float]()

    async def main(_: SteppingLoop) -> None:
        process = Process(world)
        await process.ledger.start()
        enough = asyncio.Event()
        asking = [asyncio.create_task(steadily(process, enough, refused)) for _ in range(AT_ONCE)]
        await until_little_is_left(process)
        world.faults.away, world.faults.hangs = not silent, float(silent)
        await asyncio.sleep(AWAY)
        assert process.ledger.carries_on
        world.faults.calm()
        await asyncio.sleep(AWAY)
        enough.set()
        await asyncio.gather(*asking)
        await process.ledger.close()

    run(1, main)
    assert refused == []
    assert len(world.bank.requests) > AT_ONCE * (WARM + AWAY) // 2
    assert world.bank.held == {ACCOUNT: 0}
    world.bank.check_all()


def test_a_shipment_the_books_never_answer_is_given_up_and_brought_again() -> None:
    async def scene(world: World) -> None:
        process = Process(world, DeafBooks)
        await process.ledger.start()
        await quiet.serve(process, await quiet.ask(process))
        await asyncio.sleep(AWAY)
        figures = process.ledger.figures()
        assert (figures["failed_shipments"], figures["books_away"], figures["waiting"]) == (1, 0, 0)
        await process.ledger.close()

    world = quiet.run(scene)
    assert (world.bank.wallet(quiet.ACCOUNT).balance, world.bank.wallet(quiet.ACCOUNT).held) == (940, 0)
    assert not world.disks


def test_the_books_count_as_away_from_when_a_shipment_is_given_up() -> None:
    async def scene(world: World) -> None:
        process = Process(world, SilentBooks)
        await process.ledger.start()
        await quiet.serve(process, await quiet.ask(process))
        await asyncio.sleep(AWAY)
        assert process.ledger.figures()["books_away"] == 1
        await process.ledger.close()

    quiet.run(scene)


def test_a_lease_that_lies_idle_is_kept_while_the_books_are_away_and_given_back_once_they_are_there() -> None:
    world = world_with_credit()

    async def main(_: SteppingLoop) -> None:
        process = Process(world)
        await process.ledger.start()
        assert not process.ledger.carries_on
        for _ in range(3):
            await ask(process, "key_rare")
        assert process.ledger.carries_on
        world.faults.away = True
        await asyncio.sleep(AWAY)
        await ask(process, "key_rare")
        world.faults.calm()
        await asyncio.sleep(30)
        assert world.bank.held == {ACCOUNT: 0}
        assert not process.ledger.carries_on
        world.faults.away = True
        with pytest.raises(Unavailable):
            await ask(process, "key_rare")
        world.faults.calm()
        await process.ledger.close()

    run(2, main)
    world.bank.check_all()


class MuteBooks(FaultyBooks):
    """Books that give the first lease and never say so."""

    mute = True

    async def lease(self, wish: LeaseWish) -> Lease | None:
        lease = await super().lease(wish)
        if self.mute:
            self.mute = False
            await asyncio.sleep(quiet.NEVER)
        return lease


def test_a_lease_that_was_given_unheard_comes_back_though_its_key_never_asks_again() -> None:
    async def scene(world: World) -> None:
        process = Process(world, MuteBooks)
        await process.ledger.start()
        await quiet.serve(process, await quiet.ask(process))
        with pytest.raises(Unavailable):
            await quiet.ask(process)
        assert world.bank.held[quiet.ACCOUNT] > 0
        await asyncio.sleep(AWAY)
        assert world.bank.held[quiet.ACCOUNT] == 0
        await process.ledger.close()

    quiet.run(scene)
