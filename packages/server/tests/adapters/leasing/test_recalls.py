"""Who gives back leases when a request is refused: a key at its limit takes nothing from the other keys."""

import random
from datetime import timedelta

import pytest

from monkey_coder_server.domain.errors import InsufficientCredit
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, LimitReached, Period, Standing, Unit
from monkey_coder_server.ports.ledger import Hold, HoldRequest, Replay
from packages.server.tests.adapters.leasing.bank import Bank
from packages.server.tests.adapters.leasing.doubles import LoopClock
from packages.server.tests.adapters.leasing.simulated import Process, World
from packages.server.tests.adapters.leasing.stepping import SteppingLoop, run
from packages.server.tests.contract.booking import NOON, settlement

ACCOUNT = "acc_a"
KEYS = "key_free", "key_capped"


def request_of(process: Process, key: str, amount: int) -> HoldRequest:
    now = LoopClock().now()
    return HoldRequest(f"req_{process.world.number():026d}", ACCOUNT, key, amount, now, now + timedelta(minutes=10))


async def ask(process: Process, key: str, amount: int = 100) -> None:
    request = request_of(process, key, amount)
    assert isinstance(await process.ledger.hold(request), Hold)
    await process.ledger.settle(settlement(request, price=amount // 2))


def leased(world: World) -> set[str]:
    """The keys that have leases."""
    return {lent.wish.key_id for lent in world.bank.leases.values() if lent.open}


class LimitingBank(Bank):
    """Refuses keys for limits of their own."""

    used_up: frozenset[str] = frozenset()

    def place(self, request: HoldRequest) -> Replay | None:
        if request.key_id in self.used_up:
            limit = Limit(Holder(HolderKind.KEY, request.key_id), Period.TOTAL, Unit.MONEY, 0)
            raise LimitReached(Standing(limit), request.amount, NOON)
        return super().place(request)


@pytest.mark.parametrize("at_its_limit", [False, True])
def test_a_key_at_its_limit_recalls_only_its_own_leases_and_an_empty_wallet_all(at_its_limit: bool) -> None:
    bank = LimitingBank()
    world = World(3, random.Random(3), bank)
    world.bank.grant(ACCOUNT, 100_000)

    async def main(_: SteppingLoop) -> None:
        here, there = Process(world), Process(world)
        for process in (here, there):
            await process.ledger.start()
            for key in KEYS * 3:
                await ask(process, key)
        assert leased(world) == set(KEYS)
        if at_its_limit:
            bank.used_up = frozenset({"key_capped"})
        with pytest.raises(LimitReached if at_its_limit else InsufficientCredit):
            await ask(here, "key_capped", 1_000_000)
        assert leased(world) == ({"key_free"} if at_its_limit else set())
        for process in (here, there):
            assert process.ledger.carries_on == at_its_limit
            await process.ledger.close()

    run(3, main)
    assert world.bank.held == {ACCOUNT: 0}
