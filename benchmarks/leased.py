"""The ledger of a gateway over given books: requests are held in memory, ended in a strict journal, and booked behind.

Every key has its lease before anything is measured, as it has in a gateway from a key's second request on.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.served import request, settlement
from benchmarks.watch import Watch
from monkey_coder_server.adapters.leasing import LeasedLedger
from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.adapters.system.ids import system_ids
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.ports.ledger import FailedRequest, HoldRequest

ASKED_BEFORE = 3
"""Requests after which a key surely has a lease for more."""


@asynccontextmanager
async def opened(storage: Storage, folder: Path) -> AsyncIterator[LeasedLedger]:
    """The ledger, with a journal in a folder; at the end its leases go back and all that ended is booked."""
    directory = JournalDirectory(folder, clock=SystemClock())
    journal = await directory.open("bench")
    ledger = LeasedLedger(
        storage.books, storage.ledger, journal=journal, journals=directory, clock=SystemClock(), ids=system_ids()
    )
    await ledger.start()
    try:
        yield ledger
    finally:
        await ledger.close()


async def lease(ledger: LeasedLedger, accounts: Sequence[str]) -> None:
    """Ask for each account until it has a lease."""
    for _ in range(ASKED_BEFORE):
        await asyncio.gather(*[_end(ledger, await _held(ledger, account)) for account in accounts])
    await _booked(ledger, accounts)


async def serve(ledger: LeasedLedger, accounts: Sequence[str], clients: int, watch: Watch) -> None:
    """A request for each of `accounts`, by so many clients: held, served at once, booked in the end."""
    left = iter(accounts)

    async def client() -> None:
        for account in left:
            held = await timed(ledger, account, watch)
            await ledger.settle(settlement(held))

    with watch.running():
        await asyncio.gather(*[client() for _ in range(clients)])
        watch.all_admitted()
        await _booked(ledger, accounts)
        watch.all_booked()


async def admit(ledger: LeasedLedger, accounts: Sequence[str], clients: int, watch: Watch) -> None:
    """A hold for each of `accounts`, so many at once, and nothing else: what ends them does not count."""
    for start in range(0, len(accounts), clients):
        with watch.running():
            held = await asyncio.gather(*[timed(ledger, each, watch) for each in accounts[start : start + clients]])
        await asyncio.gather(*[_end(ledger, each) for each in held])
    watch.all_admitted()
    await _booked(ledger, accounts)


async def timed(ledger: LeasedLedger, account: str, watch: Watch) -> HoldRequest:
    """A hold, and how long it took to get."""
    with watch.hold():
        return await _held(ledger, account)


async def _held(ledger: LeasedLedger, account: str) -> HoldRequest:
    asked = request(account)
    await ledger.hold(asked)
    return asked


async def _end(ledger: LeasedLedger, held: HoldRequest) -> None:
    """Without a charge."""
    now, message = datetime.now(UTC), "The benchmark wanted to see it admitted only."
    await ledger.void(FailedRequest(held.request_id, held.account_id, held.key_id, now, "cancelled", message))


async def _booked(ledger: LeasedLedger, accounts: Sequence[str]) -> None:
    """Until the books have all that ended, however long that takes."""
    for account in dict.fromkeys(accounts):
        with suppress(Unavailable):
            await ledger.booked(account)
