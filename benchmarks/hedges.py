"""What it costs to watch whether a model is late: CPU of a gateway per open request, hedged and not, interleaved.

Second calls that are made are in it, as far as answers of the simulators are late on this machine; how many is printed.
"""

import asyncio
import re
import statistics
import urllib.request

from benchmarks import load
from benchmarks.pair import Pair, running

PROMPT = "Write a Python function that returns the n-th Fibonacci number."
ROUNDS = 7
REQUESTS = 400
STARTED = re.compile(r"^monkey_coder_hedges_started (\S+)$", re.MULTILINE)


def main() -> None:
    """Run and print the table."""
    with running({"HEDGED_REQUESTS": "off"}) as plain, running({"HEDGED_REQUESTS": "on"}) as hedged:
        print(f"auto, 8 clients; medians of {ROUNDS} interleaved rounds of {REQUESTS} requests")
        for stream in (False, True):
            asyncio.run(_measure(plain, hedged, stream=stream))
        print(f"second calls in {(2 * ROUNDS + 2) * REQUESTS} hedged requests: {_started(hedged)}")


async def _measure(plain: Pair, hedged: Pair, *, stream: bool) -> None:
    used: dict[str, list[float]] = {"off": [], "on": []}
    for number in range(ROUNDS + 1):
        for name, pair in (("off", plain), ("on", hedged)):
            cpu = await _once(pair, stream=stream)
            if number:  # the first is for getting warm
                used[name].append(cpu)
    off, on = (statistics.median(used[name]) for name in ("off", "on"))
    kind = "stream" if stream else "whole"
    print(f"{kind:8} off {off:.3f} ms CPU a request   on {on:.3f} ms   ratio {on / off:.3f}")


async def _once(pair: Pair, *, stream: bool) -> float:
    """CPU milliseconds a request."""
    request, before = pair.through(PROMPT, stream=stream, model="auto"), pair.gateway.cpu_seconds()
    measured = await load.run(pair.gateway.port, lambda _: request, requests=REQUESTS, concurrency=8)
    if measured.failed:
        raise RuntimeError("an answer was not 200; the figures would mean nothing")
    return (pair.gateway.cpu_seconds() - before) / REQUESTS * 1e3


def _started(pair: Pair) -> int:
    url = f"http://127.0.0.1:{pair.metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as reply:
        found = STARTED.search(reply.read().decode())
    return int(float(found[1])) if found else 0
