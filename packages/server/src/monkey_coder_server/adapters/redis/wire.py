"""One connection that all callers share: commands go out as they come, replies come back in the same order.

A caller who is cancelled or out of time leaves its place in the row behind, which takes its reply and drops it: so a
reply never reaches anybody but who asked for it, and a cancelled command costs the others nothing. One timer serves
all waiting callers.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from hiredis import HiredisError, Reader

from monkey_coder_server.ports.shared_store import StoreAway

MOST_UNSENT = 4_000_000
"""Bytes that may wait for a server that does not read."""
LOST_SECONDS = 1.0
"""A server that owes a reply for so long is taken for gone."""
STALLED_SECONDS = 0.005
"""A timer so late tells of a busy process, not of a slow server: what has arrived meanwhile is read first."""
NOTHING = object()


class ErrorReply(Exception):
    """What the server answered instead of doing what it was asked; a value, raised by nobody here."""


class Wire(asyncio.Protocol):
    """`lost` is called once, when the connection ends. `hear` takes what comes without being asked for."""

    def __init__(self, lost: Callable[[], None], hear: Callable[[list[Any]], None] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = Reader(replyError=ErrorReply, notEnoughData=NOTHING)
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._lost = lost
        self._hear = hear
        self.heard_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is one by its methods only
        self.heard_at = self._loop.time()

    def ask(self, packed: bytes, seconds: float) -> "asyncio.Future[Any]":
        """Send a command; the future has its reply, also an `ErrorReply`, or raises `StoreAway`."""
        transport = self._transport
        if transport is None or transport.get_write_buffer_size() > MOST_UNSENT:
            raise StoreAway("not connected")
        future = self._loop.create_future()
        ends = self._loop.time() + seconds
        self._waiting.append((ends, future))
        transport.write(packed)
        if self._timer is None or ends < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(ends, self._look, ends)
        return future

    def send(self, packed: bytes) -> None:
        """Send a command whose reply is heard."""
        if self._transport is not None:
            self._transport.write(packed)

    def data_received(self, data: bytes) -> None:
        """Hand each reply to whoever asked for it."""
        self.heard_at = self._loop.time()
        reader = self._reader
        try:
            reader.feed(data)
            while (reply := reader.gets()) is not NOTHING:
                self._take(reply)
        except HiredisError:
            self.abort()

    def _take(self, reply: Any) -> None:
        if self._hear is not None and isinstance(reply, list):
            self._hear(reply)
            return
        if not self._waiting:  # a server that says more than it was asked is none we can follow
            self.abort()
            return
        _, future = self._waiting.popleft()
        if not future.done():
            future.set_result(reply)

    def _look(self, due: float) -> None:
        """Tell those whose time is up, and look again when the next one's is."""
        now = self._loop.time()
        if now - due > STALLED_SECONDS:
            self._timer = self._loop.call_later(STALLED_SECONDS / 2, self._look, now + STALLED_SECONDS / 2)
            return
        self._timer = None
        if self._waiting and now - self._waiting[0][0] > LOST_SECONDS:
            self.abort()
            return
        for ends, future in self._waiting:
            if future.done():
                continue
            if ends > now:
                self._timer = self._loop.call_at(ends, self._look, ends)
                return
            future.set_exception(StoreAway("no answer in time"))

    def abort(self) -> None:
        """End the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Whoever waits is told. What the server did with the commands is unknown."""
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(StoreAway("the connection broke"))
        self._waiting.clear()
        self._lost()
