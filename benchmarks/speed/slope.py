"""How the gateway's memory grows with what it has served: `python -m benchmarks.speed.slope [REQUESTS]`.

A million by default, in twenty parts, each over 16 new connections; half a minute of warming up before. A part's memory
is the median of readings twice a second: it swings by half a MiB while freed memory waits to be given back. The slope
is that of the straight line nearest to all parts, in MiB per million requests: of all that is resident, and of the
process's own, without pages of programs and libraries, which come to an end when all code has run once.
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import uvloop

from benchmarks import load
from benchmarks.speed.rounds import SMALL
from benchmarks.speed.stacks import Stack, ours, provider

PARTS = 20
EVERY_SECONDS = 0.5
CLIENTS = 16
WARM = 30_000


def main() -> int:
    """Run and print."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        place = running.enter_context(provider(Path(folder), Path(folder)))
        stack = running.enter_context(ours(place))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(stack, min(WARM, requests)))
            parts = []
            for number in range(1, PARTS + 1):
                resident, own = runner.run(_serve(stack, requests // PARTS))
                parts.append((number * (requests // PARTS), resident, own))
                print(f"{parts[-1][0]:>9} requests {resident:8.1f} MiB, {own:8.1f} of its own", flush=True)
    served_by, resident_by, own_by = zip(*parts, strict=True)
    grows, own_grows = _slope(served_by, resident_by), _slope(served_by, own_by)
    print(f"memory grows by {grows:.2f} MiB per million requests, its own by {own_grows:.2f}; the target is at most 1")
    return 0


def _slope(served: Sequence[float], mebibytes: Sequence[float]) -> float:
    return statistics.linear_regression(served, mebibytes).slope * 1e6


async def _serve(stack: Stack, requests: int) -> tuple[float, float]:
    """Ask so much; MiB resident meanwhile, and of its own among them."""
    readings: list[tuple[float, float]] = []
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(_read(stack, readings))
        measured = await load.run(
            stack.port,
            lambda number: stack.request(number, stream=False, prompt_bytes=SMALL),
            requests=requests,
            concurrency=CLIENTS,
        )
        reading.cancel()
    if measured.failed:
        message = f"{measured.failed} of {requests} requests failed; the figures would mean nothing"
        raise RuntimeError(message)
    resident, own = zip(*readings, strict=True)
    return statistics.median(resident), statistics.median(own)


async def _read(stack: Stack, readings: list[tuple[float, float]]) -> None:
    """Note MiB resident and of its own, now and then, until cancelled."""
    assert stack.program is not None
    while True:
        resident = stack.program.resident_mebibytes()
        readings.append((resident, resident - stack.program.mapped_mebibytes()))
        await asyncio.sleep(EVERY_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
