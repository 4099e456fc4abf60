"""Operations that wait for the writer: which of them fill the next turn of the event loop.

A heavy one fills turns by itself. It comes behind the others, into no transaction whose commit somebody waits for: so
nobody waits for more than one of them. But one begins each transaction: so they get on, however many others come.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any

from monkey_coder_server.adapters.storage.operations import Job

JOBS_A_TURN = 8
"""About 2 ms of work; then other tasks of the loop get theirs."""


class Waiting:
    """What waits, in the order it came in: heavy operations, and others."""

    __slots__ = ("_heavy", "_others")

    def __init__(self) -> None:
        self._heavy: deque[Job[Any]] = deque()
        self._others: deque[Job[Any]] = deque()

    def __len__(self) -> int:
        return len(self._heavy) + len(self._others)

    @property
    def hurry(self) -> bool:
        """Whether there are others than heavy ones."""
        return bool(self._others)

    def add(self, job: Job[Any]) -> None:
        """Behind those of its kind."""
        self._of_kind(job).append(job)

    def put_back(self, jobs: Iterable[Job[Any]]) -> None:
        """Before all others, in this order."""
        for job in reversed(list(jobs)):
            self._of_kind(job).appendleft(job)

    def goes_on(self, *, begun: bool, awaited: bool) -> bool:
        """Whether a transaction takes more of them, that is `begun` or somebody waits for."""
        return bool(self._others) or (bool(self._heavy) and not (begun and awaited))

    def take(self, *, begun: bool) -> list[Job[Any]]:
        """What fills the next turn of a transaction."""
        if self._heavy and not (begun and self._others):
            return [self._heavy.popleft()]
        return [self._others.popleft() for _ in range(min(len(self._others), JOBS_A_TURN))]

    def take_all(self) -> list[Job[Any]]:
        """Everything."""
        jobs = [*self._heavy, *self._others]
        self._heavy.clear()
        self._others.clear()
        return jobs

    def _of_kind(self, job: Job[Any]) -> deque[Job[Any]]:
        return self._others if job.steps is None else self._heavy
