"""Admission and the books behind it: holds a second, on leases and directly, with each request charged in the end.

On leases the database sees a lease now and then and what came of each request; with direct holds it decides each.
One wallet for all requests, and one each for a thousand accounts; SQLite, and a PostgreSQL that syncs, if it is there.
The table ends with what an ending costs to book, by the size of its batch. Every wallet must be right to the last nano.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path

from benchmarks import leased
from benchmarks.served import AMOUNT, PRICE, request, settlement
from benchmarks.watch import HEAD, Watch
from monkey_coder_server.adapters.signing.ed25519 import load_or_create_signer
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.domain.money import NANO_PER_USD
from monkey_coder_server.ports.books import LeaseWish, Resolved
from tools.postgresql import NoPostgresql, make

CREDIT = 1_000 * NANO_PER_USD
ON_LEASES, ADMITTED, PAGE, SYNCS = 2_048, 2_048, 256, 300
CLIENTS = 256
DIRECTLY = {1: {1: 50, 16: 200, CLIENTS: 512}, 1_000: {CLIENTS: 512}}
"""Requests by the number of clients at a time, by the number of wallets."""
BATCHES = {1: 100, 16: 800, 256: 2_048}


def main() -> None:
    """Run and print the table."""
    print(f"The books: requests held by {CLIENTS} clients and booked; CPU of the gateway's process")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # a server run by root's `postgres` goes through it
        print(f"One fdatasync takes {_sync_seconds(Path(folder)) * 1e3:.2f} ms")
        print(HEAD)
        for name, url in databases(Path(folder)):
            asyncio.run(_measure(name, url, Path(folder)))


def databases(folder: Path) -> Iterator[tuple[str, str]]:
    """The name and URL of an empty database of each kind, while it is asked for."""
    yield "sqlite", f"sqlite:///{folder}/books.db"
    try:
        with _postgresql(folder / "postgresql") as url:
            yield "postgresql", url
    except NoPostgresql as missing:
        print(missing)


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    cluster = make(folder, settings=())
    try:
        yield cluster.url
    finally:
        cluster.remove()


async def _measure(name: str, url: str, folder: Path) -> None:
    async with opened(url, folder) as storage:
        charged = Counter[str]()
        for wallets, directly in DIRECTLY.items():
            accounts = [f"acc_{wallets}_{number}" for number in range(wallets)]
            await asyncio.gather(*[fund(storage, account) for account in accounts])
            async with leased.opened(storage, folder / f"{name}_{wallets}") as ledger:
                await leased.lease(ledger, accounts)
                watch = Watch(ADMITTED)
                await leased.admit(ledger, _spread(accounts, ADMITTED), CLIENTS, watch)
                print(watch.row(name, wallets, "on leases, admission"))
                watch = Watch(ON_LEASES)
                await leased.serve(ledger, served := _spread(accounts, ON_LEASES), CLIENTS, watch)
                print(watch.row(name, wallets, "on leases"))
            for clients, requests in directly.items():
                watch = Watch(requests)
                await _direct(storage, asked := _spread(accounts, requests), clients, watch)
                print(watch.row(name, wallets, f"directly, {clients} at a time"))
                served += asked
            charged.update(served)
        lease_id = await _lease(storage, accounts[0])
        for size, requests in BATCHES.items():
            watch = await _shipped(storage, accounts[0], lease_id, size, requests)
            print(watch.row(name, 1, f"booked {size} at a time"))
            charged[accounts[0]] += requests
        await prove(storage, charged)


async def fund(storage: Storage, account: str) -> None:
    """Open a wallet with `CREDIT`."""
    await storage.ledger.open_wallet(account)
    await storage.ledger.grant(account, CREDIT, reason="bench", idempotency_key="bench")


async def prove(storage: Storage, charged: Counter[str]) -> None:
    """Every wallet has what its requests left of it, and the books balance. Raises `RuntimeError`."""
    wrong = [
        account
        for account, requests in charged.items()
        if (await storage.books.wallet(account)).balance != CREDIT - requests * PRICE
    ]
    if wrong or not (await storage.ledger.verify()).sound:
        message = f"the books are wrong, and so the figures mean nothing: {wrong}"
        raise RuntimeError(message)


@asynccontextmanager
async def opened(url: str, folder: Path) -> AsyncIterator[Storage]:
    """The store; `folder` has the key its receipts are signed with."""
    storage = await open_storage(url, signer=load_or_create_signer(folder), clock=SystemClock())
    try:
        yield storage
    finally:
        await storage.close()


async def _direct(storage: Storage, accounts: Sequence[str], clients: int, watch: Watch) -> None:
    """Each client places its hold and waits for it; a shipper takes the endings that have come up meanwhile."""
    left, ended = iter(accounts), deque[Resolved]()

    async def client() -> None:
        for account in left:
            asked = request(account)
            with watch.hold():
                await storage.books.place(asked)
            ended.append(Resolved(asked, None, settlement(asked), PRICE))

    async def shipper() -> None:
        shipped = 0
        while shipped < len(accounts):
            page = [ended.popleft() for _ in range(min(len(ended), PAGE))]
            await storage.books.ship(page)
            shipped += len(page)
            if not page:
                await asyncio.sleep(0.001)
        watch.all_booked()

    with watch.running():
        shipping = asyncio.create_task(shipper())
        await asyncio.gather(*[client() for _ in range(clients)])
        watch.all_admitted()
        await shipping


async def _lease(storage: Storage, account: str) -> str:
    """A lease for all that is booked of an account by `BATCHES`."""
    wanted, at = AMOUNT * sum(BATCHES.values()), datetime.now(UTC)
    wish = LeaseWish("lease", account, f"key_{account}", "bench", wanted, wanted, at, at + timedelta(minutes=15))
    await storage.books.lease(wish)
    return wish.lease_id


async def _shipped(storage: Storage, account: str, lease_id: str, size: int, requests: int) -> Watch:
    """Endings are booked, a batch at a time."""
    asked = [request(account) for _ in range(requests)]
    endings = [Resolved(each, lease_id, settlement(each), PRICE) for each in asked]
    watch = Watch(requests)
    with watch.running():
        for start in range(0, requests, size):
            await storage.books.ship(endings[start : start + size])
        watch.all_booked()
    return watch


def _spread(accounts: Sequence[str], requests: int) -> list[str]:
    """An account for each request, in turn."""
    return list(islice(cycle(accounts), requests))


def _sync_seconds(folder: Path) -> float:
    """The median time to make 16 KiB durable."""
    times = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(bytes(16_384))
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begun)
    return statistics.median(times)
