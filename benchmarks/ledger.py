"""The ledger alone: a hold and its settlement, each durable, by so many requests at a time.

Printed beside the time one `fdatasync` takes on the same disk: what one request at a time cannot beat.
"""

import asyncio
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monkey_coder_server.adapters.signing.ed25519 import load_or_create_signer
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.adapters.system.ids import system_ids
from monkey_coder_server.domain.money import NANO_PER_USD
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.ledger import AttemptRecord, HoldRequest, Settlement

ACCOUNT, KEY = "acc_bench", "key_bench"
PAIRS = {1: 600, 16: 3_000, 256: 6_000}
SYNCS = 300
new_id = system_ids().new


def main() -> None:
    """Run and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> None:
    print(f"A hold and its settlement, each on disk when told; fdatasync takes {_sync_seconds(folder) * 1e3:.2f} ms")
    print("{:>8} {:>10} {:>10} {:>10}".format("requests", "pairs/s", "p50", "CPU/pair"))
    storage = await open_storage(folder / "books.db", signer=load_or_create_signer(folder), clock=SystemClock())
    await storage.ledger.open_wallet(ACCOUNT)
    await storage.ledger.grant(ACCOUNT, 10_000 * NANO_PER_USD, reason="bench", idempotency_key="bench")
    for concurrency, pairs in PAIRS.items():
        await _row(storage, concurrency, pairs)
    if not (await storage.ledger.verify()).sound:
        raise RuntimeError("the books do not balance; the figures would mean nothing")
    await storage.close()


async def _row(storage: Storage, concurrency: int, pairs: int) -> None:
    times: list[float] = []
    numbers = iter(range(pairs))

    async def client() -> None:
        for _ in numbers:
            begun = time.perf_counter()
            await _pair(storage)
            times.append(time.perf_counter() - begun)

    begun, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client() for _ in range(concurrency)))
    taken, used = time.perf_counter() - begun, time.process_time() - cpu
    p50 = statistics.median(times)
    print(f"{concurrency:>8} {pairs / taken:>10.0f} {p50 * 1e3:>7.2f} ms {used / pairs * 1e6:>7.0f} us")


async def _pair(storage: Storage) -> None:
    """One request's money: held, then settled, which is durable with its hold."""
    request_id, at = new_id("req"), datetime.now(UTC)
    asked = HoldRequest(request_id, ACCOUNT, KEY, NANO_PER_USD // 100, at, at + timedelta(minutes=10))
    await storage.ledger.hold(asked)
    await storage.ledger.settle(settlement(request_id, at))


def settlement(request_id: str, at: datetime) -> Settlement:
    """A served request of little cost."""
    return Settlement(
        request_id=request_id,
        account_id=ACCOUNT,
        key_id=KEY,
        at=at,
        provider="openai",
        model="gpt-4.1-mini",
        usage=Usage(uncached_input=120, output=300),
        provider_cost=500_000,
        price=600_000,
        price_row="openai/gpt-4.1-mini",
        price_book="bench",
        markup_basis_points=2_000,
        attempts=(AttemptRecord("openai", "gpt-4.1-mini", "served", 200, 900),),
        finish_reason="stop",
        stream=False,
        task_type="code_generation",
        persona="developer",
        latency_ms=900,
        first_byte_ms=200,
    )


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
