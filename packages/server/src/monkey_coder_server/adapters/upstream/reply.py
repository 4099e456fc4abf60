"""An answer that is read within bounds."""

from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator
from math import inf

from monkey_coder_server.adapters.upstream.answer import Answer, Source
from monkey_coder_server.adapters.upstream.failures import NotHttp, before_headers, failed, in_body
from monkey_coder_server.adapters.upstream.limits import UpstreamLimits
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.ports.upstream import Deadlines, UpstreamFailed


class Reply(Answer):
    """Implements `ports.upstream.UpstreamReply` once `begun`. `started` is a moment of the loop's clock."""

    __slots__ = ("_deadlines", "_ends_at", "_late", "_limits", "_patient_until", "_provider")

    def __init__(  # noqa: PLR0913 - one call's bounds, and whom they concern
        self,
        provider: str,
        source: Source,
        *,
        limits: UpstreamLimits,
        deadlines: Deadlines,
        loop: AbstractEventLoop,
        started: float,
    ) -> None:
        patient_until, ends_at = started + deadlines.first_byte, started + deadlines.total
        super().__init__(source, loop, min(started + deadlines.idle, patient_until, ends_at))
        self._provider = provider
        self._limits = limits
        self._deadlines = deadlines
        self._late: UpstreamFailed | None = None
        self._ends_at = ends_at
        self._patient_until = patient_until
        """When the head, or what a read waits for, must have come. The time a slow reader takes does not count."""

    async def begun(self) -> None:
        """Wait for the status line. Raises `UpstreamFailed`."""
        try:
            while not self.status and not self.over:
                await self
        except BaseException:
            self.give_up()
            raise
        broken = self.broken
        if broken is not None and (not self.status or isinstance(broken, NotHttp)):
            raise self._late or before_headers(self._provider, broken, connect=self._deadlines.connect) from broken
        self._patient_until = inf
        self._refuse_the_unreadable()

    async def read(self) -> bytes:
        """The whole body, bounded. Raises `UpstreamFailed`."""
        limit = self._limits.body_bytes
        if not self.over or self.broken is not None:
            announced = self.headers.get("content-length", "")
            if announced.isdecimal() and int(announced) > limit:
                raise self._too_large(limit)
            return b"".join([piece async for piece in self._bounded(limit)])
        whole = self.take()
        if len(whole) > limit:
            raise self._too_large(limit)
        return whole

    def pieces(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises `UpstreamFailed`."""
        return self._bounded(self._limits.stream_bytes)

    def close(self) -> None:
        """Give up the connection at once; harmless after the end."""
        self.give_up()

    def look(self) -> None:
        """Give up what is too slow, or say when it is due next: a read that begins to wait by then may wait longer."""
        now = self._loop.time()
        if now >= self._ends_at or now >= self._patient_until:
            self.due = inf
            self._late = self._too_late(ended=now >= self._ends_at)
            self.give_up()
        else:
            self.due = min(now + self._deadlines.idle, self._patient_until, self._ends_at)

    async def _bounded(self, limit: int) -> AsyncIterator[bytes]:
        size = 0
        try:
            while True:
                piece = self.take()
                if piece:
                    size += len(piece)
                    if size > limit:
                        raise self._too_large(limit)
                    yield piece
                elif self.over:
                    break
                else:
                    self._patient_until = self._loop.time() + self._deadlines.idle
                    await self
                    self._patient_until = inf
            if self.broken is not None:
                raise self._late or in_body(self._provider, self.status) from self.broken
        finally:
            if not self.over or self.unread:  # a failed or abandoned body: its connection cannot be used again
                self.give_up()

    def _refuse_the_unreadable(self) -> None:
        if self.status < 200:  # only 101 is ever handed on, and it would hold its connection for good
            self.give_up()
            message = f"{self._provider} answered with status {self.status} instead of an answer."
            raise failed(self._provider, FailureKind.MALFORMED, message, self.status)
        encoding = self.headers.get("content-encoding")
        if encoding and encoding.lower() != "identity":
            self.give_up()
            sent = f"{self._provider} sent a body encoded as {encoding.lower()[:40]!r}"
            message = f"{sent} although plain bytes were asked for."
            raise failed(self._provider, FailureKind.MALFORMED, message, self.status)

    def _too_late(self, *, ended: bool) -> UpstreamFailed:
        provider, deadlines = self._provider, self._deadlines
        if not self.status:
            return no_answer(provider, deadlines)
        if ended:
            message = f"{provider} did not finish its answer within {deadlines.total:g} s."
        else:
            message = f"{provider} sent nothing for {deadlines.idle:g} s in the middle of its answer."
        return failed(provider, FailureKind.TIMEOUT, message, self.status)

    def _too_large(self, limit: int) -> UpstreamFailed:
        self.give_up()
        message = f"The answer of {self._provider} is larger than {limit} bytes."
        return failed(self._provider, FailureKind.MALFORMED, message, self.status)


def no_answer(provider: str, deadlines: Deadlines) -> UpstreamFailed:
    """The time for the status line, or for the whole, has passed without one."""
    patience = min(deadlines.first_byte, deadlines.total)
    message = f"{provider} did not begin to answer within {patience:.3g} s."
    return failed(provider, FailureKind.TIMEOUT, message)
