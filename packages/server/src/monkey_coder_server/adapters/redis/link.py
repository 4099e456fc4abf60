"""Keeps a connection to Redis: made again whenever it breaks, with pauses that grow to half a second."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from monkey_coder_server.adapters.redis.place import Place, packed
from monkey_coder_server.adapters.redis.wire import ErrorReply, Wire
from monkey_coder_server.ports.shared_store import StoreAway

CONNECT_SECONDS = 1.0
PAUSES = (0.02, 0.05, 0.1, 0.25, 0.5)
"""Seconds before each further try; the last one again and again."""
PULSE_SECONDS = 1.0
"""How often a connection that only hears is asked whether it still stands."""
_PING = packed("PING")
_log = logging.getLogger(__name__)


class Link:
    """`begun` is called with each new connection before it is used. `wire` is None while there is none."""

    def __init__(
        self,
        place: Place,
        begun: Callable[[Wire], None] | None = None,
        hear: Callable[[list[Any]], None] | None = None,
    ) -> None:
        self.wire: Wire | None = None
        self._place = place
        self._begun = begun
        self._hear = hear
        self._standing = asyncio.Event()
        self._broken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to connect; waits for the first connection, a second at most."""
        self._task = asyncio.create_task(self._keep())
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._standing.wait()
        except TimeoutError:
            _log.warning("Redis does not answer; limits go by this process's share until it does")

    async def close(self) -> None:
        """End the connection for good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.wire is not None:
            self.wire.abort()

    async def _keep(self) -> None:
        tries = 0
        while True:
            try:
                wire = await self._connect()
            except (OSError, StoreAway) as refused:
                if tries == len(PAUSES):
                    _log.warning("Redis cannot be reached: %s", type(refused).__name__)
                await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
                tries += 1
                continue
            tries = 0
            self.wire = wire
            self._standing.set()
            if self._begun is not None:
                self._begun(wire)
            try:
                await self._watch(wire)
            finally:
                self.wire = None
                wire.abort()

    async def _connect(self) -> Wire:
        """Raises `OSError` or `StoreAway`."""
        self._broken.clear()
        loop, place = asyncio.get_running_loop(), self._place
        async with asyncio.timeout(CONNECT_SECONDS):
            _, wire = await loop.create_connection(
                lambda: Wire(self._broken.set, self._hear), place.host, place.port, ssl=place.context
            )
        for command in place.greeting():
            reply = await wire.ask(command, CONNECT_SECONDS)
            if isinstance(reply, ErrorReply):
                wire.abort()
                raise StoreAway(str(reply).partition(" ")[0])
        return wire

    async def _watch(self, wire: Wire) -> None:
        """Until the connection breaks. One that only hears would not notice, so it is asked now and then."""
        if self._hear is None:
            await self._broken.wait()
            return
        loop = asyncio.get_running_loop()
        while not self._broken.is_set():
            asked = loop.time()
            wire.send(_PING)
            try:
                async with asyncio.timeout(PULSE_SECONDS):
                    await self._broken.wait()
            except TimeoutError:
                if wire.heard_at < asked:
                    return
