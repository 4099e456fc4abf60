"""One request and its answer, as an ASGI application has them: what it may receive, and what it sends."""

import asyncio
from collections.abc import Callable, MutableMapping
from http import HTTPStatus
from typing import Any, Protocol

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]

_PHRASES = {each.value: each.phrase.encode() for each in HTTPStatus}
STATUS_LINE = {status: b"HTTP/1.1 %d %b\r\n" % (status, _PHRASES.get(status, b"")) for status in range(100, 600)}
_BODILESS = frozenset({204, 304})
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Wire(Protocol):
    """What an exchange needs of its connection."""

    @property
    def leaving(self) -> bool:
        """Whether the connection is to end with its next answer."""

    @property
    def write_paused(self) -> bool:
        """Whether the caller does not read as fast as is written."""

    def write(self, data: bytes) -> None:
        """Write; nothing once the caller is gone."""

    async def drained(self) -> None:
        """Wait until the caller has read most of what was written, or is gone."""

    def resume_reading(self) -> None:
        """The application takes what has come of the body: more may come."""

    def answered(self, *, keep_alive: bool) -> None:
        """The answer is written."""


class Exchange:
    """The `receive` of one request, and itself its `send`: head and first bytes go out together, in one packet."""

    __slots__ = (
        "_body", "_dated", "_head", "_left", "_news", "_waiter", "_wire", "begun", "gone", "keep_alive", "more_body",
        "over", "scope", "to_continue",
    )  # fmt: skip

    def __init__(
        self, wire: Wire, scope: Scope, dated: Callable[[], bytes], *, keep_alive: bool, to_continue: bool
    ) -> None:
        """`dated` gives the line of the head that says when; `to_continue`: the caller waits to be asked for a body."""
        self.scope = scope
        self.keep_alive = keep_alive
        self.to_continue = to_continue
        self.more_body = True
        self.begun = False
        self.over = False
        self.gone = False
        self._wire = wire
        self._dated = dated
        self._body = bytearray()
        self._news = False
        self._waiter: asyncio.Future[None] | None = None
        self._head = b""
        self._left: int | None = None

    @property
    def straight(self) -> "Exchange":
        """Itself: implements `web.asgi.Straight`."""
        return self

    @property
    def free(self) -> bool:
        """Whether more of a body can be written at once."""
        return self.begun and not (self._wire.write_paused or self.over or self._left is not None)

    def write(self, body: bytes) -> None:
        """Write some of a body that is sent in chunks. Nothing is written once its reader is gone."""
        if not self.gone:
            self._write(body, more=True)

    def answer(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """Write a whole answer; False when what was written before it is still to be read.

        Raises `RuntimeError` as for the messages it stands for.
        """
        if self.gone:
            return True
        if self.begun or self._wire.write_paused:
            return False
        self._begin(status, headers)
        self._write(body, more=False)
        return True

    def come(self) -> bytes | None:
        """The request's body, once, if all of it has come; None where there is more to be received or told."""
        if self.more_body or self.to_continue or self.gone or self.over or not self._news:
            return None
        self._wire.resume_reading()
        return self._taken()

    def arrived(self, body: bytes) -> int:
        """Some of the request's body has come; how much of it waits to be received."""
        self._body += body
        self._tell()
        return len(self._body)

    def whole(self) -> None:
        """The request has come wholly."""
        self.more_body = False
        self._tell()

    def lost(self) -> None:
        """The caller is gone."""
        if not self.over:
            self.gone = True
        self._tell()

    async def receive(self) -> Message:
        """More of the body, as soon as there is some; then, when there is nobody to answer any more, that."""
        if self.to_continue:
            self.to_continue = False
            self._wire.write(_CONTINUE)
        if not (self.gone or self.over):
            self._wire.resume_reading()
            if not self._news:
                await self._wait()
        if self.gone or self.over:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self._taken(), "more_body": self.more_body}

    async def __call__(self, message: Message) -> None:
        """Take one ASGI message. Raises `RuntimeError` for one that is out of order, or a header that is none."""
        if self._wire.write_paused and not self.gone:
            await self._wire.drained()
        if self.gone:
            return
        kind = message["type"]
        if kind == "http.response.start" and not self.begun:
            self._begin(message["status"], message["headers"])
        elif kind == "http.response.body" and self.begun and not self.over:
            self._write(message.get("body", b""), more=message.get("more_body", False))
        else:
            unexpected = f"{kind} was sent out of order"
            raise RuntimeError(unexpected)

    def _begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.begun = True
        self.to_continue = False
        lines = list(map(b": ".join, headers))
        said = b"".join(lines)
        if b"\r" in said or b"\n" in said:
            raise RuntimeError("a header holds a line break")
        self._left = _length(headers)
        if self.scope["method"] == "HEAD" or status in _BODILESS:
            self._left = 0
        elif self._left is None:
            lines.append(b"transfer-encoding: chunked")
        if self._wire.leaving:
            self.keep_alive = False
        if not self.keep_alive:
            lines.append(b"connection: close")
        lines.append(b"")
        self._head = b"%b%b%b\r\n" % (STATUS_LINE[status], self._dated(), b"\r\n".join(lines))

    def _write(self, body: bytes, *, more: bool) -> None:
        head, self._head = self._head, b""
        if self._left is None:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body = chunk if more else chunk + b"0\r\n\r\n"
        else:
            self._left -= len(body)
            if self._left < 0 or (self._left and not more):
                raise RuntimeError("the body's length is not the announced one")
        self._wire.write(head + body)
        if not more:
            self.over = True
            self._tell()
            self._wire.answered(keep_alive=self.keep_alive)

    def _taken(self) -> bytes:
        """What has come of the body since it was taken last."""
        self._news = False
        body, self._body = bytes(self._body), bytearray()
        return body

    def _tell(self) -> None:
        self._news = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


def _length(headers: list[tuple[bytes, bytes]]) -> int | None:
    for name, value in headers:
        if name == b"content-length":
            return int(value)
    return None
