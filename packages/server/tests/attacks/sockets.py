"""A listener that tells what reached its application, and raw bytes to say to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from monkey_coder_server.adapters.listener import Listener, ListenerOptions

Message = MutableMapping[str, Any]
HEAD = b"HTTP/1.1\r\nhost: here\r\n"
GET = b"GET / " + HEAD
POST = b"POST / " + HEAD
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
SMUGGLED = b"GET /smuggled " + HEAD + b"\r\n"


@dataclass(slots=True)
class Reached:
    """An application that keeps each whole request: method, path, body, and the headers as they stand at its end.

    It answers `/slow` in two pieces.
    """

    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    headers: list[dict[bytes, bytes]] = field(default_factory=list)
    begun: int = 0

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        self.begun += 1
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.requests.append((scope["method"], scope["path"], body))
        self.headers.append(dict(scope["headers"]))
        headers = [] if scope["path"] == "/slow" else [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["path"] == "/slow":
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            await asyncio.sleep(0.3)
        await send({"type": "http.response.body", "body": b"ok"})


@dataclass(slots=True)
class Door:
    """A listening port and what came through it."""

    port: int
    reached: Reached


@asynccontextmanager
async def door(**options: Any) -> AsyncIterator[Door]:
    """A listener with an application of its own."""
    reached = Reached()
    listener = Listener(reached, ListenerOptions("127.0.0.1", 0, keep_alive=1, cut_off=1, **options))
    await listener.start()
    try:
        yield Door(listener.port, reached)
    finally:
        await listener.stop()


async def say(port: int, *pieces: bytes, seconds: float = 2.0, pause: float = 0.0) -> bytes:
    """Send the pieces; everything that comes back until the server closes, or for so long."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = b""
    try:
        async with asyncio.timeout(seconds):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
            while piece := await reader.read(65536):
                heard += piece
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return heard
