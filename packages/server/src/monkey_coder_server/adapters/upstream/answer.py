"""What has come of an answer, between the connection that brings it and the one who reads it."""

import asyncio
from collections.abc import Generator, Mapping
from math import inf
from typing import Protocol

from monkey_coder_server.adapters.upstream.failures import Broken


class Source(Protocol):
    """Where an answer comes from, as long as it does."""

    def read_on(self) -> None:
        """What was here has been taken: more may come."""

    def fail(self, broken: Broken) -> None:
        """Close it; the answer ends broken."""


class Answer:
    """`status` is 0 and `headers` empty before its head is here. `unread` in bytes.

    `over` when nothing more comes; `broken` says why when it did not come whole. At the moment it is `due`,
    by the loop's clock, the source is to `look` at it: it may come too slowly.
    """

    __slots__ = ("_loop", "_pieces", "_waiter", "broken", "due", "headers", "over", "source", "status", "unread")

    def __init__(self, source: Source, loop: asyncio.AbstractEventLoop, due: float = inf) -> None:
        self.source: Source | None = source
        self.due = due
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.unread = 0
        self.over = False
        self.broken: Broken | None = None
        self._loop = loop
        self._pieces: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None

    def look(self) -> None:
        """Give up what is too slow, or say when it is due next."""
        self.due = inf

    def take(self) -> bytes:
        """All of the body that is here and was not taken; empty when there is none. Never waits."""
        pieces = self._pieces
        if not pieces:
            return b""
        taken = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self.unread = 0
        if self.source is not None:
            self.source.read_on()
        return taken

    def __await__(self) -> Generator[asyncio.Future[None], None, None]:
        """Wait until something comes, be it the end: for the one reader, who found nothing."""
        waiter = self._waiter = self._loop.create_future()
        try:
            yield from waiter
        finally:
            self._waiter = None

    def give_up(self) -> None:
        """Close the connection, unless the answer is over; what has come is dropped, and a later read fails."""
        if self.source is not None:
            self.source.fail(Broken("given up"))
        elif self._pieces and self.broken is None:
            self.broken = Broken("given up")
        self._pieces.clear()
        self.unread = 0

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """The head has come."""
        self.status = status
        self.headers = headers
        self._wake()

    def add(self, piece: bytes) -> None:
        """A part of the body has come."""
        self._pieces.append(piece)
        self.unread += len(piece)
        if self._waiter is not None:
            self._wake()

    def end(self, broken: Broken | None) -> None:
        """Nothing more comes."""
        self.source = None
        self.over = True
        self.broken = broken
        if self._waiter is not None:
            self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
