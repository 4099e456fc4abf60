"""A closed-loop HTTP/1.1 load generator cheap enough not to be what is measured.

Requests are bytes made beforehand; replies are read by their Content-Length. Each connection sends
its next request when the reply to the last is complete.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """Latencies in seconds, sorted; `failed` counts replies other than 200."""

    latencies: Sequence[float]
    seconds: float
    failed: int

    def quantile(self, share: float) -> float:
        """The latency that `share` of the requests did not exceed."""
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]


class _Connection(asyncio.Protocol):
    """One keep-alive connection; `exchange` sends a request and waits for its whole reply."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[int] | None = None
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = bytes(self._received[:head_end]).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n", 1)[0])
        if len(self._received) < head_end + 4 + length or self._waiter is None:
            return
        status = int(head[9:12])
        self._received.clear()
        waiter, self._waiter = self._waiter, None
        waiter.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(exc or ConnectionResetError("the server closed the connection"))

    async def exchange(self, request: bytes) -> int:
        """Send one request; its reply's status."""
        assert self._transport is not None
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


async def run(port: int, make_request: Callable[[int], bytes], *, requests: int, concurrency: int) -> Measured:
    """Send `requests` over `concurrency` connections to 127.0.0.1; `make_request(n)` gives the n-th request's bytes."""
    loop = asyncio.get_running_loop()
    numbers = iter(range(requests))
    latencies: list[float] = []
    failed = 0

    async def client() -> None:
        nonlocal failed
        _, connection = await loop.create_connection(_Connection, "127.0.0.1", port)
        for number in numbers:
            request = make_request(number)
            begun = time.perf_counter()
            status = await connection.exchange(request)
            latencies.append(time.perf_counter() - begun)
            failed += status != 200
        connection.close()

    begun = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(concurrency)))
    return Measured(sorted(latencies), time.perf_counter() - begun, failed)
