"""One timer a call: it looks now and then whether something has waited too long, so that a read costs nothing."""

import asyncio
from collections.abc import Callable


class Watch:
    """Calls `expire(reason)` once: "wait" when a wait took too long, "total" when the whole outlives `ends_at`.

    All moments are of the loop's clock. From the start it waits for the head, until `head_by`; later for each read,
    which may take `idle` seconds.
    """

    __slots__ = ("_due", "_ends_at", "_expire", "_handle", "_idle", "_loop")

    def __init__(  # noqa: PLR0913 - its four bounds, and whom they concern
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        now: float,
        head_by: float,
        idle: float,
        ends_at: float,
        expire: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._idle = idle
        self._ends_at = ends_at
        self._due: float | None = head_by
        self._expire: Callable[[str], None] | None = expire
        self._handle: asyncio.TimerHandle | None = loop.call_at(min(now + idle, head_by, ends_at), self._look)

    def wait_begins(self) -> None:
        """A read starts to wait for the provider. The time a slow reader takes between reads does not count."""
        self._due = self._loop.time() + self._idle

    def wait_ends(self) -> None:
        """The head has come, or the read got its bytes."""
        self._due = None

    def stop(self) -> None:
        """The answer is over. Whoever would have been told mostly holds this: let go, or only the collector can."""
        self._expire = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _look(self) -> None:
        now, due = self._loop.time(), self._due
        if now >= self._ends_at:
            self._over("total")
        elif due is not None and now >= due:
            self._over("wait")
        else:
            soonest = now + self._idle
            due = soonest if due is None else min(due, soonest)
            self._handle = self._loop.call_at(min(due, self._ends_at), self._look)

    def _over(self, reason: str) -> None:
        self._handle, expire, self._expire = None, self._expire, None
        if expire is not None:
            expire(reason)
