"""One account that floods a gateway, and nine quiet ones beside it: how much longer these wait for their holds.

The flood is paced, at more than a thousand requests a second, as are the quiet accounts. All requests are held from
leases, ended in a strict journal and booked behind. Quiet alone, then beside the flood, in turn; the ratio is that of
the medians of the rounds. Every wallet must be right to the last nano.
"""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median

from benchmarks import leased
from benchmarks.books import databases, fund, opened, prove
from benchmarks.served import settlement
from benchmarks.watch import Watch, percentiles
from monkey_coder_server.adapters.leasing import LeasedLedger

QUIET = tuple(f"acc_quiet_{number}" for number in range(9))
FLOOD = "acc_flood"
QUIET_RATE, FLOOD_RATE = 20, 1_100
"""Requests a second: of each quiet account, and of the one that floods."""
SECONDS, ROUNDS = 3.0, 3
_COLUMNS = "{:12} {:>22} {:>22} {:>10} {:>10} {:>10}"


def main() -> None:
    """Run and print the table."""
    print(
        f"Neighbours: holds of {len(QUIET)} accounts with {QUIET_RATE} requests/s each, alone and beside {FLOOD_RATE}/s"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # a server run by root's `postgres` goes through it
        print(_COLUMNS.format("database", "alone p50/p99", "beside p50/p99", "p50 ratio", "p99 ratio", "flood/s"))
        for name, url in databases(Path(folder)):
            asyncio.run(_measure(name, url, Path(folder)))


async def _measure(name: str, url: str, folder: Path) -> None:
    accounts = (*QUIET, FLOOD)
    charged = Counter[str]()
    alone, beside, floods = list[tuple[float, float]](), list[tuple[float, float]](), list[float]()
    async with opened(url, folder) as storage:
        await asyncio.gather(*[fund(storage, account) for account in accounts])
        async with leased.opened(storage, folder / f"{name}_neighbours") as ledger:
            await leased.lease(ledger, accounts)
            for _ in range(ROUNDS):
                alone.append(percentiles((await _quiet(ledger, charged)).waits))
                flood = asyncio.create_task(_paced(ledger, FLOOD, FLOOD_RATE, charged))
                beside.append(percentiles((await _quiet(ledger, charged)).waits))
                floods.append(len((await flood).waits) / SECONDS)
        await prove(storage, charged)
    before, after = _middle(alone), _middle(beside)
    ratios = [f"{after[each] / before[each]:.2f}" for each in (0, 1)]
    print(_COLUMNS.format(name, _shown(before), _shown(after), *ratios, f"{median(floods):.0f}"))


async def _quiet(ledger: LeasedLedger, charged: Counter[str]) -> Watch:
    """All quiet accounts for the time of a round."""
    watches = await asyncio.gather(*[_paced(ledger, account, QUIET_RATE, charged) for account in QUIET])
    return Watch(0, waits=[wait for watch in watches for wait in watch.waits])


async def _paced(ledger: LeasedLedger, account: str, rate: int, charged: Counter[str]) -> Watch:
    """So many requests a second for the time of a round, whether the earlier ones have ended or not."""
    requests = int(rate * SECONDS)
    watch, loop = Watch(requests), asyncio.get_running_loop()
    began, running = loop.time(), set[asyncio.Task[None]]()
    for number in range(requests):
        await asyncio.sleep(began + number / rate - loop.time())
        running.add(asyncio.create_task(_serve(ledger, account, watch)))
    await asyncio.gather(*running)
    charged[account] += requests
    return watch


async def _serve(ledger: LeasedLedger, account: str, watch: Watch) -> None:
    await ledger.settle(settlement(await leased.timed(ledger, account, watch)))


def _middle(rounds: list[tuple[float, float]]) -> tuple[float, float]:
    return median(p50 for p50, _ in rounds), median(p99 for _, p99 in rounds)


def _shown(figures: tuple[float, float]) -> str:
    return f"{figures[0] * 1e3:.3f} / {figures[1] * 1e3:.3f} ms"
