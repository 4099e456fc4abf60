"""Server-sent events with as little work per frame as there can be."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from json.encoder import encode_basestring_ascii
from typing import Any

import msgspec

from monkey_coder_server.web.asgi import Receive, Scope, Send, Straight
from monkey_coder_server.web.respond import Headers
from monkey_coder_server.web.within import Within

KEEP_ALIVE_SECONDS = 15.0
KEEP_ALIVE_COMMENT = b": keep-alive\n\n"
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_encode = msgspec.json.Encoder().encode


def data_frame(value: Any) -> bytes:
    r"""`data: {json}` and a blank line, ASCII only.

    Published clients split lines at U+2028 and read undeclared charsets as Latin-1, so only ASCII leaves.
    """
    body = _encode(value)
    if not body.isascii():
        body = _BEYOND_ASCII.sub(_escape, body.decode()).encode("ascii")
    return b"data: " + body + b"\n\n"


def _escape(run: re.Match[str]) -> str:
    return encode_basestring_ascii(run[0])[1:-1]


class EventWriter:
    """Handed to the body of a stream. `gone` turns true once the caller has hung up."""

    __slots__ = ("_idle", "_on_gone", "_send", "_straight", "gone")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._straight: Straight | None = getattr(send, "straight", None)
        self._idle = True
        self._on_gone: Callable[[], None] | None = None
        self.gone = False

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Call back once when the caller hangs up; at once if that has happened."""
        self._on_gone = callback
        if self.gone:
            callback()

    def leave(self) -> None:
        """Note that the caller is gone."""
        if not self.gone:
            self.gone = True
            if self._on_gone is not None:
                self._on_gone()

    async def write(self, frame: bytes) -> None:
        """Send one or several whole frames; does nothing once the caller is gone."""
        self._idle = False
        if not self.gone:
            await self._send({"type": "http.response.body", "body": frame, "more_body": True})

    @property
    def free(self) -> bool:
        """Whether `write_now` can be called."""
        straight = self._straight
        return straight is not None and straight.free

    def write_now(self, frame: bytes) -> None:
        """Send whole frames as `write` does, without a wait: whoever has them need not wake the task that writes.

        Raises `RuntimeError` unless `free`.
        """
        if self._straight is None:
            message = "this server cannot write without waiting"
            raise RuntimeError(message)
        self._idle = False
        if not self.gone:
            self._straight.write(frame)

    async def keep_alive(self, comment: bytes) -> None:
        """Send the comment if nothing was written since the last call."""
        if self._idle:
            await self.write(comment)
        self._idle = True


class EventStream:
    """A reply whose body is written by `run`.

    When `run` returns the stream is ended cleanly; when it raises, the connection is aborted by the server, because a
    stream that was cut short must not look complete. `keep_alive` None sends no comments. `headers` are added.
    """

    __slots__ = ("_headers", "_keep_alive", "_run", "_seconds")

    def __init__(
        self,
        run: Callable[[EventWriter], Awaitable[None]],
        *,
        headers: Headers | None = None,
        keep_alive: bytes | None = KEEP_ALIVE_COMMENT,
        seconds: float = KEEP_ALIVE_SECONDS,
        content_type: bytes = b"text/event-stream; charset=utf-8",
    ) -> None:
        self._run = run
        self._headers = [(b"content-type", content_type), (b"x-accel-buffering", b"no"), *(headers or ())]
        self._keep_alive = keep_alive
        self._seconds = seconds

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send headers, then whatever `run` writes, watching for the caller's hang-up all the while."""
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        writer = EventWriter(send)
        watch = asyncio.create_task(self._watch(writer, receive))
        try:
            await self._run(writer)
        finally:
            watch.cancel()
        if not writer.gone:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _watch(self, writer: EventWriter, receive: Receive) -> None:
        """Note the hang-up; send comments into the silence."""
        while not writer.gone:
            try:
                with Within(self._seconds):
                    message = await receive()
            except TimeoutError:
                if self._keep_alive is not None:
                    await writer.keep_alive(self._keep_alive)
                continue
            if message["type"] == "http.disconnect":
                writer.leave()
