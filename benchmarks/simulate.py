"""Many seeded worlds: processes die at any step over books that fail; each ends with books that agree with the told."""

import logging
import os
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor

from packages.server.tests.adapters.leasing.simulated import replay, simulate

SEEDS = 10_000
FIRST = 1_000
"""The suite has tried those before."""


def main() -> None:
    """`SIMULATED_SEEDS` worlds from `SIMULATED_FIRST` on, on all processors. Exits with 1 and what ended wrong."""
    first = int(os.environ.get("SIMULATED_FIRST", str(FIRST)))
    count = int(os.environ.get("SIMULATED_SEEDS", str(SEEDS)))
    started = time.perf_counter()
    with ProcessPoolExecutor() as processes:
        ended = list(processes.map(_one, range(first, first + count), chunksize=20))
    seconds = time.perf_counter() - started
    wrong = [(seed, problem) for seed, problem, _ in ended if problem]
    served, deaths, leases = (sum(counts) for counts in zip(*[each[2] for each in ended], strict=True))
    print(f"{count} worlds in {seconds:.0f} s: {served} requests served, {deaths} deaths, {leases} leases")
    print(f"{len(wrong)} ended with books that disagree with what was told")
    for seed, problem in wrong[:20]:
        print(f"{replay(seed)}\n{problem}")
    if wrong:
        sys.exit(1)


def _one(seed: int) -> tuple[int, str, tuple[int, int, int]]:
    logging.disable(logging.CRITICAL)
    try:
        world = simulate(seed)
    except Exception as problem:  # noqa: BLE001 - whatever is wrong with a world is what is looked for
        return seed, "".join(traceback.format_exception(problem))[-1_000:], (0, 0, 0)
    return seed, "", (world.served, world.crashes, len(world.bank.leases))
