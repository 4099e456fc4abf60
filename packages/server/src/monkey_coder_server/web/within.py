"""A bound on how long a task may take for a step."""

import asyncio
from types import TracebackType
from typing import Self
from weakref import ref

_NO_TASK = "only a task can be stopped"
LONG_SECONDS = 2.0
ROUND_SECONDS = 1.0
"""How often long bounds are looked at; in time for each of them."""


class Within:
    """`with Within(seconds):` is `async with asyncio.timeout(seconds):` at a fraction of its cost.

    Leaving the block later than that raises `TimeoutError`; whatever it awaited is cancelled. Entered once, by a task.
    A long bound has a timer only once it is about to end: most are left long before.
    """

    __slots__ = ("_cancellations", "_loop", "_rounds", "_task", "_timer", "ends", "expired")

    def __init__(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError(_NO_TASK)
        self._loop = loop
        self._task = task
        self._cancellations = task.cancelling()
        self._rounds: _Rounds | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.expired = False
        self.ends = loop.time() + seconds
        """By the loop's clock."""
        self._wait(seconds)

    def shorten(self, seconds: float) -> None:
        """End in so many seconds from now, unless it ends sooner or has expired."""
        if self._loop.time() + seconds < self.ends and not self.expired:
            self._move(seconds)

    def lengthen(self, ends: float) -> None:
        """End at a later moment of the loop's clock, unless it has expired."""
        if ends > self.ends and not self.expired:
            self._move(ends - self._loop.time())
            self.ends = ends

    def _move(self, seconds: float) -> None:
        self._rest()
        self.ends = self._loop.time() + seconds
        self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        if seconds < LONG_SECONDS:
            self.approach()
        else:
            rounds = _newest
            if rounds is None or rounds.of() is not self._loop:
                rounds = _renewed(self._loop)
            self._rounds = rounds
            rounds.bounds.add(self)
            if not rounds.going:
                rounds.go(self._loop)

    def _rest(self) -> None:
        """Wait no longer for its end."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        elif self._rounds is not None:
            self._rounds.bounds.discard(self)

    def approach(self) -> None:
        """Its end is near: set a timer of its own."""
        self._timer = self._loop.call_at(self.ends, self._expire)

    def __enter__(self) -> Self:
        """The time runs since this was made."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Take our own cancellation back; one that came from elsewhere goes on. Raises `TimeoutError`."""
        self._rest()
        if self.expired and self._task.uncancel() <= self._cancellations and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _expire(self) -> None:
        self.expired = True
        self._task.cancel()


class _Rounds:
    """The long bounds of one loop that are not about to end: one timer looks after all of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.of = ref(loop)
        self.bounds: set[Within] = set()
        self.going = False

    def go(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look after those there are from now on."""
        self.going = True
        loop.call_later(ROUND_SECONDS, self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        soon = loop.time() + LONG_SECONDS
        for bound in [bound for bound in self.bounds if bound.ends < soon]:
            self.bounds.discard(bound)
            bound.approach()
        self.going = bool(self.bounds)
        if self.going:
            self.go(loop)


_newest: _Rounds | None = None


def _renewed(loop: asyncio.AbstractEventLoop) -> _Rounds:
    """Those of another loop: a process mostly has one, and what is watched in those before goes on being so."""
    global _newest  # noqa: PLW0603 - a thread that puts another in its place costs a timer, and loses nothing
    _newest = _Rounds(loop)
    return _newest
