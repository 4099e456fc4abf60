"""`ports.shared_store.SharedStore` on Redis."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from monkey_coder_server.adapters.redis.breaker import PROBE_SECONDS, Breaker, BreakerState
from monkey_coder_server.adapters.redis.link import Link
from monkey_coder_server.adapters.redis.place import packed, place_of
from monkey_coder_server.adapters.redis.wire import ErrorReply, Wire
from monkey_coder_server.ports.shared_store import Script, StoreAway

DEADLINE = 0.02
"""Seconds a caller waits at most."""
PREFIX = "monkey:"
Part = str | bytes | int


class RedisStore:
    """Made within a running loop by `open`. `calls`, `failures` and `refused` count what the metrics show."""

    def __init__(self, url: str, *, prefix: str = PREFIX) -> None:
        self._place = place_of(url)
        self._prefix = prefix
        self._link = Link(self._place)
        self._ear = Link(self._place, self._listen, self._hear)
        self._heard: dict[bytes, tuple[Callable[[bytes], None], Callable[[], None]]] = {}
        self._listening = False
        self._starting: asyncio.Task[None] | None = None
        self._prober: asyncio.Task[None] | None = None
        self.breaker = Breaker()
        self.calls = 0
        self.failures = 0
        self.refused = 0

    async def open(self) -> None:
        """Connect. A store that cannot be reached is away and tried again; nothing is raised."""
        await self._link.start()

    async def close(self) -> None:
        """End all connections."""
        for task in (self._prober, self._starting):
            if task is not None:
                task.cancel()
        await self._link.close()
        await self._ear.close()

    @property
    def healthy(self) -> bool:
        """Whether calls are made now."""
        return self._link.wire is not None and self.breaker.state is BreakerState.CLOSED

    async def script(self, script: Script, keys: Sequence[str], arguments: Sequence[Part]) -> Any:
        """Run a script, by its digest; one the server does not know yet is sent whole."""
        rest = (len(keys), *[self._prefix + key for key in keys], *arguments)
        reply = await self._answer("EVALSHA", script.digest, *rest)
        if isinstance(reply, ErrorReply) and str(reply).startswith("NOSCRIPT"):
            reply = await self._answer("EVAL", script.text, *rest)
        return self._sound(reply)

    async def get(self, key: str) -> bytes | None:
        """The value of a key."""
        value: bytes | None = self._sound(await self._answer("GET", self._prefix + key))
        return value

    async def set(self, key: str, value: bytes, *, seconds: float) -> None:
        """Keep a value so long."""
        self._sound(await self._answer("SET", self._prefix + key, value, "PX", max(1, round(seconds * 1000))))

    async def delete(self, *keys: str) -> None:
        """Forget keys; the server frees their memory behind our back."""
        self._sound(await self._answer("UNLINK", *[self._prefix + key for key in keys]))

    async def publish(self, channel: str, message: bytes) -> None:
        """Tell everybody who subscribes now."""
        self._sound(await self._answer("PUBLISH", self._channel(channel), message))

    def subscribe(self, channel: str, hear: Callable[[bytes], None], *, gap: Callable[[], None]) -> None:
        """Hear a channel from now on, also after the connection was lost and made again."""
        name = self._channel(channel)
        self._heard[name] = (hear, gap)
        if not self._listening:
            self._listening = True
            self._starting = asyncio.create_task(self._ear.start())
        elif self._ear.wire is not None:
            self._ear.wire.send(packed("SUBSCRIBE", name))

    def _channel(self, channel: str) -> bytes:
        """Channels are the server's, not of one of its databases: two gateways on two of them are strangers."""
        return f"{self._prefix}{self._place.database}:{channel}".encode()

    def _listen(self, wire: Wire) -> None:
        wire.send(packed("SUBSCRIBE", *self._heard))

    def _hear(self, said: list[Any]) -> None:
        kind, channel = said[0], said[1]
        if kind == b"message" and channel in self._heard:
            self._heard[channel][0](said[2])
        elif kind == b"subscribe" and channel in self._heard:
            self._heard[channel][1]()

    async def _answer(self, *command: Part) -> Any:
        """The reply, also one that is an error. Raises `StoreAway`."""
        wire = self._link.wire
        if wire is None or self.breaker.state is not BreakerState.CLOSED:
            self.refused += 1
            raise StoreAway("not asked")
        self.calls += 1
        try:
            reply = await wire.ask(packed(*command), DEADLINE)
        except StoreAway:
            self.failures += 1
            self._failed()
            raise
        self.breaker.succeeded()
        return reply

    def _sound(self, reply: Any) -> Any:
        """Raises `StoreAway` for an error the server answers with: it loads, is full, or only reads."""
        if isinstance(reply, ErrorReply):
            self.failures += 1
            raise StoreAway(str(reply))
        return reply

    def _failed(self) -> None:
        self.breaker.failed()
        if self.breaker.state is BreakerState.OPEN and (self._prober is None or self._prober.done()):
            self._prober = asyncio.create_task(self._probe())

    async def _probe(self) -> None:
        """Ask until an answer comes in time."""
        while self.breaker.state is not BreakerState.CLOSED:
            await asyncio.sleep(PROBE_SECONDS)
            wire = self._link.wire
            if wire is None:
                continue
            self.breaker.probing()
            try:
                await wire.ask(packed("PING"), DEADLINE)
            except StoreAway:
                self.breaker.failed()
            else:
                self.breaker.succeeded()
