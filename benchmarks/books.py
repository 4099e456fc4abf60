"""The ledger database behind many requests: held in it one by one, or admitted on leases, and shipped to it after.

With leases the database sees a lease now and then and what came of each request; with direct holds it decides each,
and the table tells the median wait for one. One wallet for all requests, and one each for a thousand accounts; SQLite,
and a PostgreSQL that syncs, if it is there. Printed beside the time one `fdatasync` takes on the same disk.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

from benchmarks.served import settlement
from monkey_coder_server.adapters.signing.ed25519 import load_or_create_signer
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.adapters.system.ids import system_ids
from monkey_coder_server.domain.money import NANO_PER_USD
from monkey_coder_server.ports.books import LeaseWish, Resolved
from monkey_coder_server.ports.ledger import HoldRequest
from tools.postgresql import NoPostgresql, make

AMOUNT, PRICE = NANO_PER_USD // 100, 600_000
REQUESTS, PAGE, SYNCS = 1_000, 256, 300
DIRECTLY = {1: (1, 16, 256), 1_000: (256,)}
"""Clients that hold in the books at a time, by the number of wallets."""
BATCHES = {1: 100, 16: 800, 256: 1_024}
new_id = system_ids().new


def main() -> None:
    """Run and print the table."""
    print("The books: requests held and shipped; CPU of the gateway's process")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # a server run by root's `postgres` goes through it
        print(f"One fdatasync takes {_sync_seconds(Path(folder)) * 1e3:.2f} ms")
        row = "{:12} {:>8} {:14} {:>12} {:>14} {:>10}"
        print(row.format("database", "wallets", "held", "requests/s", "CPU/request", "hold p50"))
        for name, url in _databases(Path(folder)):
            asyncio.run(_measure(name, url, Path(folder)))


def _databases(folder: Path) -> Iterator[tuple[str, str]]:
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
    async with _opened(url, folder) as storage:
        for wallets, directly in DIRECTLY.items():
            accounts = [f"acc_{wallets}_{number}" for number in range(wallets)]
            await asyncio.gather(*[_fund(storage, account) for account in accounts])
            for clients in directly:
                asked = [_request(account) for account, _ in _spread(accounts)]
                await _direct(f"{name:12} {wallets:>8} {f'{clients} directly':14}", storage, asked, clients)
            await _leased(name, wallets, storage, accounts)
        leases = await _leases(storage, accounts[:1])
        for size, requests in BATCHES.items():
            batch = [_resolved(_request(accounts[0]), leases[accounts[0]]) for _ in range(requests)]
            begun, cpu = time.perf_counter(), time.process_time()
            for start in range(0, requests, size):
                await storage.books.ship(batch[start : start + size])
            _print(f"{name:12} {1:>8} {f'ship by {size}':14}", requests, begun, cpu)
        if not (await storage.ledger.verify()).sound:
            raise RuntimeError("the books do not balance; the figures would mean nothing")


async def _fund(storage: Storage, account: str) -> None:
    await storage.ledger.open_wallet(account)
    await storage.ledger.grant(account, 1_000 * NANO_PER_USD, reason="bench", idempotency_key="bench")


@asynccontextmanager
async def _opened(url: str, folder: Path) -> AsyncIterator[Storage]:
    storage = await open_storage(url, signer=load_or_create_signer(folder), clock=SystemClock())
    try:
        yield storage
    finally:
        await storage.close()


async def _leased(name: str, wallets: int, storage: Storage, accounts: Sequence[str]) -> None:
    """Leases are taken within the time measured; what is left on them is given back after it."""
    begun, cpu = time.perf_counter(), time.process_time()
    leases = await _leases(storage, accounts)
    ended = [_resolved(_request(account), leases[account]) for account, _ in _spread(accounts)]
    for start in range(0, len(ended), PAGE):
        await storage.books.ship(ended[start : start + PAGE])
    _print(f"{name:12} {wallets:>8} {'on leases':14}", len(ended), begun, cpu)


async def _direct(what: str, storage: Storage, asked: Sequence[HoldRequest], clients: int) -> None:
    """Each client places its hold and waits for it; a shipper takes the endings that have come up meanwhile."""
    left, ended, waits = iter(asked), deque[Resolved](), list[float]()
    begun, cpu = time.perf_counter(), time.process_time()

    async def client() -> None:
        for request in left:
            since = time.perf_counter()
            await storage.books.place(request)
            waits.append(time.perf_counter() - since)
            ended.append(_resolved(request, None))

    async def shipper() -> None:
        shipped = 0
        while shipped < len(asked):
            page = [ended.popleft() for _ in range(min(len(ended), PAGE))]
            await storage.books.ship(page)
            shipped += len(page)
            if not page:
                await asyncio.sleep(0.001)

    await asyncio.gather(shipper(), *[client() for _ in range(clients)])
    _print(what, len(asked), begun, cpu, f"{statistics.median(waits) * 1e3:>7.2f} ms")


async def _leases(storage: Storage, accounts: Sequence[str]) -> dict[str, str]:
    """One lease for each account that covers all its requests."""
    at = datetime.now(UTC)
    wanted = 2 * AMOUNT * max(REQUESTS // len(accounts), 1)
    wishes = [
        LeaseWish(new_id("lease"), account, f"key_{account}", "bench", wanted, AMOUNT, at, at + timedelta(minutes=15))
        for account in accounts
    ]
    await asyncio.gather(*[storage.books.lease(wish) for wish in wishes])
    return {wish.account_id: wish.lease_id for wish in wishes}


def _spread(accounts: Sequence[str]) -> Iterator[tuple[str, int]]:
    """As many accounts as there are requests, in turn."""
    return zip(cycle(accounts), range(REQUESTS), strict=False)


def _request(account: str) -> HoldRequest:
    at = datetime.now(UTC)
    return HoldRequest(new_id("req"), account, f"key_{account}", AMOUNT, at, at + timedelta(minutes=10))


def _resolved(asked: HoldRequest, lease_id: str | None) -> Resolved:
    return Resolved(asked, lease_id, settlement(asked), PRICE)


def _print(what: str, requests: int, begun: float, cpu: float, wait: str = "") -> None:
    taken, used = time.perf_counter() - begun, time.process_time() - cpu
    print(f"{what} {requests / taken:>12.0f} {used / requests * 1e6:>11.0f} us {wait}".rstrip())


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
