"""Good requests beside a thousand sockets whose callers are slow: in their header, in their body, or in everything."""

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator

from benchmarks.pair import running

SLOW = 1_000
SECONDS = 8.0
CALLERS = 4
ROUNDS = 3
HEADER = b"POST /v1/execute HTTP/1.1\r\nhost: here\r\n"
BODY = b"POST /v1/auth/login HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{"
KINDS = (HEADER, BODY, b"")
"""What a slow caller says at first; then a byte a second, or nothing at all."""


def main() -> None:
    """Print the latency of good requests alone and beside them, and the ratio."""
    with running() as pair:
        alone, beside = asyncio.run(_measure(pair.gateway.port, pair.key))
    print(
        f"GET /v1/providers by {CALLERS} callers, {len(alone)} requests alone, {len(beside)} beside {SLOW} slow sockets"
    )
    print(f"{'':8} {'alone':>10} {'beside':>10} {'ratio':>6}")
    for name, figure in (("median", statistics.median), ("p99", _p99)):
        before, after = figure(alone), figure(beside)
        print(f"{name:8} {1_000 * before:7.2f} ms {1_000 * after:7.2f} ms {after / before:6.2f}")


async def _measure(port: int, key: str) -> tuple[list[float], list[float]]:
    """Rounds alone and beside slow sockets take turns, so that the machine's moods meet both."""
    alone: list[float] = []
    beside: list[float] = []
    await _good(port, key, SECONDS / 4)
    for _ in range(ROUNDS):
        alone += await _good(port, key, SECONDS)
        async with _slow(port):
            beside += await _good(port, key, SECONDS)
    return alone, beside


async def _good(port: int, key: str, seconds: float) -> list[float]:
    calls = [_caller(port, key, time.perf_counter() + seconds) for _ in range(CALLERS)]
    return [took for each in await asyncio.gather(*calls) for took in each]


async def _caller(port: int, key: str, until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked = f"GET /v1/providers HTTP/1.1\r\nhost: here\r\nx-api-key: {key}\r\n\r\n".encode()
    took = []
    while (began := time.perf_counter()) < until:
        writer.write(asked)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError("a good request was not served; the figures would mean nothing")
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
        took.append(time.perf_counter() - began)
        await asyncio.sleep(0.005)
    writer.close()
    return took


@contextlib.asynccontextmanager
async def _slow(port: int) -> AsyncIterator[None]:
    dawdling = [asyncio.create_task(_dawdle(port, KINDS[number % len(KINDS)])) for number in range(SLOW)]
    await asyncio.sleep(1)
    try:
        yield
    finally:
        for each in dawdling:
            each.cancel()
        await asyncio.gather(*dawdling, return_exceptions=True)


async def _dawdle(port: int, first: bytes) -> None:
    """Connect, dawdle, and come again when the gateway hangs up."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(first)
        with contextlib.suppress(OSError):
            while not reader.at_eof():
                await asyncio.sleep(1)
                if first:
                    writer.write(b"x" if first is BODY else b"x: y\r\n")
        writer.close()


def _p99(took: list[float]) -> float:
    return statistics.quantiles(took, n=100)[-1]
