"""A server on loopback that says exactly what a test tells it to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from monkey_coder_server.adapters.upstream import HttpUpstream, UpstreamLimits

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Start = Callable[[Script], Awaitable[str]]


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Head and body of the next request on the connection; empty when the client hung up."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return b""
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    return head + await reader.readexactly(length)


@pytest.fixture
async def serve() -> AsyncIterator[Start]:
    """Start a server whose connections run the script; gives its base URL."""
    servers: list[asyncio.Server] = []
    running: set[asyncio.Task[None]] = set()

    async def start(script: Script) -> str:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            running.add(task)
            with suppress(ConnectionError, asyncio.CancelledError):
                await script(reader, writer)
            writer.close()
            running.discard(task)

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        servers.append(server)
        host, port = server.sockets[0].getsockname()
        return f"http://{host}:{port}"

    yield start
    for server in servers:
        server.close()
    for task in list(running):
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


@pytest.fixture
async def upstream() -> AsyncIterator[HttpUpstream]:
    """A client with bounds small enough to reach in a test."""
    client = HttpUpstream(
        UpstreamLimits(connections=4, body_bytes=200_000, stream_bytes=400_000, header_bytes=8_190, header_count=64)
    )
    yield client
    await client.close()
