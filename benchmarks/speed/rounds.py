"""Interleaved rounds: in each, every stack is asked the same by the same clients, one after the other."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import load
from benchmarks.speed.stacks import Stack
from benchmarks.speed.upstream import CHUNK_SECONDS, CHUNKS, FIRST_SECONDS, LATEST_SECONDS, later_seconds

SMALL, LARGE = 500, 200_000
"""Bytes of a prompt."""
ROUNDS = 5
_MOST, _FEWEST = 4_000, 60
_WARM = 200
_LATER_ROUND = 480
_STREAM_SECONDS = FIRST_SECONDS + CHUNKS * CHUNK_SECONDS


@dataclass(frozen=True, slots=True)
class Situation:
    """What is asked, by so many clients at a time, each sending its next request when it has its answer.

    `later`: the provider takes its time (`later_seconds`), which is no part of the times that are told, and clients
    begin evenly within it, so that they wait for the stack and not for one another.
    """

    name: str
    clients: int
    prompt_bytes: int = SMALL
    stream: bool = False
    later: bool = False
    rounds: int = ROUNDS


SITUATIONS = (
    Situation("1 client", 1),
    Situation("16 clients", 16),
    Situation("16 clients, answers after 50 to 150 ms", 16, later=True),
    Situation("64 clients", 64),
    Situation("256 clients", 256),
    Situation("prompts of 200 kB, 16 clients", 16, LARGE),
    Situation("512 streams of 50 chunks, 10 a second", 512, stream=True, rounds=3),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One stack in one round. Milliseconds; of streams until their first event. `cpu` is the stack's, a request."""

    p50: float
    p99: float
    cpu: float
    failed: int
    requests: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One stack in one situation: medians over rounds. `added_*` is to the direct call of the same round."""

    cpu: float
    p50: float
    p99: float
    added_p50: float
    added_p99: float
    failed: int
    requests: int

    @property
    def per_cpu_second(self) -> float:
        """Requests a core can serve in a second; 0 where no CPU is told."""
        return 1_000 / self.cpu if self.cpu else 0.0


async def measure(stacks: Sequence[Stack], situation: Situation) -> Mapping[str, Figures]:
    """By name of the stack; the first stack is the direct call."""
    counts = {stack.name: await _count(stack, situation) for stack in stacks}
    runs: dict[str, list[Run]] = {stack.name: [] for stack in stacks}
    for _ in range(situation.rounds):
        for stack in stacks:
            runs[stack.name].append(await _run(stack, situation, counts[stack.name]))
    straight = runs[stacks[0].name]
    return {name: _figures(made, straight) for name, made in runs.items()}


async def _count(stack: Stack, situation: Situation) -> int:
    """How many requests make a round of about a second, after a run that warms the stack up."""
    if situation.stream:
        return 2 * situation.clients
    if situation.later:
        return _LATER_ROUND
    warm = await _ask(stack, situation, max(situation.clients, _WARM if situation.prompt_bytes == SMALL else _FEWEST))
    seconds = sum(warm.latencies) / situation.clients
    return int(max(min(len(warm.latencies) / seconds, _MOST), _FEWEST, 2 * situation.clients))


async def _run(stack: Stack, situation: Situation, requests: int) -> Run:
    before = stack.program.cpu_seconds() if stack.program else 0.0
    measured = await _ask(stack, situation, requests)
    used = stack.program.cpu_seconds() - before if stack.program else 0.0
    times = measured.firsts if situation.stream else measured.latencies
    return Run(_quantile(times, 0.5), _quantile(times, 0.99), used / requests * 1e3, measured.failed, requests)


async def _ask(stack: Stack, situation: Situation, requests: int) -> load.Measured:
    return await load.run(
        stack.port,
        lambda number: stack.request(
            number, stream=situation.stream, prompt_bytes=situation.prompt_bytes, later=situation.later
        ),
        requests=requests,
        concurrency=situation.clients,
        spread=_STREAM_SECONDS if situation.stream else LATEST_SECONDS if situation.later else 0.0,
        waits=later_seconds if situation.later else None,
    )


def _quantile(times: Sequence[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))] * 1e3 if times else float("inf")


def _figures(runs: Sequence[Run], straight: Sequence[Run]) -> Figures:
    pairs = list(zip(runs, straight, strict=True))
    return Figures(
        cpu=statistics.median(run.cpu for run in runs),
        p50=statistics.median(run.p50 for run in runs),
        p99=statistics.median(run.p99 for run in runs),
        added_p50=statistics.median(run.p50 - other.p50 for run, other in pairs),
        added_p99=statistics.median(run.p99 - other.p99 for run, other in pairs),
        failed=sum(run.failed for run in runs),
        requests=sum(run.requests for run in runs),
    )
