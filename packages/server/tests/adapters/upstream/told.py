"""A connection whose provider's end is in the test's hands: no socket."""

from asyncio import AbstractEventLoop
from collections.abc import Mapping
from typing import cast

from monkey_coder_server.adapters.upstream.answer import Answer
from monkey_coder_server.adapters.upstream.failures import Broken
from monkey_coder_server.adapters.upstream.limits import UpstreamLimits
from monkey_coder_server.adapters.upstream.request import Target
from monkey_coder_server.adapters.upstream.wire import Connection

NO_LOOP = cast("AbstractEventLoop", None)
"""Nobody waits."""
LIMITS = UpstreamLimits(header_bytes=1_000, header_count=20, unread_bytes=1_000)


class Socket:
    """As much of `asyncio.Transport` as a connection uses."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.unsent = 0
        self.fate = ""
        self.paused = False

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return bool(self.fate)

    def close(self) -> None:
        self.fate = self.fate or "closed"

    def abort(self) -> None:
        self.fate = "aborted"

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Told:
    """One connection and what became of it."""

    def __init__(self, limits: UpstreamLimits = LIMITS) -> None:
        self.socket = Socket()
        self.freed: list[bool] = []
        self.gone = 0
        self.connection = Connection(Target("api.test", 443, tls=True), limits, self._freed, self._gone)
        self.connection.connection_made(self.socket)  # type: ignore[arg-type]  # as much of one as is used

    def ask(self, body: bytes = b"{}") -> Answer:
        answer = Answer(self.connection, NO_LOOP)
        self.connection.ask(answer, b"POST / HTTP/1.1\r\n\r\n", body)
        return answer

    def say(self, *pieces: bytes) -> None:
        """As the loop does: nothing more comes from a socket that is closing."""
        for piece in pieces:
            if piece and not self.socket.fate:
                self.connection.data_received(piece)

    def hang_up(self, error: Exception | None = None) -> None:
        if error is None and not self.socket.fate:
            self.connection.eof_received()
        self.connection.connection_lost(error)

    @property
    def reusable(self) -> bool:
        return self.freed == [True] and not self.socket.fate

    def _freed(self, _: Connection, reusable: bool) -> None:
        self.freed.append(reusable)

    def _gone(self, _: Connection) -> None:
        self.gone += 1


def outcome(answer: Answer) -> tuple[int, Mapping[str, str], bytes, bool, type[Broken] | None]:
    """All that can be seen of an answer."""
    broken = None if answer.broken is None else type(answer.broken)
    return answer.status, answer.headers, answer.take(), answer.over, broken
