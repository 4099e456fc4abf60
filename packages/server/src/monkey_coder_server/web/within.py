"""A bound on how long a task may take for a step."""

import asyncio
from collections.abc import Coroutine, Generator
from types import TracebackType, coroutine
from typing import Any, Self, TypeVar

T = TypeVar("T")
_NO_TASK = "only a task can be stopped"


class Within:
    """`with Within(seconds):` is `async with asyncio.timeout(seconds):` at less than half its cost.

    Leaving the block later than that raises `TimeoutError`; whatever it awaited is cancelled. Entered once, by a task.
    """

    __slots__ = ("_cancellations", "_loop", "_task", "_timer", "ends", "expired")

    def __init__(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError(_NO_TASK)
        self._loop = loop
        self._task = task
        self._cancellations = task.cancelling()
        self.expired = False
        self.ends = loop.time() + seconds
        """By the loop's clock."""
        self._timer = loop.call_at(self.ends, self._expire)

    def shorten(self, seconds: float) -> None:
        """End in so many seconds from now, unless it ends sooner or has expired."""
        ends = self._loop.time() + seconds
        if ends < self.ends and not self.expired:
            self._move(ends)

    def lengthen(self, ends: float) -> None:
        """End at a later moment of the loop's clock, unless it has expired."""
        if ends > self.ends and not self.expired:
            self._move(ends)

    def _move(self, ends: float) -> None:
        self.ends = ends
        self._timer.cancel()
        self._timer = self._loop.call_at(ends, self._expire)

    def __enter__(self) -> Self:
        """The time runs since this was made."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Take our own cancellation back; one that came from elsewhere goes on. Raises `TimeoutError`."""
        self._timer.cancel()
        if self.expired and self._task.uncancel() <= self._cancellations and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _expire(self) -> None:
        self.expired = True
        self._task.cancel()


@coroutine
def prompt_or_within(seconds: float, work: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Await what mostly need not wait for anything; when it does, `Within(seconds)` from then on."""
    try:
        first = work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    with Within(seconds):
        return (yield from _Begun(first, work))


class _Begun(Generator[Any, Any, T]):
    """The rest of a coroutine that has come to its first wait."""

    __slots__ = ("_first", "_rest", "_told")

    def __init__(self, first: object, rest: Coroutine[Any, Any, T]) -> None:
        self._first = first
        self._rest = rest
        self._told = False

    def send(self, value: object) -> Any:
        """What it waits for."""
        if self._told:
            return self._rest.send(value)
        self._told = True
        first, self._first = self._first, None
        return first

    def throw(self, *error: Any) -> Any:
        """Raise it where the coroutine waits."""
        return self._rest.throw(*error)
