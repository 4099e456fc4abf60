"""How the gateway's memory grows with what it has served: `python -m benchmarks.speed.slope [REQUESTS]`.

A million by default, from 16 clients, half a minute of warming up before. Memory is read twenty times on the way; the
slope is that of the straight line nearest to all readings, in MiB per million requests.
"""

import asyncio
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import uvloop

from benchmarks import load
from benchmarks.speed.rounds import SMALL
from benchmarks.speed.stacks import Stack, ours, provider

READINGS = 20
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
            readings = [(0, _resident(stack))]
            for number in range(1, READINGS + 1):
                runner.run(_serve(stack, requests // READINGS))
                readings.append((number * (requests // READINGS), _resident(stack)))
                print(f"{readings[-1][0]:>9} requests {readings[-1][1]:8.1f} MiB", flush=True)
    slope = statistics.linear_regression(*zip(*readings, strict=True)).slope * 1e6
    print(f"memory grows by {slope:.2f} MiB per million requests; the target is at most 1")
    return 0


async def _serve(stack: Stack, requests: int) -> None:
    measured = await load.run(
        stack.port,
        lambda number: stack.request(number, stream=False, prompt_bytes=SMALL),
        requests=requests,
        concurrency=CLIENTS,
    )
    if measured.failed:
        message = f"{measured.failed} of {requests} requests failed; the figures would mean nothing"
        raise RuntimeError(message)


def _resident(stack: Stack) -> float:
    assert stack.program is not None
    return stack.program.resident_mebibytes()


if __name__ == "__main__":
    sys.exit(main())
