"""The time of day jumps by an hour while leases are out and requests run: nobody overspends, nothing stays held."""

import asyncio
from datetime import datetime, timedelta

import pytest

from packages.server.tests.adapters.leasing.doubles import LoopClock
from packages.server.tests.adapters.leasing.quiet import ACCOUNT, ask, run, serve, serve_some
from packages.server.tests.adapters.leasing.simulated import Process, World

HOUR = timedelta(hours=1)


class SetClock(LoopClock):
    """A clock that somebody sets."""

    by = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.by


@pytest.mark.parametrize("by", [HOUR, -HOUR, timedelta(days=1), timedelta(days=-1)])
def test_requests_go_on_over_a_jump_and_all_comes_back(by: timedelta) -> None:
    async def scene(world: World) -> None:
        clock = SetClock()
        process = Process(world, clock=clock)
        await process.ledger.start()
        await serve_some(process, 2, now=clock.now())
        running = await ask(process, now=clock.now())
        clock.by = by
        await serve_some(process, 3, now=clock.now())
        await serve(process, running)
        assert process.ledger.figures()["leases"]
        await asyncio.sleep(120.0)
        await serve_some(process, 2, now=clock.now())
        await process.ledger.close()

    world = run(scene)
    assert (world.bank.wallet(ACCOUNT).balance, world.bank.wallet(ACCOUNT).held) == (1_000 - 8 * 60, 0)
    assert not world.bank.losses
    assert not world.disks


def test_after_a_jump_ahead_nothing_is_held_for_from_the_old_lease() -> None:
    async def scene(world: World) -> None:
        clock = SetClock()
        process = Process(world, clock=clock)
        await process.ledger.start()
        await serve_some(process, 2, now=clock.now())
        (old,) = world.bank.leases.values()
        clock.by = HOUR
        await serve_some(process, 2, now=clock.now())
        await asyncio.sleep(1.0)
        assert (old.open, old.charged) == (False, 60)
        keep_asking = asyncio.create_task(_now_and_then(process, clock))
        await asyncio.sleep(120.0)
        living = [lent for lent in world.bank.leases.values() if lent.open]
        assert living
        assert all(lent.expires_at > clock.now() for lent in living)
        keep_asking.cancel()
        await process.ledger.close()

    assert not run(scene, granted=10_000).bank.losses


def test_one_whose_leases_were_taken_back_hears_of_it_with_its_next_beat() -> None:
    async def scene(world: World) -> None:
        clock = SetClock()
        process = Process(world, clock=clock)
        await process.ledger.start()
        keep_asking = asyncio.create_task(_now_and_then(process, clock))
        await asyncio.sleep(57.0)
        assert world.bank.expire_leases(clock.now() + HOUR)
        assert process.ledger.figures()["leased"] > _lent(world)
        await asyncio.sleep(8.0)
        assert process.ledger.figures()["leased"] <= _lent(world)
        keep_asking.cancel()
        await process.ledger.close()

    world = run(scene, granted=10_000)
    assert not world.bank.losses
    assert world.bank.wallet(ACCOUNT).held == 0


def _lent(world: World) -> int:
    """What leases hold by the books."""
    return sum(lent.left for lent in world.bank.leases.values() if lent.open)


async def _now_and_then(process: Process, clock: SetClock) -> None:
    while True:
        await asyncio.sleep(5.0)
        await serve_some(process, 1, now=clock.now())
