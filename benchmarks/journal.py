"""The journal alone: what a stream waits for the disk before its call, its first byte and its last.

A request notes an intent (the call of its provider waits where no slot has room for it), writes a draft (the first byte
waits), a draft (nobody) and its ending (the last byte waits); endings are read and forgotten in batches meanwhile, as
the shipper does.
"""

import asyncio
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from benchmarks.served import request, settlement
from benchmarks.watch import percentiles, spread
from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory, Options
from monkey_coder_server.adapters.storage.journal.journal import SqliteJournal
from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.adapters.system.ids import system_ids
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.journal import Intent
from monkey_coder_server.ports.ledger import FailedRequest, HoldRequest, Settlement

REQUESTS = {1: 400, 16: 2_000, 256: 5_000}
PAGE = 256
ACCOUNT, KEY = "acc_bench", "key_bench"
new_id = system_ids().new


@dataclass(slots=True)
class Waits:
    """Seconds, one for each request; `together` is all that one waited for."""

    call: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)


def main() -> None:
    """Run and print the table."""
    print("The journal: waits for the disk, by requests at a time; CPU for a request's four records and their shipping")
    row = "{:8} {:>8} {:>11} {:>22} {:>22} {:>22} {:>12}"
    waited = [f"{name} p50/p99" for name in ("call", "first byte", "last byte")]
    print(row.format("", "requests", "requests/s", *waited, "CPU/request"))
    waited_by: dict[tuple[bool, int], list[float]] = {}
    for relaxed in (False, True):
        for concurrency, requests in REQUESTS.items():
            with tempfile.TemporaryDirectory() as folder:
                figures, waits = asyncio.run(_measure(Path(folder), concurrency, requests, relaxed=relaxed))
            print(row.format("relaxed" if relaxed else "strict", concurrency, *figures))
            waited_by[relaxed, concurrency] = waits.together
    for concurrency in REQUESTS:
        strict, relaxed_one = (percentiles(waited_by[relaxed, concurrency]) for relaxed in (False, True))
        added = " / ".join(f"{(ours - theirs) * 1e3:.2f}" for ours, theirs in zip(strict, relaxed_one, strict=True))
        print(f"strict durability adds to a stream, {concurrency} at a time, p50/p99: {added} ms")


async def _measure(folder: Path, concurrency: int, requests: int, *, relaxed: bool) -> tuple[tuple[str, ...], Waits]:
    journal = await JournalDirectory(folder, clock=SystemClock(), options=Options(relaxed=relaxed)).open("bench")
    served = [_served() for _ in range(requests)]
    left, waits = iter(served), Waits()

    async def client() -> None:
        for hold, settled in left:
            await _request(journal, hold, settled, waits)

    shipping = asyncio.create_task(_ship(journal))
    begun, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client() for _ in range(concurrency)))
    taken, used = time.perf_counter() - begun, time.process_time() - cpu
    shipping.cancel()
    await asyncio.wait({shipping})
    await journal.close()
    spreads = (spread(waits.call), spread(waits.first), spread(waits.last))
    return (f"{requests / taken:.0f}", *spreads, f"{used / requests * 1e6:.0f} us"), waits


def _served() -> tuple[HoldRequest, Settlement]:
    hold = request("acc_bench")
    return hold, settlement(hold)


async def _request(journal: SqliteJournal, hold: HoldRequest, settled: Settlement, waits: Waits) -> None:
    draft = FailedRequest(hold.request_id, ACCOUNT, KEY, hold.at, "unavailable", "The gateway stopped.")
    begun = time.perf_counter()
    intended = journal.intend(Intent(hold, "lease", draft))
    if not intended.is_kept:
        await intended.durable()
    call = time.perf_counter() - begun
    waits.call.append(call)
    await asyncio.sleep(0)
    begun = time.perf_counter()
    await journal.note(hold.request_id, msgspec.structs.replace(settled, price=1)).durable()
    first = time.perf_counter() - begun
    waits.first.append(first)
    journal.note(hold.request_id, settled)
    await asyncio.sleep(0)
    begun = time.perf_counter()
    await journal.resolve(Resolved(hold, "lease", settled, settled.price)).durable()
    last = time.perf_counter() - begun
    waits.last.append(last)
    waits.together.append(call + first + last)


async def _ship(journal: SqliteJournal) -> None:
    while True:
        await asyncio.sleep(0.05)
        while page := await journal.endings(0, PAGE):
            journal.forget([number for number, _ in page])
