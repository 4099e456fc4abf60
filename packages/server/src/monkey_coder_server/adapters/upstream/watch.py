"""One timer an answer: it looks now and then whether a read has waited too long, so that a read costs nothing."""

import asyncio
from collections.abc import Callable


class Watch:
    """Calls `expire(reason)` once when a read waits longer than `idle`, or the whole outlives `ends_at` (loop time)."""

    __slots__ = ("_ends_at", "_expire", "_handle", "_idle", "_loop", "_waiting_since")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, idle: float, ends_at: float, expire: Callable[[str], None]
    ) -> None:
        self._loop = loop
        self._idle = idle
        self._ends_at = ends_at
        self._expire: Callable[[str], None] | None = expire
        self._waiting_since: float | None = None
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Not all of the answer is here yet."""
        first = min(self._loop.time() + self._idle, self._ends_at)
        self._handle = self._loop.call_at(first, self._look)

    def wait_begins(self) -> None:
        """A read starts to wait for the provider. The time a slow reader takes between reads does not count."""
        self._waiting_since = self._loop.time()

    def wait_ends(self) -> None:
        """The read got its bytes."""
        self._waiting_since = None

    def stop(self) -> None:
        """The answer is over. Whoever would have been told mostly holds this: let go, or only the collector can."""
        self._expire = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _look(self) -> None:
        now = self._loop.time()
        since = now if self._waiting_since is None else self._waiting_since
        if now >= self._ends_at:
            self._over("total")
        elif now >= since + self._idle:
            self._over("idle")
        else:
            self._handle = self._loop.call_at(min(since + self._idle, self._ends_at), self._look)

    def _over(self, reason: str) -> None:
        self._handle, expire, self._expire = None, self._expire, None
        if expire is not None:
            expire(reason)
