"""A seeded world: processes that admit, deliver, end and die at any step, over books and disks that fail."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from monkey_coder_server.adapters.leasing import LeasedLedger
from monkey_coder_server.domain.errors import GatewayError, Unavailable
from monkey_coder_server.ports.clock import Clock, Ids
from monkey_coder_server.ports.ledger import (
    Hold,
    HoldRequest,
    IdempotencyKey,
    Records,
    Replay,
)
from packages.server.tests.adapters.leasing.bank import Bank
from packages.server.tests.adapters.leasing.doubles import (
    Disk,
    Faults,
    FaultyBooks,
    Killed,
    Life,
    LoopClock,
    SharedDirectory,
)
from packages.server.tests.adapters.leasing.stepping import SteppingLoop, run
from packages.server.tests.contract.booking import failure, settlement

ACCOUNTS = ("acc_a", "acc_b")
PROCESSES = 2
CLIENTS = 3
REQUESTS = 5
STEPS = 4_000
"""Within so many steps of the loop a process dies."""


@dataclass(slots=True)
class Told:
    """What the outside knows of one request. `least` and `most` bound what may be charged of it."""

    amount: int
    called: bool = False
    charged: int | None = None
    failed: bool = False
    least: int = 0
    most: int = 0


@dataclass(slots=True)
class World:
    """Everything that outlives a process."""

    seed: int
    chance: random.Random
    bank: Bank = field(default_factory=Bank)
    disks: list[Disk] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    told: dict[str, Told] = field(default_factory=dict)
    numbers: int = 0
    served: int = 0
    crashes: int = 0

    def number(self) -> int:
        self.numbers += 1
        return self.numbers


class Process:
    """One life of a gateway."""

    def __init__(
        self, world: World, books: Callable[[Bank, Life], FaultyBooks] = FaultyBooks, clock: Clock | None = None
    ) -> None:
        self.world = world
        self.life = Life(world.chance, world.faults)
        self.tasks: dict[asyncio.Task[None], None] = {}  # in order: sets are ordered by where things lie in memory
        directory = SharedDirectory(world.disks, self.life)
        self.ledger = LeasedLedger(
            books(world.bank, self.life),
            cast("Records", None),
            journal=directory.open(f"gw_{world.number():06d}"),
            journals=directory,
            clock=clock or LoopClock(),
            ids=Ids(lambda prefix: f"{prefix}_{world.number():06d}"),
        )

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks[task] = None
        task.add_done_callback(lambda done: self.tasks.pop(done, None))

    def kill(self) -> None:
        self.life.alive = False
        self.world.crashes += 1
        tasks = list(self.tasks)
        self.world.chance.shuffle(tasks)
        for task in tasks:
            task.cancel()


async def client(process: Process, account_id: str, requests: int) -> None:
    """Ask, be served or not, ask again."""
    chance = process.world.chance
    for _ in range(requests):
        await asyncio.sleep(chance.random() * 0.3)
        process.life.check()
        try:
            await one_request(process, account_id)
        except GatewayError:
            continue


async def one_request(process: Process, account_id: str) -> None:
    world, ledger, chance = process.world, process.ledger, process.world.chance
    number, now = world.number(), LoopClock().now()
    key = IdempotencyKey(f"task-{chance.randrange(4)}", b"same") if chance.random() < 0.2 else None
    request = HoldRequest(
        f"req_{number:026d}", account_id, f"key_{account_id}_{chance.randrange(2)}",
        chance.randrange(1, 200), now, now + timedelta(minutes=10), key,
    )  # fmt: skip
    held = await ledger.hold(request)
    process.life.check()
    if isinstance(held, Replay):
        return
    told = world.told.setdefault(request.request_id, Told(request.amount))
    ledger.underway(held, failure(request))
    if not await noted(process, held):
        await until_it_ends(process, lambda: ledger.void(failure(request)))
        told.failed = True
        return
    told.called = True
    await asyncio.sleep(chance.random() * 0.2)
    if chance.random() < 0.15:
        await until_it_ends(process, lambda: ledger.void(failure(request)))
        told.failed = True
        return
    price = chance.randrange(0, 300)
    if chance.random() < 0.6:
        await deliver(process, held, request, price)
    settled = settlement(request, price=price, provider_cost=0)
    told.most = max(told.most, min(price, request.amount))
    charge = await until_it_ends(process, lambda: ledger.settle(settled, remember=lambda _: b"answer"))
    told.charged = charge.charged
    again = await ledger.settle(settled)
    process.life.check()
    assert again.charged == charge.charged, "a repeat is told another charge"
    world.served += 1


async def noted(process: Process, held: Hold) -> bool:
    """Whether the call of its provider would be known after this process; else it is not made."""
    if not process.ledger.keeps(held):
        try:
            await process.ledger.durable(held)
        except Unavailable:
            return False
    process.life.check()
    return True


async def deliver(process: Process, held: Hold, request: HoldRequest, price: int) -> None:
    """A stream: after the first draft is durable something of it has left."""
    world, ledger = process.world, process.ledger
    told, so_far = world.told[request.request_id], 0
    for part in range(3):
        so_far = price * part // 3
        ledger.underway(held, settlement(request, price=so_far, provider_cost=0))
        told.most = max(told.most, min(so_far, request.amount))
        if not part:
            await ledger.durable(held)
            process.life.check()
        await asyncio.sleep(world.chance.random() * 0.1)


async def until_it_ends(process: Process, act: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """As the request path does: again until it is done."""
    while True:
        try:
            result = await act()
        except Unavailable:
            await asyncio.sleep(0.1)
            process.life.check()
            continue
        process.life.check()
        return result


async def lives(world: World, loop: SteppingLoop, deaths: dict[int, Process]) -> None:
    """One process after another in the same place: each but the last dies at a step of its own."""
    for last in (False, False, True):
        process = Process(world)
        if not last:
            deaths[loop.steps + world.chance.randrange(1, STEPS)] = process
        work = asyncio.create_task(life(process))
        process.tasks[work] = None
        try:
            await work
        except (Killed, asyncio.CancelledError):
            if process.life.alive:
                raise
            await asyncio.sleep(world.chance.random())
        else:
            process.life.alive = False


async def life(process: Process) -> None:
    await process.ledger.start()
    for account_id in ACCOUNTS:
        for _ in range(CLIENTS):
            process.start(client(process, account_id, REQUESTS))
    while others := [task for task in process.tasks if task is not asyncio.current_task()]:
        done, _ = await asyncio.wait(others)
        process.life.check()
        for task in done:
            task.result()
    await process.ledger.close()


async def weather(world: World) -> None:
    """Faults come and go; in some worlds the books often do not answer at all."""
    chance = world.chance
    silence = chance.choice((0.02, 0.02, 0.2))
    while True:
        world.faults.before = chance.choice((0.0, 0.0, 0.1, 0.3))
        world.faults.after = chance.choice((0.0, 0.0, 0.1))
        world.faults.hangs = chance.choice((0.0, 0.0, silence))
        world.faults.lost_records = chance.choice((0.0, 0.0, 0.1))
        world.faults.away = chance.random() < 0.1
        await asyncio.sleep(chance.random() * 3.0)


def replay(seed: int) -> str:
    """The command that shows a world again."""
    return f"SIMULATED_FIRST={seed} SIMULATED_SEEDS=1 python -m benchmarks simulate"


def simulate(seed: int) -> World:
    """Run a world to its end and audit it. Raises `AssertionError`."""
    world = World(seed, random.Random(seed))
    for account_id in ACCOUNTS:
        world.bank.grant(account_id, world.chance.choice((150, 1_000, 20_000)))

    async def main(loop: SteppingLoop) -> None:
        deaths: dict[int, Process] = {}

        def die_now() -> None:
            process = deaths.pop(loop.steps, None)
            if process is not None and process.life.alive:
                process.kill()

        loop.each_step = die_now
        storm = asyncio.create_task(weather(world))
        await asyncio.gather(*[lives(world, loop, deaths) for _ in range(PROCESSES)])
        storm.cancel()
        world.faults.calm()
        deaths.clear()
        heir = Process(world)
        await heir.ledger.start()
        await heir.ledger.close()
        world.bank.expire_holds(LoopClock().now() + timedelta(hours=1))
        world.bank.expire_leases(LoopClock().now() + timedelta(hours=1))

    run(seed, main)
    audit(world)
    return world


def audit(world: World) -> None:
    """The books add up, nothing is held, and everybody paid what they were told, once."""
    bank = world.bank
    bank.check_all()
    assert not bank.contradictions, bank.contradictions
    assert not world.disks, [disk.instance for disk in world.disks]
    assert not bank.losses, f"the house lost {bank.losses}"
    assert all(wallet.held == 0 for wallet in map(bank.wallet, ACCOUNTS)), [
        lent for lent in bank.leases.values() if lent.left
    ]
    for request_id, told in world.told.items():
        booked = bank.requests.get(request_id)
        assert booked is not None or not told.called, f"{request_id} has a provider's bill and is in no book"
        if told.charged is not None:
            assert booked is not None, f"{request_id} was served and is not in the books"
            assert booked.charged == told.charged, (request_id, booked.charged, told)
        elif told.failed:
            assert booked is None or not booked.charged, (request_id, told)
        elif booked is not None:
            assert 0 <= (booked.charged or 0) <= told.most, (request_id, booked.charged, told)
