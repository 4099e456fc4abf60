"""Endings gather before they are booked, also while others are being booked, unless somebody waits for them."""

import asyncio
from collections.abc import Mapping, Sequence

from monkey_coder_server.adapters.leasing.parts import Timing
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.ledger import IdempotencyKey
from packages.server.tests.adapters.leasing.bank import Bank
from packages.server.tests.adapters.leasing.doubles import FaultyBooks, Life, LoopClock
from packages.server.tests.adapters.leasing.quiet import ACCOUNT, ask, run, serve, serve_some
from packages.server.tests.adapters.leasing.simulated import Process, World

LINGER = Timing().linger


class CountingBooks(FaultyBooks):
    """Books that note when they were brought how many endings."""

    def __init__(self, bank: Bank, life: Life) -> None:
        super().__init__(bank, life)
        self.brought: list[tuple[float, int]] = []

    async def ship(self, batch: Sequence[Resolved]) -> Mapping[str, str]:
        self.brought.append((LoopClock().monotonic(), len(batch)))
        await asyncio.sleep(LINGER / 4)
        return await super().ship(batch)


async def _begun(world: World) -> tuple[Process, CountingBooks]:
    """A process whose key has a lease, with nothing left to book."""
    books: list[CountingBooks] = []

    def opened(bank: Bank, life: Life) -> CountingBooks:
        books.append(CountingBooks(bank, life))
        return books[-1]

    process = Process(world, opened)
    await process.ledger.start()
    await serve_some(process, 3, amount=100)
    await process.ledger.booked(ACCOUNT)
    await asyncio.sleep(2 * LINGER)
    books[-1].brought.clear()
    return process, books[-1]


def test_what_ends_while_others_are_booked_waits_for_company() -> None:
    async def scene(world: World) -> None:
        process, books = await _begun(world)
        for _ in range(40):
            await serve(process, await ask(process, 10), 1)
            await asyncio.sleep(LINGER / 10)
        await asyncio.sleep(3 * LINGER)
        assert sum(size for _, size in books.brought) == 40
        assert min(size for _, size in books.brought[:-1]) >= 5
        pauses = [later - sooner for (sooner, _), (later, _) in zip(books.brought, books.brought[1:], strict=False)]
        assert min(pauses) >= LINGER
        await process.ledger.close()

    run(scene, granted=10_000)


def test_what_another_process_may_be_asked_for_does_not_wait() -> None:
    async def scene(world: World) -> None:
        process, books = await _begun(world)
        asked = await ask(process, 10, idempotency=IdempotencyKey("once", b"fingerprint"))
        await serve(process, asked, 1)
        ended = LoopClock().monotonic()
        await asyncio.sleep(LINGER / 2)
        [(moment, size)] = books.brought
        assert size == 1
        assert moment - ended < LINGER / 4
        await process.ledger.close()

    run(scene, granted=10_000)
