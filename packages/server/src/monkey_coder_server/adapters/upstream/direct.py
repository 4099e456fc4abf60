"""The way of an ordinary request: on a pooled connection, its bytes in one write.

aiohttp's session does for each request what a gateway has no use for: redirects, cookies, middlewares, a task to write
the body. This takes connections from the session's pool and leaves the answer to aiohttp's parser, at a third of the
session's cost. Large bodies and requests through a proxy still go through the session.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import aiohttp
from yarl import URL

from monkey_coder_server.adapters.upstream.limits import UpstreamLimits

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
    from aiohttp.http import RawResponseMessage

FIXED_HEADERS = {"accept-encoding": "identity", "user-agent": "monkey-coder"}
_UNSAFE = re.compile(r"[\x00\r\n]")


class Response(Protocol):
    """What is read of an answer, whichever way it came."""

    status: int
    content: aiohttp.StreamReader

    @property
    def headers(self) -> Mapping[str, str]:
        """As sent; looked up without regard to case."""

    def close(self) -> None:
        """Give up the connection, unless it has been given back already."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where requests go. `target` finds connections in the pool; `opening` begins every request."""

    target: aiohttp.ClientRequest
    opening: str
    limits: UpstreamLimits


class DirectResponse:
    """Implements `Response`. The connection goes back to the pool when the last byte has come."""

    __slots__ = ("connection", "content", "headers", "status")

    def __init__(self, connection: Connection, message: RawResponseMessage, content: aiohttp.StreamReader) -> None:
        self.connection: Connection | None = connection
        self.status: int = message.code
        self.headers: Mapping[str, str] = message.headers
        self.content = content
        content.on_eof(self._give_back)

    def close(self) -> None:
        """Give up the connection; a read that waits fails."""
        if self.connection is None and self.content.at_eof():
            return  # the last byte was read, and the connection has gone back
        if self.content.exception() is None:
            self.content.set_exception(aiohttp.ClientConnectionError("Connection closed"))
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _give_back(self) -> None:
        connection, self.connection = self.connection, None
        if connection is None:
            return
        transport = connection.transport
        if transport is not None and transport.get_write_buffer_size():
            transport.abort()  # answered before it had read the request: the next one would wait behind the rest
            connection.close()
        else:
            connection.release()


def route(url: URL, limits: UpstreamLimits) -> Route | None:
    """How to reach a URL; None when only the session knows how. Raises `aiohttp.InvalidURL`."""
    if url.scheme not in {"http", "https"} or not url.raw_host:
        raise aiohttp.InvalidURL(url)
    if url.raw_user is not None or url.raw_password is not None:
        return None
    lines = [f"{name}: {value}\r\n" for name, value in FIXED_HEADERS.items()]
    opening = f"POST {url.raw_path_qs} HTTP/1.1\r\nhost: {url.host_port_subcomponent}\r\n{''.join(lines)}"
    return Route(aiohttp.ClientRequest("POST", url), opening, limits)


def written(there: Route, headers: Mapping[str, str], body: bytes) -> bytes:
    """The request as it is sent. Raises `ValueError` for a header with a line break."""
    for name, value in headers.items():
        if _UNSAFE.search(name) or _UNSAFE.search(value):
            raise ValueError("a header holds a line break or a null")
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    return f"{there.opening}{lines}content-length: {len(body)}\r\n\r\n".encode() + body


async def post(
    connector: aiohttp.BaseConnector,
    there: Route,
    message: bytes,
    *,
    connect: float,
    patience: float,
) -> DirectResponse:
    """Send what `written` gave and wait for the status line.

    Raises what aiohttp's session raises, and `TimeoutError` after `patience` seconds, connecting included.
    """
    loop = asyncio.get_running_loop()
    due = loop.time() + patience
    try:
        connection = await connector.connect(there.target, traces=[], timeout=connecting(min(connect, patience)))
    except TimeoutError as error:
        if patience < connect:
            raise
        raise aiohttp.ConnectionTimeoutError("Connection timeout") from error
    protocol = connection.protocol
    if protocol is None:
        raise aiohttp.ServerDisconnectedError
    timer = loop.call_at(due, protocol.set_exception, TimeoutError())  # a fifth of what `asyncio.timeout` costs
    try:
        return await _exchange(connection, protocol, message, there.limits)
    except BaseException:
        connection.close()
        raise
    finally:
        timer.cancel()


@lru_cache(maxsize=16)
def connecting(seconds: float) -> aiohttp.ClientTimeout:
    """Only the connection is timed by aiohttp; the rest is cheaper by our own timers."""
    return aiohttp.ClientTimeout(total=None, connect=seconds)


async def _exchange(
    connection: Connection, protocol: ResponseHandler, message: bytes, limits: UpstreamLimits
) -> DirectResponse:
    if protocol.transport is None:
        raise aiohttp.ServerDisconnectedError
    protocol.set_response_params(
        read_until_eof=True,
        auto_decompress=False,
        max_line_size=limits.header_bytes,
        max_field_size=limits.header_bytes,
        max_headers=limits.header_count,
    )
    protocol.transport.write(message)
    while True:
        answer, content = await protocol.read()
        if answer.code // 100 != 1 or answer.code == HTTPStatus.SWITCHING_PROTOCOLS:  # the others are interim answers
            return DirectResponse(connection, answer, content)
