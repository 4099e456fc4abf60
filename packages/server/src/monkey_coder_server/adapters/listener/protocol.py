"""HTTP/1.1 on one connection: bytes to requests by httptools, which refuses what HTTP does not allow, and answers back.

Whoever sends a header slowly, asks nothing for long, or leaves an answer unread is cut off.
"""

import asyncio
import logging
from collections import deque
from typing import cast
from urllib.parse import unquote

import msgspec
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from monkey_coder_protocol.errors import ErrorBody
from monkey_coder_server.adapters.listener.exchange import STATUS_LINE, Exchange, Scope
from monkey_coder_server.adapters.listener.framing import objection, overladen
from monkey_coder_server.adapters.listener.serving import Serving

HEADER_SECONDS = 15.0
"""From connecting, or from a further request's first byte, to the end of its header."""
STALL_SECONDS = 60.0
"""How long a caller may leave our answer unread before the connection is aborted."""
HEADER_BYTES = 32 * 1024
HEADER_COUNT = 100
UNREAD_BYTES = 64 * 1024
"""How much of a body may wait for the application before no more is taken from the socket."""
_ASGI = {"version": "3.0", "spec_version": "2.3"}
_REFUSAL = (
    b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\ncache-control: no-store\r\n"
    b"x-content-type-options: nosniff\r\ncontent-security-policy: default-src 'none'; frame-ancestors 'none'\r\n\r\n"
)

logger = logging.getLogger(__name__)


class RefusedHead(Exception):
    """Raised inside the parser, it ends its work, and the request is refused."""


class HttpProtocol(asyncio.Protocol):
    """Answers one request after another; those that come together wait for one another.

    Refuses oversized headers with 431, ambiguous ones with 400.
    """

    header_seconds = HEADER_SECONDS
    stall_seconds = STALL_SECONDS

    def __init__(self, serving: Serving) -> None:
        self.write_paused = False
        self._serving = serving
        self._loop = asyncio.get_running_loop()
        self._parser = HttpRequestParser(self)
        # What follows a request that ends its connection must not end it before it is answered.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._transport: asyncio.Transport | None = None
        self._client: tuple[str, int] | None = None
        self._address: str | None = None
        self._read: Exchange | None = None
        """Whose request came last, perhaps not wholly."""
        self._answered: Exchange | None = None
        """Whose turn it is, or was last."""
        self._waiting: deque[Exchange] = deque()
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._to_continue = False
        self._objection = ""
        self._too_large = False
        self._in_header = self._in_body = self._idle = False
        self._body_bytes = self._bytes_since_head = self._unfinished_bytes = self._arriving_bytes = 0
        self._idle_since = 0.0
        self._header_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._reading_paused = False
        self._drained: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock: the first header is due. An address with too many connections gets no further one."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclasses of it
        self._client = _address(transport)
        self._serving.opened(self)
        address = self._client[0] if self._client else ""
        if not self._serving.crowd.admit(address):
            self._transport.abort()
            return
        self._address = address
        self._idle_since = self._loop.time()
        self._expect_header()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why makes no difference
        """Stop the clocks, and tell whoever still answers."""
        self._serving.closed(self)
        self._transport = None
        if self._address is not None:
            self._serving.crowd.leave(self._address)
        _cancel(self._header_timer)
        _cancel(self._idle_timer)
        self.resume_writing()
        for exchange in (self._answered, *self._waiting):
            if exchange is not None:
                exchange.lost()
        self._let_go()

    def data_received(self, data: bytes) -> None:
        """Parse; a header may take only so many bytes and so long."""
        if self._transport is None or self._transport.is_closing():
            return
        self._arriving_bytes = len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            if self._read is not None:
                self._read.keep_alive = False  # what follows it is no HTTP
        except HttpParserError:
            self._refuse()
            return
        if self._idle and self._header_timer is None:  # else the header came whole, as it mostly does
            self._expect_header()
        if self._in_header:
            self._unfinished_bytes += len(data)
            if self._unfinished_bytes > HEADER_BYTES:
                self._too_large = True
                self._refuse()
        elif self._in_body:
            self._bytes_since_head += len(data)
            if overladen(self._bytes_since_head, self._body_bytes):
                self._objection = "The body is wrapped in far more than it holds; send larger chunks and no more."
                self._refuse()

    # What the parser finds

    def on_message_begin(self) -> None:
        """A request's first byte."""
        self._in_header = True
        self._in_body = self._to_continue = False
        self._unfinished_bytes = 0
        self._url = b""
        self._headers = []

    def on_url(self, url: bytes) -> None:
        """Some of the path and query."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the header; what trails the body comes here too and is dropped, or it would be taken for one."""
        if self._in_header:
            name = name.lower()
            self._headers.append((name, value))
            if name == b"expect":
                self._to_continue = value.lower() == b"100-continue"

    def on_headers_complete(self) -> None:
        """The header is whole: judge it, then start the application, unless a request before it is being answered."""
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
        self._idle = self._in_header = False
        parser, headers = self._parser, self._headers
        if self._header_bytes() > HEADER_BYTES or len(headers) > HEADER_COUNT:
            self._too_large = True
            raise RefusedHead
        version = parser.get_http_version()
        self._objection = objection(self._url, version, headers)
        if self._objection:
            raise RefusedHead
        self._in_body = True
        self._body_bytes = self._bytes_since_head = 0
        keep_alive = version != "1.0" and parser.should_keep_alive()
        self._read = exchange = Exchange(
            self, self._scope(version), self._serving.dated, keep_alive=keep_alive, to_continue=self._to_continue
        )
        if self._answering is None:
            self._start(exchange)
        else:
            self._pause_reading()
            self._waiting.append(exchange)

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._body_bytes += len(body)
        exchange = self._read
        if exchange is not None and not exchange.over and exchange.arrived(body) > UNREAD_BYTES:
            self._pause_reading()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._in_body = False
        if self._read is not None and not self._read.over:
            self._read.whole()

    # What an exchange asks for

    @property
    def leaving(self) -> bool:
        """Whether the connection is to end with its next answer."""
        return self._serving.leaving

    def write(self, data: bytes) -> None:
        """Write; nothing once the caller is gone."""
        if self._transport is not None:
            self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the caller has read most of what was written, or is gone."""
        if self.write_paused:
            if self._drained is None:
                self._drained = self._loop.create_future()
            await asyncio.shield(self._drained)

    def resume_reading(self) -> None:
        """Take more from the socket."""
        if self._reading_paused and self._transport is not None:
            self._reading_paused = False
            self._transport.resume_reading()

    def answered(self, *, keep_alive: bool) -> None:
        """The answer is out: the next request's header is due once its first byte comes."""
        if not keep_alive:
            self._close()
        if self._transport is None or self._transport.is_closing():
            return
        self.resume_reading()
        self._idle = not self._waiting
        if self._waiting:
            self._start(self._waiting.popleft())
            return
        self._idle_since = self._loop.time()
        if self._idle_timer is None:
            self._close_when_idle(self._serving.keep_alive)

    # How it ends

    def close_if_idle(self, seconds: float) -> None:
        """Close the connection if nothing was asked of us on it for so long."""
        busy = self._in_header or self._answering is not None
        if not busy and self._loop.time() - self._idle_since >= seconds:
            self._close()

    def end(self) -> None:
        """Close the connection after the answer that is being given, or now."""
        if self._answering is None:
            self._close()
        else:
            self._answering.keep_alive = False

    def abort(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def pause_writing(self) -> None:
        """The caller does not read as fast as we write: give it a while."""
        self.write_paused = True
        self._stall_timer = self._loop.call_later(self.stall_seconds, self.abort)

    def resume_writing(self) -> None:
        """The caller reads again."""
        self.write_paused = False
        _cancel(self._stall_timer)
        if self._drained is not None:
            self._drained.set_result(None)
            self._drained = None

    def _let_go(self) -> None:
        """Of what holds this connection in turn: what is closed must not wait for the garbage collector."""
        del self._parser
        self._read = self._answered = None
        self._waiting.clear()

    @property
    def _answering(self) -> Exchange | None:
        """Whose answer is not over."""
        exchange = self._answered
        return None if exchange is None or exchange.over else exchange

    def _start(self, exchange: Exchange) -> None:
        self._answered = exchange
        self._serving.tasks[exchange] = self._loop.create_task(self._serve(exchange))

    async def _serve(self, exchange: Exchange) -> None:
        """Run the application; an answer it leaves unfinished ends with the connection."""
        try:
            await self._serving.application(exchange.scope, exchange.receive, exchange)
        except Exception:
            logger.exception("An application that answers every request by itself did not")
        finally:
            self._serving.over(exchange)
            if not exchange.over:
                self._close()

    def _scope(self, version: str) -> Scope:
        url = self._url.partition(b"#")[0] if b"#" in self._url else self._url
        path, _, query = url.partition(b"?")
        plain = path.decode("ascii")
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "method": self._parser.get_method().decode("ascii"),
            "scheme": "http",
            "path": unquote(plain) if "%" in plain else plain,
            "raw_path": path,
            "query_string": query,
            "headers": self._headers,
            "client": self._client,
        }

    def _header_bytes(self) -> int:
        """The header's size; counted only where all that has come could be too much."""
        if self._unfinished_bytes + self._arriving_bytes <= HEADER_BYTES:
            return 0
        return len(self._url) + sum(len(name) + len(value) for name, value in self._headers)

    def _pause_reading(self) -> None:
        if not self._reading_paused and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()

    def _expect_header(self) -> None:
        self._header_timer = self._loop.call_later(self.header_seconds, self._close)

    def _close_when_idle(self, seconds: float) -> None:
        self._idle_timer = self._loop.call_later(seconds, self._look_whether_idle)

    def _look_whether_idle(self) -> None:
        """Now and then, in place of a timer that is set and taken back for each answer."""
        left = self._idle_since + self._serving.keep_alive - self._loop.time()
        if not self._idle or self._header_timer is not None:
            self._close_when_idle(self._serving.keep_alive)
        elif left > 0:
            self._close_when_idle(left)
        else:
            self._close()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _refuse(self) -> None:
        """Refuse what never became a request, in the native error shape, and close."""
        answering = self._answering
        if answering is not None and not (self._in_body and answering is self._read):
            answering.keep_alive = False  # it was asked rightly: what came after it is left unread
        elif answering is not None and answering.begun:
            self.abort()  # a refusal would read as more of the answer
        elif self._too_large:
            limits = f"{HEADER_BYTES} bytes or {HEADER_COUNT} fields"
            self._refused(431, f"The request's header is larger than {limits}; send fewer or shorter ones.")
        else:
            self._refused(400, self._objection or "The request is not valid HTTP.")

    def _refused(self, status: int, sentence: str) -> None:
        self._serving.complaints.note(self._address or "", status, sentence)
        told = ErrorBody(
            detail=sentence, message=sentence, error_code="invalid_request", status_code=status, request_id=""
        )
        body = msgspec.json.encode(told)
        self.write(STATUS_LINE[status] + _REFUSAL % len(body) + body)
        self._close()


def _address(transport: asyncio.BaseTransport) -> tuple[str, int] | None:
    peer = transport.get_extra_info("peername")
    return (str(peer[0]), int(peer[1])) if isinstance(peer, tuple) else None


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
