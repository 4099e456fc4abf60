"""A closed-loop HTTP/1.1 load generator cheap enough not to be what is measured.

Requests are bytes made beforehand; replies are read by their Content-Length, or to the last chunk. Each connection
sends its next request when the reply to the last is complete.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

_HEAD_END = b"\r\n\r\n"
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_EVENT = b"data: "
IN_CHUNKS = -1
"""Stands for the length of a reply that does not announce it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Latencies in seconds, sorted; `failed` counts replies other than 200, `events` what streams were made of.

    `firsts` are the seconds until a stream's first event, sorted.
    """

    latencies: Sequence[float]
    failed: int
    events: int
    firsts: Sequence[float] = ()

    def quantile(self, share: float) -> float:
        """The latency that `share` of the requests did not exceed."""
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]


class Connection(asyncio.Protocol):
    """One keep-alive connection; `exchange` sends a request and waits for its whole reply."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[int] | None = None
        self._received = bytearray()
        self._length = 0
        self.events = 0
        self.first_at: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so

    def data_received(self, data: bytes) -> None:
        """Some of a reply."""
        self._received += data
        length = self._length = self._length or self._announced()
        in_chunks = length == IN_CHUNKS
        if in_chunks and self.first_at is None and _EVENT in data:
            self.first_at = time.perf_counter()
        whole = self._received.endswith(_LAST_CHUNK) if in_chunks else 0 < length <= len(self._received)
        if whole and self._waiter is not None:
            self.events += self._received.count(_EVENT) if in_chunks else 0
            status = int(self._received[9:12])
            self._received.clear()
            self._length = 0
            waiter, self._waiter = self._waiter, None
            waiter.set_result(status)

    def _announced(self) -> int:
        """How long head and body are together; 0 before that is known."""
        end = self._received.find(_HEAD_END)
        if end < 0:
            return 0
        _, named, rest = bytes(self._received[:end]).lower().partition(b"content-length:")
        return end + len(_HEAD_END) + int(rest.split(b"\r\n", 1)[0]) if named else IN_CHUNKS

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail whoever waits for a reply."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(exc or ConnectionResetError("the server closed the connection"))

    async def exchange(self, request: bytes) -> int:
        """Send one request; its reply's status."""
        assert self._transport is not None
        self.first_at = None
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiter

    def close(self) -> None:
        """Give the connection up."""
        if self._transport is not None:
            self._transport.close()


def http_post(host: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """The bytes of one POST."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def connect(port: int) -> Connection:
    """A new connection to 127.0.0.1."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


async def run(  # noqa: PLR0913 - by name
    port: int,
    make_request: Callable[[int], bytes],
    *,
    requests: int,
    concurrency: int,
    spread: float = 0.0,
    waits: Callable[[int], float] | None = None,
) -> Measured:
    """Send `requests` over `concurrency` connections to 127.0.0.1; `make_request(n)` gives the n-th request's bytes.

    The connections begin within `spread` seconds, evenly. The n-th request's latency is told without `waits(n)`.
    """
    numbers = iter(range(requests))
    latencies: list[float] = []
    firsts: list[float] = []
    failed = events = 0

    async def client(place: int) -> None:
        nonlocal failed, events
        await asyncio.sleep(spread * place / concurrency)
        connection = await connect(port)
        for number in numbers:
            request = make_request(number)
            begun = time.perf_counter()
            status = await connection.exchange(request)
            latencies.append(time.perf_counter() - begun - (waits(number) if waits else 0.0))
            if connection.first_at is not None:
                firsts.append(connection.first_at - begun)
            failed += status != 200
        events += connection.events
        connection.close()

    await asyncio.gather(*(client(place) for place in range(concurrency)))
    return Measured(sorted(latencies), failed, events, sorted(firsts))
