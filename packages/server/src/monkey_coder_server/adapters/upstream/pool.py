"""Connections to one provider: so many at once, whoever wants one beyond that waits in line, and idle ones are kept."""

import asyncio
from collections import defaultdict, deque

from monkey_coder_server.adapters.upstream.connecting import Names, connected
from monkey_coder_server.adapters.upstream.failures import Broken
from monkey_coder_server.adapters.upstream.limits import UpstreamLimits
from monkey_coder_server.adapters.upstream.request import Target
from monkey_coder_server.adapters.upstream.wire import Connection


class Pool:
    """A connection that is given out comes back by itself when its answer is over. Lives in one loop."""

    def __init__(self, limits: UpstreamLimits, names: Names) -> None:
        self.closed = False
        self.loop = asyncio.get_running_loop()
        self._limits = limits
        self._names = names
        self._free = limits.connections
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle: defaultdict[Target, list[Connection]] = defaultdict(list)
        self._open: set[Connection] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Future[None] | None = None

    def ready(self, target: Target) -> Connection | None:
        """An idle connection, to be asked at once; None when there is none, or it is not one's turn."""
        if self._free <= 0:
            return None
        found = self._kept(target)
        if found is not None:
            self._free -= 1
        return found

    async def connection(self, target: Target) -> Connection:
        """A connection, to be asked at once, as soon as there may be one. Raises `Broken`."""
        await self._turn()
        try:
            found = self._kept(target)
            return found if found is not None else await self._opened(target)
        except BaseException:
            self._pass_on()
            raise

    async def close(self) -> None:
        """Close all connections; what is asked of them fails."""
        self.closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        for connection in list(self._open):
            connection.fail(Broken("closed"))
        if self._open:
            self._emptied = self.loop.create_future()
            await self._emptied

    async def _turn(self) -> None:
        if self._free > 0:
            self._free -= 1
            return
        waiter = self.loop.create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except BaseException:
            if waiter.cancelled():
                self._waiting.remove(waiter)
            else:
                self._pass_on()  # it was our turn already
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1

    def _kept(self, target: Target) -> Connection | None:
        """The idle connection that was used last."""
        idle = self._idle.get(target)
        while idle:
            connection = idle.pop()
            if connection.usable and connection.idle_since + self._limits.keep_alive > self.loop.time():
                return connection
            connection.close()
        return None

    async def _opened(self, target: Target) -> Connection:
        self._refuse_when_closed()
        found = await connected(target, self._names, lambda: Connection(target, self._limits, self._freed, self._gone))
        try:
            self._refuse_when_closed()
        except Broken:
            found.close()
            raise
        if not found.usable:
            raise Broken("closed")
        self._open.add(found)
        return found

    def _refuse_when_closed(self) -> None:
        if self.closed:
            raise Broken("closed")

    def _freed(self, connection: Connection, reusable: bool) -> None:  # noqa: FBT001 - called by the connection alone
        if reusable and not self.closed:
            connection.idle_since = self.loop.time()
            self._idle[connection.target].append(connection)
            if self._sweeping is None:
                self._sweeping = self.loop.call_later(self._limits.keep_alive, self._sweep)
        self._pass_on()

    def _gone(self, connection: Connection) -> None:
        self._open.discard(connection)
        idle = self._idle.get(connection.target, [])
        if connection in idle:
            idle.remove(connection)
        if self._emptied is not None and not self._open and not self._emptied.done():
            self._emptied.set_result(None)

    def _sweep(self) -> None:
        """Close what nobody has used for long."""
        self._sweeping = None
        used_since = self.loop.time() - self._limits.keep_alive
        for target, idle in list(self._idle.items()):
            kept = [connection for connection in idle if connection.idle_since > used_since]
            for connection in idle[: len(idle) - len(kept)]:
                connection.close()
            if kept:
                self._idle[target] = kept
            else:
                del self._idle[target]
        if self._idle:
            self._sweeping = self.loop.call_later(self._limits.keep_alive / 2, self._sweep)
