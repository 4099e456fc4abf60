"""`POST /v1/execute` and its stream through the gateway beside a direct call to the same upstream, interleaved.

Printed: latency of both sides, what the gateway adds, and the CPU per request of either process, which is what remains
comparable when clients, upstream and gateway share the machine's cores: then the latency at concurrency 16 is 16
requests' CPU in a queue. A lone client finds cold caches and pays for every wake-up alone: how much that inflates any
process's CPU shows in the direct side's. Strict durability is on: every hold and every settlement is on disk before its
reply is complete.
"""

import asyncio
import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import load
from benchmarks.pair import Pair, running
from tools.processes import Process

PROMPT = "Write a Python function that returns the n-th Fibonacci number."
LONG_PROMPT = PROMPT + "\n" + "Keep to the style of the code base that this function is for. " * 320
SLOW_PROMPT = f"{PROMPT} [[sandbox first_token_ms=50]]"
COARSE_PROMPT = f"{PROMPT} [[sandbox chunk=400]]"
FINE_PROMPT = f"{PROMPT} [[sandbox chunk=4]]"
ROUNDS = 5
REQUESTS = 400

Make = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked, of both sides, by so many clients at a time."""

    name: str
    concurrency: int
    direct: Make
    through: Make


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one side: milliseconds, CPU milliseconds per request, and stream events per request."""

    p50: float
    p99: float
    cpu: float
    events: float


def main() -> None:
    """Run and print the table."""
    with running() as pair:
        asyncio.run(_measure(pair))


def _works(pair: Pair) -> list[Work]:
    direct = pair.direct(PROMPT)
    through = pair.through(PROMPT)
    return [
        Work("one model", 1, _always(direct), _always(through)),
        Work("one model", 16, _always(direct), _always(through)),
        Work("answer after 50 ms", 16, _always(pair.direct(SLOW_PROMPT)), _always(pair.through(SLOW_PROMPT))),
        Work("prompt of 20 kB", 16, _always(pair.direct(LONG_PROMPT)), _always(pair.through(LONG_PROMPT))),
        Work("auto, ranked before", 16, _always(direct), _always(pair.through(PROMPT, model="auto"))),
        Work("auto, ranked anew", 16, _always(direct), _anew(pair)),
        _stream("stream, coarse", COARSE_PROMPT, pair),
        _stream("stream, fine", FINE_PROMPT, pair),
    ]


def _always(request: bytes) -> Make:
    return lambda _: request


def _anew(pair: Pair) -> Make:
    """Requests of which no two can share a ranking within its lifetime: each has its own token limit."""
    requests = [pair.through(PROMPT, model="auto", max_tokens=1024 + number) for number in range(4 * REQUESTS)]
    numbers = iter(range(10**9))
    return lambda _: requests[next(numbers) % len(requests)]


def _stream(name: str, prompt: str, pair: Pair) -> Work:
    direct, through = pair.direct(prompt, stream=True), pair.through(prompt, stream=True)
    return Work(name, 16, _always(direct), _always(through))


async def _measure(pair: Pair) -> None:
    for port, request in ((pair.simulators.port, pair.direct(PROMPT)), (pair.gateway.port, pair.through(PROMPT))):
        await load.run(port, _always(request), requests=400, concurrency=4)
    print(f"Through the gateway, strict durability; medians of {ROUNDS} interleaved rounds; {os.cpu_count()} cores")
    columns = (
        "",
        "clients",
        "direct p50",
        "gateway p50",
        "added p50",
        "ratio",
        "added p99",
        "direct CPU",
        "CPU/request",
    )
    print("{:<20} {:>7} {:>11} {:>12} {:>10} {:>6} {:>10} {:>11} {:>12}".format(*columns))
    streams: list[tuple[float, float]] = []
    for work in _works(pair):
        direct, gateway = await _rounds(pair, work)
        _print_row(work, direct, gateway)
        if work.name.startswith("stream"):
            streams.append((_median(gateway, _cpu), _median(direct, lambda each: each.events)))
    (coarse, few), (fine, many) = streams
    print(f"a chunk more of a stream costs {(fine - coarse) / (many - few) * 1e3:.0f} us of CPU")
    print(f"gateway memory after the run: {pair.gateway.resident_mebibytes():.0f} MiB")


async def _rounds(pair: Pair, work: Work) -> tuple[list[Round], list[Round]]:
    direct, gateway = [], []
    for _ in range(ROUNDS):
        direct.append(await _round(pair.simulators, work.direct, work.concurrency))
        gateway.append(await _round(pair.gateway, work.through, work.concurrency))
    return direct, gateway


async def _round(asked: Process, make: Make, concurrency: int) -> Round:
    before = asked.cpu_seconds()
    measured = await load.run(asked.port, make, requests=REQUESTS, concurrency=concurrency)
    used = asked.cpu_seconds() - before
    if measured.failed:
        message = f"{measured.failed} of {REQUESTS} requests failed; the figures would mean nothing"
        raise RuntimeError(message)
    p50, p99 = measured.quantile(0.5) * 1e3, measured.quantile(0.99) * 1e3
    return Round(p50, p99, used / REQUESTS * 1e3, measured.events / REQUESTS)


def _median(rounds: list[Round], figure: Callable[[Round], float]) -> float:
    return statistics.median(figure(each) for each in rounds)


def _p50(each: Round) -> float:
    return each.p50


def _cpu(each: Round) -> float:
    return each.cpu


def _print_row(work: Work, direct: list[Round], gateway: list[Round]) -> None:
    added = statistics.median(ours.p50 - theirs.p50 for ours, theirs in zip(gateway, direct, strict=True))
    added_p99 = statistics.median(ours.p99 - theirs.p99 for ours, theirs in zip(gateway, direct, strict=True))
    p50, ours = _median(direct, _p50), _median(gateway, _p50)
    print(
        f"{work.name:<20} {work.concurrency:>7} {p50:>8.2f} ms {ours:>9.2f} ms {added:>7.2f} ms {ours / p50:>6.2f}"
        f" {added_p99:>7.2f} ms {_median(direct, _cpu):>8.2f} ms {_median(gateway, _cpu):>9.2f} ms"
    )
