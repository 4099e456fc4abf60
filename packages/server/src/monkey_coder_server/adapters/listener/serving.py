"""What the connections of one listener share, and which of them there are."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Protocol

from monkey_coder_server.adapters.listener.complaints import Complaints
from monkey_coder_server.adapters.listener.crowd import Crowd
from monkey_coder_server.adapters.listener.exchange import Exchange

Application = Callable[[Any, Any, Any], Awaitable[None]]


class Served(Protocol):
    """A connection, as its listener ends it."""

    def close_if_idle(self, seconds: float) -> None:
        """Close it if nothing was asked of us on it for so long."""

    def end(self) -> None:
        """Close it after the answer that is being given, or now."""

    def abort(self) -> None:
        """Close it at once."""


@dataclass(slots=True)
class Serving:
    """Of one listener. `leaving`: each answer says that its connection ends with it. `keep_alive` in seconds."""

    application: Application
    keep_alive: float
    crowd: Crowd
    complaints: Complaints = field(default_factory=Complaints)
    leaving: bool = False
    connections: set[Served] = field(default_factory=set)
    tasks: "dict[Exchange, asyncio.Task[None]]" = field(default_factory=dict)
    """What serves each request."""
    empty: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever the last connection has closed and the last request is over."""
    _second: int = 0
    _date: bytes = b""

    def dated(self) -> bytes:
        """The line of an answer's head that says when, made once a second."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._date = b"date: %b\r\n" % formatdate(second, usegmt=True).encode()
        return self._date

    def opened(self, connection: Served) -> None:
        """A caller has connected."""
        self.connections.add(connection)
        self.empty.clear()

    def closed(self, connection: Served) -> None:
        """A connection is no more."""
        self.connections.discard(connection)
        self._look()

    def over(self, exchange: Exchange) -> None:
        """A request was served."""
        del self.tasks[exchange]
        if not self.tasks:
            self._look()

    def _look(self) -> None:
        if not (self.connections or self.tasks):
            self.empty.set()
