"""HTTP/1.1 on one connection to a provider: bytes to answers, by httptools, which refuses what HTTP does not allow.

A connection carries one request at a time. It is used again only when the answer came whole and nothing behind it.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from monkey_coder_server.adapters.upstream.answer import Answer
from monkey_coder_server.adapters.upstream.failures import Broken, NotHttp
from monkey_coder_server.adapters.upstream.limits import UpstreamLimits
from monkey_coder_server.adapters.upstream.request import Target

LARGEST_AT_ONCE = 1024 * 1024
"""Bytes of a body that go to the socket in one write with their head."""
_PIECE = 64 * 1024
"""Bytes of a larger body that go to the socket at a time."""
_SWITCHING = 101
_BODILESS = frozenset({_SWITCHING, 204, 304})


class _Refused(Exception):
    """Ends the parser's work within one of its calls."""


class Connection(asyncio.Protocol):
    """A socket to `target`. Calls `freed(self, reusable)` when an answer is over and `gone(self)` when it is closed."""

    __slots__ = (
        "_answer", "_done", "_freed", "_full", "_gone", "_interim", "_keep", "_limits", "_lines", "_loose", "_many",
        "_parser", "_paused", "_reason", "_rest", "_surplus", "_transport", "_until_closed", "_why", "idle_since",
        "target",
    )  # fmt: skip

    def __init__(
        self,
        target: Target,
        limits: UpstreamLimits,
        freed: Callable[["Connection", bool], None],
        gone: Callable[["Connection"], None],
    ) -> None:
        self.target = target
        self.idle_since = 0.0
        self._limits = limits
        self._freed = freed
        self._gone = gone
        self._transport: asyncio.Transport | None = None
        self._parser: HttpResponseParser | None = None
        self._answer: Answer | None = None
        self._done: Answer | None = None
        self._rest: memoryview | None = None
        self._lines: list[tuple[bytes, bytes]] = []
        self._many = self._loose = self._reason = 0
        self._why = ""
        self._interim = self._keep = self._until_closed = self._surplus = self._paused = self._full = False

    @property
    def transport(self) -> asyncio.Transport | None:
        """The socket; None when it is closed."""
        return self._transport

    @property
    def usable(self) -> bool:
        """Whether a request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, head: bytes, body: bytes) -> Answer:
        """Send a request. A large body goes as fast as it is taken, also while its answer comes."""
        answer = self._answer = Answer(self)
        self._many = self._loose = 0
        self._keep = self._until_closed = False
        transport = self._transport
        if transport is None:
            self.fail(Broken("closed"))
        elif len(body) <= LARGEST_AT_ONCE:
            transport.write(head + body)
        else:
            transport.write(head)
            self._rest = memoryview(body)
            self._pour()
        return answer

    def read_on(self) -> None:
        """Take bytes from the socket again."""
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def fail(self, broken: Broken) -> None:
        """Close the socket at once; what came of an answer is not all of it."""
        self._over(broken)

    def close(self) -> None:
        """Close a socket that is not in use."""
        if self._transport is not None:
            self._transport.close()

    # what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open, and TLS agreed on."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclasses of it
        self._parser = HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        answer, parser = self._answer, self._parser
        if answer is None or parser is None:  # nobody asked
            self._abort()
            return
        self._loose += len(data)
        try:
            parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if self._done is None:
                self.fail(NotHttp(self._why or str(error).partition("\n")[0][:200]))
                return
            self._surplus = True
        if self._done is not None:
            self._over(None)
        elif self._loose:
            self._bound_line(data)
        elif answer.unread > self._limits.unread_bytes and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        """The provider has said everything; the loop closes the socket."""
        self._ended()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._transport = self._parser = None
        if exc is None:
            self._ended()
        else:
            self.fail(Broken(str(exc)))
        self._gone(self)

    def pause_writing(self) -> None:
        """The socket takes no more for now."""
        self._full = True

    def resume_writing(self) -> None:
        """The socket takes more."""
        self._full = False
        self._pour()

    # what the parser calls

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        self._reason = 0
        if self._answer is None:
            self._surplus = True

    def on_status(self, reason: bytes) -> None:
        """Words of the status line, or a part of them."""
        self._reason += len(reason)
        if self._reason > self._limits.header_bytes:
            self._refuse("its status line is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of a head, or of the trailers."""
        self._many += 1
        if self._many > self._limits.header_count:
            self._refuse("it has too many header lines")
        if len(name) + len(value) > self._limits.header_bytes:
            self._refuse("a header line is too long")
        self._lines.append((name, value))

    def on_headers_complete(self) -> None:
        """The end of a head. Interim answers count as a line each."""
        lines, self._lines = self._lines, []
        answer, parser = self._answer, self._parser
        if answer is None or parser is None:
            return
        status = parser.get_status_code()
        self._interim = status < 200 and status != _SWITCHING
        if self._interim:
            self._many += 1
            if self._many > self._limits.header_count:
                self._refuse("it has too many interim answers")
            return
        headers = {
            name.decode("ascii").lower(): value.decode("utf-8", "surrogateescape").rstrip(" \t")
            for name, value in lines
        }
        if "transfer-encoding" in headers:
            codings = sum(name.lower() == b"transfer-encoding" for name, _ in lines)
            if codings > 1 or headers["transfer-encoding"].lower() != "chunked":
                self._refuse("its transfer encoding is not plain chunks")
        elif "content-length" not in headers:
            self._until_closed = status not in _BODILESS
        self._keep = parser.should_keep_alive() and status != _SWITCHING
        answer.begin(status, headers)

    def on_body(self, piece: bytes) -> None:
        """A part of the body."""
        self._loose = 0
        if self._answer is not None:
            self._answer.add(piece)

    def on_message_complete(self) -> None:
        """The end of an answer, interim ones included."""
        if not self._interim and self._answer is not None:
            self._done, self._answer = self._answer, None

    def _refuse(self, why: str) -> None:
        self._why = why
        raise _Refused

    def _bound_line(self, data: bytes) -> None:
        """Nothing but an unfinished head, trailer or size of a chunk has come: its last line is bounded."""
        behind = len(data) - data.rfind(b"\n") - 1
        if behind < len(data):
            self._loose = behind
        if self._loose > self._limits.header_bytes:
            self.fail(NotHttp("a line is too long"))

    def _pour(self) -> None:
        """Hand on of a large body what the socket takes."""
        while self._rest and not self._full and self._transport is not None:
            self._transport.write(self._rest[:_PIECE])
            self._rest = self._rest[_PIECE:] or None

    def _ended(self) -> None:
        """Nothing more will come."""
        if self._until_closed:
            self._done, self._answer = self._answer, None
            self._over(None)
        elif self._answer is not None:
            self.fail(Broken("closed"))

    def _over(self, broken: Broken | None) -> None:
        """End the answer, and the connection unless it can carry another."""
        answer = self._done or self._answer
        self._done = self._answer = None
        transport = self._transport
        written = self._rest is None and transport is not None and not transport.get_write_buffer_size()
        decent = broken is None and written and not self._surplus and not self._until_closed
        reusable = decent and self._keep and self.usable
        if reusable:
            self.read_on()
        elif decent:
            self.close()
        else:
            self._abort()
        if answer is not None:
            self._freed(self, reusable)
            answer.end(broken)

    def _abort(self) -> None:
        self._rest = None
        if self._transport is not None:
            self._transport.abort()
