"""uvicorn's protocol with the deadlines it lacks: it closes no slow header, idle socket or unread answer by itself."""

import asyncio
import logging
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from monkey_coder_protocol.errors import ErrorBody
from monkey_coder_server.adapters.listener.answering import Answering
from monkey_coder_server.adapters.listener.complaints import Complaints
from monkey_coder_server.adapters.listener.crowd import Crowd
from monkey_coder_server.adapters.listener.framing import objection, overladen
from monkey_coder_server.adapters.listener.leaving import Leaving

HEADER_SECONDS = 15.0
"""From connecting, or from a further request's first byte, to the end of its header."""
STALL_SECONDS = 60.0
"""How long a caller may leave our answer unread before the connection is aborted."""
HEADER_BYTES = 32 * 1024
HEADER_COUNT = 100
_REFUSAL = (
    b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\ncache-control: no-store\r\n"
    b"x-content-type-options: nosniff\r\ncontent-security-policy: default-src 'none'; frame-ancestors 'none'\r\n\r\n"
)

_UNHEARD = logging.getLogger(f"{__name__}.uvicorn")
_UNHEARD.setLevel(logging.CRITICAL)
"""uvicorn warns of each malformed request; here they are counted, and what matters the application logs itself."""


class RefusedHead(Exception):
    """Raised inside the parser; it makes uvicorn refuse the request."""


class BoundedProtocol(HttpToolsProtocol):
    """Refuses oversized headers with 431, ambiguous ones with 400; closes slow ones, and who stops reading."""

    header_seconds = HEADER_SECONDS
    stall_seconds = STALL_SECONDS
    crowd = Crowd()
    complaints = Complaints()
    leaving = Leaving()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = _UNHEARD
        self._address: str | None = None
        self._objection = ""
        self._body_bytes = 0
        self._bytes_since_head = 0
        self._in_body = False
        self._header_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._unfinished_bytes = 0
        self._arriving_bytes = 0
        self._in_header = False
        self._idle = False
        self._idle_since = 0.0
        self._idle_timer: asyncio.TimerHandle | None = None
        self._too_large = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn narrows it so
        """Start the clock: the first header is due. An address with too many connections gets no further one."""
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        if not self.crowd.admit(address):
            transport.abort()
            return
        self._address = address
        self._idle_since = self.loop.time()
        self._expect_header()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        if self._address is not None:
            self.crowd.leave(self._address)
        _cancel(self._header_timer)
        _cancel(self._stall_timer)
        _cancel(self._idle_timer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; a header may take only so many bytes and so long."""
        if self.transport.is_closing():
            return
        self._arriving_bytes = len(data)
        super().data_received(data)
        if self._idle and self._header_timer is None:  # else the header came whole, as it mostly does
            self._expect_header()
        if self._in_header:
            self._unfinished_bytes += len(data)
            if self._unfinished_bytes > HEADER_BYTES:
                self._too_large = True
                self.send_400_response("")
        elif self._in_body:
            self._bytes_since_head += len(data)
            if overladen(self._bytes_since_head, self._body_bytes):
                self.send_400_response("The body is wrapped in far more than it holds; send larger chunks and no more.")

    def on_message_begin(self) -> None:
        """A request's first byte."""
        self._in_header = True
        self._unfinished_bytes = 0
        self._in_body = False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the header; what trails the body comes here too and is dropped, or it would be taken for one."""
        if self._in_header:
            name = name.lower()
            if name == b"expect":
                super().on_header(name, value)
            else:
                self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._in_body = False
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        """The header is whole: judge its size, then let uvicorn start the application."""
        _cancel(self._header_timer)
        self._header_timer = None
        self._idle = False
        self._in_header = False
        if self._header_bytes() > HEADER_BYTES or len(self.headers) > HEADER_COUNT:
            self._too_large = True
            raise RefusedHead
        self._objection = objection(self.url, self.parser.get_http_version(), self.headers)
        if self._objection:
            raise RefusedHead
        self._in_body = True
        self._body_bytes = self._bytes_since_head = 0
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """The answer is out: the next request's header is due once its first byte comes."""
        self._idle = not self.pipeline
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._close_when_idle(self.timeout_keep_alive)

    def send_400_response(self, msg: str) -> None:
        """Refuse what never became a request, in the native error shape, and close."""
        if self._in_the_midst_of_an_answer():
            self.transport.abort()  # a refusal would read as more of it
        elif self._too_large:
            limits = f"{HEADER_BYTES} bytes or {HEADER_COUNT} fields"
            self._refuse(431, f"The request's header is larger than {limits}; send fewer or shorter ones.")
        else:
            self._refuse(400, self._objection or msg or "The request is not valid HTTP.")

    def close_if_idle(self, seconds: float) -> None:
        """Close the connection if nothing was asked of us on it for so long."""
        cycle: RequestResponseCycle | None = vars(self)["cycle"]
        busy = self._in_header or (cycle is not None and not cycle.response_complete)
        if not busy and self.loop.time() - self._idle_since >= seconds:
            self.transport.close()

    def pause_writing(self) -> None:
        """The caller does not read as fast as we write: give it a while."""
        super().pause_writing()
        self._stall_timer = self.loop.call_later(self.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The caller reads again."""
        _cancel(self._stall_timer)
        super().resume_writing()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Start the application with a `send` of ours."""
        super()._start_asgi_task(cycle, lambda scope, receive, _: app(scope, receive, Answering(cycle, self.leaving)))

    def _in_the_midst_of_an_answer(self) -> bool:
        cycle: RequestResponseCycle | None = vars(self)[
            "cycle"
        ]  # None before the first request, whatever its type says
        return cycle is not None and cycle.response_started and not cycle.response_complete

    def _header_bytes(self) -> int:
        """The header's size; counted only where all that has come could be too much."""
        if self._unfinished_bytes + self._arriving_bytes <= HEADER_BYTES:
            return 0
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _close_when_idle(self, seconds: float) -> None:
        self._idle_timer = self.loop.call_later(seconds, self._look_whether_idle)

    def _look_whether_idle(self) -> None:
        """Now and then, in place of uvicorn's timer, which is set and cancelled for each answer."""
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if not self._idle or self._header_timer is not None:
            self._close_when_idle(self.timeout_keep_alive)
        elif left > 0:
            self._close_when_idle(left)
        else:
            self.transport.close()

    def _expect_header(self) -> None:
        self._header_timer = self.loop.call_later(self.header_seconds, self.transport.close)

    def _refuse(self, status: int, sentence: str) -> None:
        self.complaints.note(self._address or "", status, sentence)
        body = msgspec.json.encode(
            ErrorBody(
                detail=sentence, message=sentence, error_code="invalid_request", status_code=status, request_id=""
            )
        )
        self.transport.write(STATUS_LINE[status] + _REFUSAL % len(body) + body)
        self.transport.close()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
