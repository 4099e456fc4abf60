"""Good requests beside a thousand sockets whose callers are slow: in header or body, in reading, or in everything.

`python -m benchmarks.slow_sockets` (`make slow-sockets`) exits with 1 when good requests take too long beside
them.

Good callers pause as chance has it, and slow ones live in a process of their own. Callers that pause equally long fall
into step and wait for one another: alone, 40 of 100 requests were sent within 0.4 ms of another one, 25 beside slow
sockets, which break the step, so that the median *fell* there, to 0.6 to 0.85 of what it was. With pauses of chance
it is 25 to 27 of 100 either way, and what is compared is the gateway.
"""

import asyncio
import contextlib
import multiprocessing
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator
from random import Random

from benchmarks.pair import running

SLOW = 1_000
SECONDS = 8.0
CALLERS = 4
ROUNDS = 3
PAUSE = 0.005
"""Seconds a good caller rests after an answer, on average."""
HEADER = b"POST /v1/execute HTTP/1.1\r\nhost: here\r\n"
BODY = b"POST /v1/auth/login HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{"
UNREAD = b"GET /v1/openapi.json HTTP/1.1\r\nhost: here\r\n\r\n"
"""A quarter of a megabyte comes back, of which the caller takes next to nothing."""
KINDS = (HEADER, BODY, UNREAD, b"")
"""What a slow caller says at first; then a little more each second, or nothing at all."""
MORE = {HEADER: b"x: y\r\n", BODY: b"x"}
SMALL = 4_096
"""Bytes that a caller's socket takes before it is full."""
SETTLING = 4.0
"""Seconds until all slow callers have connected, and what they asked for lies unread."""
P99_RATIO = 1.2


def main() -> None:
    """Print the latency of good requests alone and beside them, and the ratio."""
    compare()


def compare() -> bool:
    """The same; whether the 99th percentile is within its bar."""
    with running() as pair:
        alone, beside = asyncio.run(_measure(pair.gateway.port, pair.key))
    print(
        f"GET /v1/providers by {CALLERS} callers, {len(alone)} requests alone, {len(beside)} beside {SLOW} slow sockets"
    )
    print(f"{'':8} {'alone':>10} {'beside':>10} {'ratio':>6}")
    for name, figure in (("median", statistics.median), ("p99", _p99)):
        before, after = figure(alone), figure(beside)
        print(f"{name:8} {1_000 * before:7.2f} ms {1_000 * after:7.2f} ms {after / before:6.2f}")
    kept = _p99(beside) <= P99_RATIO * _p99(alone)
    print(f"p99 at most {P99_RATIO} times as long: {'kept' if kept else 'missed'}")
    return kept


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
    calls = [_caller(port, key, time.perf_counter() + seconds, Random(number)) for number in range(CALLERS)]
    return [took for each in await asyncio.gather(*calls) for took in each]


async def _caller(port: int, key: str, until: float, random: Random) -> list[float]:
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
        await asyncio.sleep(random.expovariate(1 / PAUSE))
    writer.close()
    return took


@contextlib.asynccontextmanager
async def _slow(port: int) -> AsyncIterator[None]:
    dawdling = multiprocessing.get_context("spawn").Process(target=_dawdle_all, args=(port,), daemon=True)
    dawdling.start()
    await asyncio.sleep(SETTLING)
    try:
        if not dawdling.is_alive():
            raise RuntimeError("the slow callers did not come; the figures would mean nothing")
        yield
    finally:
        dawdling.terminate()
        await asyncio.to_thread(dawdling.join)


def _dawdle_all(port: int) -> None:
    async def all_of_them() -> None:
        await asyncio.gather(*(_dawdle(port, number) for number in range(SLOW)))

    asyncio.run(all_of_them())


async def _dawdle(port: int, number: int) -> None:
    """Connect, dawdle, and come again when the gateway hangs up; strangers do not keep step."""
    first = KINDS[number % len(KINDS)]
    await asyncio.sleep(number / SLOW)
    while True:
        reader, writer = await asyncio.open_connection(sock=await _small_socket(port), limit=1)
        writer.write(first)
        with contextlib.suppress(OSError):
            while not reader.at_eof():
                await asyncio.sleep(1)
                writer.write(MORE.get(first, b""))
        writer.close()


async def _small_socket(port: int) -> socket.socket:
    """One that is full soon, as it is only read while the stream's own limit, of one byte, is not reached."""
    small = socket.socket()
    small.settimeout(0)
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    await asyncio.get_running_loop().sock_connect(small, ("127.0.0.1", port))
    return small


def _p99(took: list[float]) -> float:
    return statistics.quantiles(took, n=100)[-1]


if __name__ == "__main__":
    sys.exit(0 if compare() else 1)
