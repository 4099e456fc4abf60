"""How long one decision takes, from prompt to arm, and how long learning one outcome takes.

What is timed is the code of `domain.bandit` that decides here and on the request path: what is believed of every arm,
and the draw by the part of its spread that the product draws with. The words of the prompt are read only here, as the
request path has nothing that was fitted on texts; it ranks by price, pace and health instead: `benchmarks.decisions`
times that.

Garbage is collected as the server does it: objects that were there before are left alone, as they are no garbage.
"""

import gc
from collections.abc import Callable, Sequence
from random import Random
from time import perf_counter
from typing import NamedTuple

from monkey_coder_server.domain.bandit.choice import DRAWN_SPREAD, drawn, limited
from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.bandit.directions import Direction
from monkey_coder_server.domain.bandit.gate import FEWEST, Gate
from monkey_coder_server.domain.bandit.posterior import Belief, Posterior
from monkey_coder_server.domain.bandit.quality import Quality, Telling
from monkey_coder_server.domain.bandit.text import BUCKETS, COUNTS, READ
from monkey_coder_server.evaluation.routing.data import Row
from monkey_coder_server.evaluation.routing.protocol import quantile

ARMS = tuple(f"arm {number}" for number in range(20))
ROUNDS = 2_000
GROUPS = 12
SEED = 11


class Microseconds(NamedTuple):
    """The median and the 99th percentile."""

    p50: float
    p99: float


def measure(rows: Sequence[Row]) -> tuple[Microseconds, Microseconds]:
    """A decision over 20 arms, from the text to the draw, and an update.

    Prompts have 2,000 characters or more where there are any such.
    """
    random = Random(SEED)
    long = [row.prompt for row in rows if row.prompt is not None and len(row.prompt) >= READ]
    prompts = long or ["".join(random.choices("abcdefghij klmnop\n", k=READ)) for _ in range(50)]
    quality = _taught(random)
    costs = [random.random() for _ in ARMS]
    proven = [True] * len(ARMS)

    def decide(turn: int) -> None:
        context = Context.of("issue-fix", "python", f"group {turn % GROUPS}", prompt=prompts[turn % len(prompts)])
        beliefs = quality.expect(context, ARMS)
        utilities = [
            Belief(mean - 0.3 * cost, DRAWN_SPREAD * spread)
            for (mean, spread), cost in zip(beliefs, costs, strict=True)
        ]
        drawn(limited(utilities, proven), random.random())

    context = Context.of("issue-fix", "python", "group 1", prompt=prompts[0])
    return _timed(decide), _timed(lambda turn: quality.update(context, ARMS[turn % len(ARMS)], 1.0))


def _taught(random: Random) -> Quality:
    posterior = Posterior()
    for turn in range(2_000):
        context = Context.of("issue-fix", "python", f"group {turn % GROUPS}")
        posterior.update(context, random.choice(ARMS), float(random.random() < 0.5))
    posterior.settle()
    direction = Direction([random.gauss(0, 0.01) for _ in range(BUCKETS)], [0.01] * COUNTS, 0.0)
    gate = Gate()
    for _ in range(FEWEST):
        gate.add(1.0, 1.0)
    return Quality(posterior, Telling(direction, dict.fromkeys(ARMS, 1.0)), gate)


def _timed(action: Callable[[int], None]) -> Microseconds:
    times = []
    gc.collect()
    gc.freeze()
    try:
        for turn in range(ROUNDS):
            start = perf_counter()
            action(turn)
            times.append(1e6 * (perf_counter() - start))
    finally:
        gc.unfreeze()
    return Microseconds(quantile(times, 0.5), quantile(times, 0.99))
