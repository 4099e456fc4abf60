"""Parts of a report that do not need each other, at once on as many cores as this process may use."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def at_once(parts: Sequence[Callable[[], T]]) -> list[T]:
    """What comes of every part, in their order; begun in that order, so the longest go first. Parts can be pickled."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if min(cores, len(parts)) < 2:
        return [part() for part in parts]
    with ProcessPoolExecutor(min(cores, len(parts))) as pool:
        return [each.result() for each in [pool.submit(part) for part in parts]]
