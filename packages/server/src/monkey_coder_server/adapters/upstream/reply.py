"""An answer that is read within bounds."""

from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator, Mapping

from monkey_coder_server.adapters.upstream.answer import Answer
from monkey_coder_server.adapters.upstream.failures import NotHttp, before_headers, failed, in_body
from monkey_coder_server.adapters.upstream.limits import UpstreamLimits
from monkey_coder_server.adapters.upstream.watch import Watch
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.ports.upstream import Deadlines, UpstreamFailed


class Reply:
    """Implements `ports.upstream.UpstreamReply` once `begun`. `started` is a moment of the loop's clock."""

    __slots__ = ("_answer", "_deadlines", "_late", "_limits", "_provider", "_watch", "headers", "status")

    def __init__(  # noqa: PLR0913 - one call's bounds, and whom they concern
        self,
        provider: str,
        answer: Answer,
        *,
        limits: UpstreamLimits,
        deadlines: Deadlines,
        loop: AbstractEventLoop,
        started: float,
    ) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self._provider = provider
        self._answer = answer
        self._limits = limits
        self._deadlines = deadlines
        self._late: UpstreamFailed | None = None
        self._watch = Watch(
            loop,
            now=loop.time(),
            head_by=started + deadlines.first_byte,
            idle=deadlines.idle,
            ends_at=started + deadlines.total,
            expire=self._expire,
        )

    async def begun(self) -> None:
        """Wait for the status line. Raises `UpstreamFailed`."""
        answer = self._answer
        try:
            while not answer.status and not answer.over:
                await answer
        except BaseException:
            self._give_up()
            raise
        broken = answer.broken
        if broken is not None and (not answer.status or isinstance(broken, NotHttp)):
            self._give_up()
            raise self._late or before_headers(self._provider, broken, connect=self._deadlines.connect) from broken
        self._watch.wait_ends()
        if answer.over:
            self._watch.stop()
        self.status, self.headers = answer.status, answer.headers
        self._refuse_the_unreadable()

    async def read(self) -> bytes:
        """The whole body, bounded. Raises `UpstreamFailed`."""
        answer, limit = self._answer, self._limits.body_bytes
        announced = self.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            raise self._too_large(limit)
        if not answer.over or answer.broken is not None:
            return b"".join([piece async for piece in self._bounded(limit)])
        self._watch.stop()
        whole = answer.take()
        if len(whole) > limit:
            raise self._too_large(limit)
        return whole

    def pieces(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises `UpstreamFailed`."""
        return self._bounded(self._limits.stream_bytes)

    async def close(self) -> None:
        """Give up the connection at once; harmless after the end."""
        self._give_up()

    async def _bounded(self, limit: int) -> AsyncIterator[bytes]:
        answer, watch = self._answer, self._watch
        size = 0
        try:
            while True:
                piece = answer.take()
                if piece:
                    size += len(piece)
                    if size > limit:
                        raise self._too_large(limit)
                    yield piece
                elif answer.over:
                    break
                else:
                    watch.wait_begins()
                    await answer
                    watch.wait_ends()
            watch.stop()
            if answer.broken is not None:
                raise self._late or in_body(self._provider, self.status) from answer.broken
        finally:
            if not answer.over or answer.unread:  # a failed or abandoned body: its connection cannot be used again
                self._give_up()

    def _refuse_the_unreadable(self) -> None:
        if self.status < 200:  # only 101 is ever handed on, and it would hold its connection for good
            self._give_up()
            message = f"{self._provider} answered with status {self.status} instead of an answer."
            raise failed(self._provider, FailureKind.MALFORMED, message, self.status)
        encoding = self.headers.get("content-encoding")
        if encoding and encoding.lower() != "identity":
            self._give_up()
            sent = f"{self._provider} sent a body encoded as {encoding.lower()[:40]!r}"
            message = f"{sent} although plain bytes were asked for."
            raise failed(self._provider, FailureKind.MALFORMED, message, self.status)

    def _expire(self, reason: str) -> None:
        if self._answer.over:
            return  # all of it is here; only its reader is slow
        self._late = self._too_late(reason)
        self._answer.give_up()

    def _too_late(self, reason: str) -> UpstreamFailed:
        provider, deadlines = self._provider, self._deadlines
        if not self._answer.status:
            return no_answer(provider, deadlines)
        if reason == "wait":
            message = f"{provider} sent nothing for {deadlines.idle:g} s in the middle of its answer."
        else:
            message = f"{provider} did not finish its answer within {deadlines.total:g} s."
        return failed(provider, FailureKind.TIMEOUT, message, self._answer.status)

    def _too_large(self, limit: int) -> UpstreamFailed:
        self._give_up()
        message = f"The answer of {self._provider} is larger than {limit} bytes."
        return failed(self._provider, FailureKind.MALFORMED, message, self.status)

    def _give_up(self) -> None:
        self._watch.stop()
        self._answer.give_up()


def no_answer(provider: str, deadlines: Deadlines) -> UpstreamFailed:
    """The time for the status line, or for the whole, has passed without one."""
    patience = min(deadlines.first_byte, deadlines.total)
    message = f"{provider} did not begin to answer within {patience:.3g} s."
    return failed(provider, FailureKind.TIMEOUT, message)
