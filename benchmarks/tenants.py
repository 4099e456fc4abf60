"""Quiet tenants over HTTP, alone and beside one that sends as fast as it can; and what is served of too much.

The gateway's event loop runs on the first processor; the simulated providers and both kinds of callers share the last
one, the flood at the lowest priority: what is compared is the gateway, not who gets the processor. With one processor
the figures mean little. Rounds alone and beside take turns; figures are medians of the rounds. Data are kept where
`TMPDIR` says: on a disk that others write to, each commit, alone or not, takes as long as that disk lets it.
"""

import asyncio
import math
import os
import statistics
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from random import Random

import uvloop

from benchmarks import load
from benchmarks.pair import Pair, running

QUIET, QUIET_RATE = 4, 20
"""Tenants, and the requests a second of each, at chance moments."""
FLOODS = (64, 256, 1_000)
"""Connections of the one that floods: on each it sends again as soon as it has an answer, whatever the answer is."""
PROVIDERS = (50, 1_000)
"""Milliseconds after which the simulated provider answers."""
OVERLOADS = (1, 2, 5)
MOST_CONNECTIONS = 1_000
"""Of an overload: who finds none free does not send."""
SECONDS, ROUNDS = 4.0, 3
SETTLING = 1.5
"""Seconds that both have run before they are looked at."""


@dataclass(slots=True)
class Heard:
    """Replies of one side of a round: seconds of those that were served, and all by status."""

    seconds: float
    served: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    unsent: int = 0

    def quantile(self, share: float) -> float:
        """Milliseconds that `share` of the served did not exceed."""
        ordered = sorted(self.served)
        return 1e3 * ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else math.nan

    @property
    def rate(self) -> float:
        """Served requests a second."""
        return len(self.served) / self.seconds


def main() -> None:
    """Run and print both tables."""
    with running(keys=QUIET + 1) as pair, _clients(0) as quiet, _clients(19) as loud:
        os.sched_setaffinity(pair.gateway.pid, _first())
        os.sched_setaffinity(pair.simulators.pid, _last())
        bench = _Bench(pair, quiet, loud)
        bench.warm()
        print(
            f"{QUIET} tenants with {QUIET_RATE} requests/s each, alone and beside a flood; "
            f"medians of {ROUNDS} interleaved rounds of {SECONDS:.0f} s"
        )
        print(_ROW.format("provider", "flood", "alone p50/p99", "beside p50/p99", "p50 ratio", "p99 ratio", "flood/s"))
        for milliseconds in PROVIDERS:
            for connections in FLOODS:
                bench.neighbours(milliseconds, connections)
        print()
        bench.overloads()


_ROW = "{:>9} {:>6} {:>22} {:>22} {:>10} {:>10} {:>9}"
_OVERLOAD_ROW = "{:>8} {:>10} {:>9} {:>9} {:>10} {:>9} {:>20} {:>24}"


class _Bench:
    def __init__(self, pair: Pair, quiet: ProcessPoolExecutor, loud: ProcessPoolExecutor) -> None:
        self._pair = pair
        self._quiet = quiet
        self._loud = loud

    def warm(self) -> None:
        """Let caches, pools and the interpreter find their shape."""
        port, requests = self._pair.gateway.port, self._requests(0)
        self._loud.submit(flood, port, requests[-1], 16, 3.0).result()
        self._quiet.submit(paced, port, requests[:-1], QUIET_RATE, 1.0, MOST_CONNECTIONS).result()

    def neighbours(self, milliseconds: int, connections: int) -> None:
        """One row: the quiet ones alone, and beside the flood."""
        alone, beside, floods = list[Heard](), list[Heard](), list[Heard]()
        for _ in range(ROUNDS):
            alone.append(self._beside(milliseconds, 0)[0])
            heard, flooded = self._beside(milliseconds, connections)
            beside.append(heard)
            floods.append(flooded)
        before, after = [_middle(alone, share) for share in (0.5, 0.99)], [_middle(beside, s) for s in (0.5, 0.99)]
        lost = sum(each.statuses.total() - each.statuses[200] for each in [*alone, *beside])
        print(
            _ROW.format(
                f"{milliseconds} ms",
                connections,
                f"{before[0]:.2f} / {before[1]:.2f} ms",
                f"{after[0]:.2f} / {after[1]:.2f} ms",
                f"{after[0] / before[0]:.2f}",
                f"{after[1] / before[1]:.2f}",
                f"{statistics.median(each.rate for each in floods):.0f}",
            )
            + (f"  {lost} of the quiet were refused" if lost else ""),
            flush=True,
        )

    def _beside(self, milliseconds: int, connections: int) -> tuple[Heard, Heard]:
        port, requests = self._pair.gateway.port, self._requests(milliseconds)
        flooding = None
        if connections:
            flooding = self._loud.submit(flood, port, requests[-1], connections, SECONDS + 2 * SETTLING)
        asked = self._quiet.submit(
            paced, port, requests[:-1], QUIET_RATE, SECONDS + SETTLING, MOST_CONNECTIONS, settling=SETTLING
        )
        heard: Heard = asked.result()
        return heard, (Heard(SECONDS) if flooding is None else flooding.result())

    def overloads(self) -> None:
        """All tenants together send so many times what is served at most."""
        port, requests = self._pair.gateway.port, self._requests(50)
        print(f"{len(requests)} tenants send so many times what is served at most, as seen just before and after")
        columns = ("offered", "answered/s", "served/s", "goodput", "refused/s", "unsent/s", "served p50/p99", "ready")
        print(_OVERLOAD_ROW.format(*columns))
        after = self._capacity()
        for times in OVERLOADS:
            before = after
            rate = times * before / len(requests)
            running = self._loud.submit(paced, port, requests, rate, 2 * SECONDS, MOST_CONNECTIONS)
            ready = self._quiet.submit(watch_readiness, port, 2 * SECONDS).result()
            heard: Heard = running.result()
            after = self._capacity()
            refused = heard.statuses.total() - heard.statuses[200]
            print(
                _OVERLOAD_ROW.format(
                    f"{times} x",
                    f"{heard.statuses.total() / heard.seconds:.0f}",
                    f"{heard.rate:.0f}",
                    f"{2 * heard.rate / (before + after):.2f}",
                    f"{refused / heard.seconds:.0f}",
                    f"{heard.unsent / heard.seconds:.0f}",
                    f"{heard.quantile(0.5):.0f} / {heard.quantile(0.99):.0f} ms",
                    f"{ready.statuses[200]} of {ready.statuses.total()}, p99 {ready.quantile(0.99):.0f} ms",
                ),
                flush=True,
            )

    def _capacity(self) -> float:
        """Requests served a second to one tenant that has 64 under way."""
        heard: Heard = self._loud.submit(flood, self._pair.gateway.port, self._requests(50)[0], 64, SECONDS).result()
        return heard.rate

    def _requests(self, milliseconds: int) -> list[bytes]:
        prompt = f"Write a Fibonacci function. [[sandbox first_token_ms={milliseconds}]]"
        return [self._pair.through(prompt, key=key) for key in self._pair.keys]


def flood(port: int, request: bytes, connections: int, seconds: float) -> Heard:
    """Send on each connection as soon as the answer to the last request is there."""
    return uvloop.run(_flood(port, request, connections, seconds))


async def _flood(port: int, request: bytes, connections: int, seconds: float) -> Heard:
    heard, until = Heard(seconds), time.perf_counter() + seconds

    async def caller() -> None:
        connection = await load.connect(port)
        while (began := time.perf_counter()) < until:
            status = await connection.exchange(request)
            heard.statuses[status] += 1
            if status == 200:
                heard.served.append(time.perf_counter() - began)
        connection.close()

    await asyncio.gather(*(caller() for _ in range(connections)))
    return heard


def paced(  # noqa: PLR0913, PLR0917 - it is sent to another process
    port: int, requests: list[bytes], rate: float, seconds: float, most: int, settling: float = 0.0
) -> Heard:
    """Send each request `rate` times a second, at chance moments, whether earlier ones are answered or not.

    What is sent in the first `settling` seconds is not counted.
    """
    return uvloop.run(_paced(port, requests, rate, seconds, most, settling))


async def _paced(  # noqa: PLR0913, PLR0917 - as above
    port: int, requests: list[bytes], rate: float, seconds: float, most: int, settling: float
) -> Heard:
    heard, idle, made = Heard(seconds - settling), deque[load.Connection](), 0
    running, random = set[asyncio.Task[None]](), Random(len(requests))
    counted_from = time.perf_counter() + settling

    async def ask(request: bytes) -> None:
        nonlocal made
        began = time.perf_counter()
        if idle:
            connection = idle.pop()
        else:
            made += 1
            connection = await load.connect(port)
        status = await connection.exchange(request)
        idle.append(connection)
        if began < counted_from:
            return
        heard.statuses[status] += 1
        if status == 200:
            heard.served.append(time.perf_counter() - began)

    loop = asyncio.get_running_loop()
    due = began = loop.time()
    while due < began + seconds:
        due += random.expovariate(rate * len(requests))
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        if not idle and made >= most:
            heard.unsent += 1
            continue
        task = asyncio.create_task(ask(random.choice(requests)))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    heard.seconds = loop.time() - began - settling
    for connection in idle:
        connection.close()
    return heard


def watch_readiness(port: int, seconds: float) -> Heard:
    """Ask ten times a second whether the gateway is ready."""
    return paced(port, [f"GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()], 10, seconds, 10)


def _middle(rounds: list[Heard], share: float) -> float:
    return statistics.median(each.quantile(share) for each in rounds)


@contextmanager
def _clients(nice: int) -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_settle, initargs=(nice,)) as clients:
        yield clients


def _settle(nice: int) -> None:
    os.nice(nice)
    os.sched_setaffinity(0, _last())


def _first() -> set[int]:
    return {min(os.sched_getaffinity(0))}


def _last() -> set[int]:
    return {max(os.sched_getaffinity(0))}


if __name__ == "__main__":
    main()
