"""What a caller reads of a wallet: leases, being taken or given back, are nothing it holds."""

import asyncio
import random
from datetime import timedelta

import pytest

from monkey_coder_server.ports.ledger import HoldRequest
from packages.server.tests.adapters.leasing import stepping
from packages.server.tests.adapters.leasing.doubles import LoopClock
from packages.server.tests.adapters.leasing.simulated import Process, World
from packages.server.tests.contract.booking import failure


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_held_once_the_last_request_has_ended(seed: int) -> None:
    world = World(seed, random.Random(seed))
    world.bank.grant("acc_1", 50_000)

    async def main(_: stepping.SteppingLoop) -> None:
        process = Process(world)
        await process.ledger.start()
        for amount in (100, 100, 300, 100, 900, 100):
            await asyncio.sleep(world.chance.random() * world.chance.choice((0.01, 12.0)))
            await one(process, amount)
            wallet = await process.ledger.wallet("acc_1")
            assert (wallet.balance, wallet.held) == (50_000, 0)
        await process.ledger.close()

    stepping.run(seed, main)


async def one(process: Process, amount: int) -> None:
    """A request that fails."""
    now = LoopClock().now()
    request = HoldRequest(
        f"req_{process.world.number():026d}", "acc_1", "key_1", amount, now, now + timedelta(minutes=10)
    )
    await process.ledger.hold(request)
    await process.ledger.void(failure(request))
