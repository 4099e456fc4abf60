"""Writes answers to the socket: head and first bytes together, so that a short answer is one packet."""

from collections.abc import MutableMapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from monkey_coder_server.adapters.listener.leaving import Leaving

Message = MutableMapping[str, Any]


class Answering:
    """The `send` of one request, in place of uvicorn's, which writes the head alone and searches each header twice.

    The rest of uvicorn's request cycle stays in charge: its flags tell the server how the answer stands.
    """

    __slots__ = ("_cycle", "_head", "_leaving", "_left")

    def __init__(self, cycle: RequestResponseCycle, leaving: Leaving) -> None:
        self._cycle = cycle
        self._leaving = leaving
        self._head = b""
        self._left: int | None = None

    @property
    def straight(self) -> "Answering":
        """Itself: implements `web.asgi.Straight`."""
        return self

    @property
    def free(self) -> bool:
        """Whether more of a body can be written at once."""
        cycle = self._cycle
        return cycle.response_started and not (
            cycle.flow.write_paused or cycle.response_complete or self._left is not None
        )

    def write(self, body: bytes) -> None:
        """Write some of a body that is sent in chunks. Nothing is written once its reader is gone."""
        if not self._cycle.disconnected:
            self._body(body, more=True)

    async def __call__(self, message: Message) -> None:
        """Take one ASGI message. Raises `RuntimeError` for one that is out of order, or a header that is none."""
        cycle = self._cycle
        if cycle.flow.write_paused and not cycle.disconnected:
            await cycle.flow.drain()
        if cycle.disconnected:
            return
        if message["type"] == "http.response.start" and not cycle.response_started:
            self._begin(message["status"], message["headers"])
        elif message["type"] == "http.response.body" and cycle.response_started and not cycle.response_complete:
            self._body(message.get("body", b""), more=message.get("more_body", False))
        else:
            unexpected = f"{message['type']} was sent out of order"
            raise RuntimeError(unexpected)

    def _begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        cycle = self._cycle
        cycle.response_started = True
        cycle.waiting_for_100_continue = False
        lines = [b"%b: %b\r\n" % pair for pair in (*cycle.default_headers, *headers)]
        self._left = _length(headers)
        bodiless = cycle.scope["method"] == "HEAD" or status in {204, 304}
        if bodiless:
            self._left = 0
        elif self._left is None:
            lines.append(b"transfer-encoding: chunked\r\n")
        if self._leaving.begun:
            cycle.keep_alive = False
        if not cycle.keep_alive:
            lines.append(b"connection: close\r\n")
        head = b"".join(lines)
        if not head.count(b"\r") == head.count(b"\n") == len(lines):
            raise RuntimeError("a header holds a line break")
        self._head = b"%b%b\r\n" % (STATUS_LINE[status], head)

    def _body(self, body: bytes, *, more: bool) -> None:
        head, self._head = self._head, b""
        if self._left is None:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body = chunk if more else chunk + b"0\r\n\r\n"
        else:
            self._left -= len(body)
            if self._left < 0 or (self._left and not more):
                raise RuntimeError("the body's length is not the announced one")
        self._cycle.transport.write(head + body)
        if not more:
            self._end()

    def _end(self) -> None:
        cycle = self._cycle
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()


def _length(headers: list[tuple[bytes, bytes]]) -> int | None:
    for name, value in headers:
        if name == b"content-length":
            return int(value)
    return None
