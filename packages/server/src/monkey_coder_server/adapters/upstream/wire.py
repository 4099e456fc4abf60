"""HTTP/1.1 on one connection to a provider: bytes to answers, by httptools, which refuses what HTTP does not allow.

A connection carries one request at a time. It is used again only when the answer came whole and nothing behind it.
"""

import asyncio
from collections.abc import Callable
from math import inf
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
        "_answer", "_done", "_freed", "_full", "_gone", "_interim", "_keep", "_limits", "_lines", "_look_due",
        "_look_timer", "_loose", "_many", "_parser", "_paused", "_reason", "_rest", "_surplus", "_transport",
        "_until_closed", "_why", "idle_since", "target",
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
        self._look_due = inf
        self._look_timer: asyncio.TimerHandle | None = None
        self._lines: list[bytes] = []
        """Names and values of a head or of trailers, in turns."""
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

    def ask(self, answer: Answer, head: bytes, body: bytes) -> None:
        """Send a request. A large body goes as fast as it is taken, also while its answer comes."""
        self._answer = answer
        self._many = self._loose = 0
        self._keep = self._until_closed = False
        transport = self._transport
        if transport is None:
            self.fail(Broken("closed"))
            return
        if answer.due < self._look_due:
            self._look_at(answer.due)
        if len(body) <= LARGEST_AT_ONCE:
            transport.write(head + body)
        else:
            transport.write(head)
            self._rest = memoryview(body)
            self._pour()

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
            if self._lines:  # of a head or of trailers that go on
                self._bound_lines()
        except (HttpParserError, HttpParserUpgrade, _Refused) as error:
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
        if self._look_timer is not None:
            self._look_timer.cancel()
            self._look_timer = None
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
        self._lines += (name, value)

    def on_headers_complete(self) -> None:
        """The end of a head. Interim answers count as a line each."""
        self._bound_lines()
        lines, self._lines = self._lines, []
        self._many += len(lines) // 2
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
        headers = _headers(lines)
        if "transfer-encoding" in headers:
            codings = sum(name.lower() == b"transfer-encoding" for name in lines[::2])
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
        if self._lines:
            self._bound_lines()
            self._lines.clear()
        if not self._interim and self._answer is not None:
            self._done, self._answer = self._answer, None

    def _refuse(self, why: str) -> None:
        self._why = why
        raise _Refused

    def _bound_lines(self) -> None:
        """What has come of a head or of trailers: so many lines, and none that is too long."""
        lines, limits = self._lines, self._limits
        if self._many + len(lines) // 2 > limits.header_count:
            self._refuse("it has too many header lines")
        if self._loose > limits.header_bytes and any(
            len(name) + len(value) > limits.header_bytes for name, value in zip(lines[::2], lines[1::2], strict=True)
        ):
            self._refuse("a header line is too long")

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
            if self._paused:
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

    def _look_at(self, moment: float) -> None:
        if self._look_timer is not None:
            self._look_timer.cancel()
        self._look_due = moment
        self._look_timer = asyncio.get_running_loop().call_at(moment, self._look)

    def _look(self) -> None:
        """Now and then, in place of a timer that is set and taken back for each answer."""
        self._look_due, self._look_timer = inf, None
        answer = self._answer
        if answer is not None:
            answer.look()
            if answer.due < inf:
                self._look_at(answer.due)


def _headers(lines: list[bytes]) -> dict[str, str]:
    """By names in lower case, decoded together: neither names nor values hold a line's end."""
    text = b"\n".join(lines).decode("utf-8", "surrogateescape").split("\n")
    return {name.lower(): value.rstrip(" \t") for name, value in zip(text[::2], text[1::2], strict=False)}
