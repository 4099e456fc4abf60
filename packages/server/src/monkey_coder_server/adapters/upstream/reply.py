"""An answer whose body is read within bounds."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import aiohttp

from monkey_coder_server.adapters.upstream.direct import Response
from monkey_coder_server.adapters.upstream.failures import failed, in_body
from monkey_coder_server.adapters.upstream.limits import UpstreamLimits
from monkey_coder_server.adapters.upstream.watch import Watch
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.ports.upstream import Deadlines, UpstreamFailed


class AiohttpReply:
    """Implements `ports.upstream.UpstreamReply`."""

    __slots__ = ("_deadlines", "_limits", "_over", "_provider", "_response", "_watch", "headers", "status")

    def __init__(
        self,
        provider: str,
        response: Response,
        *,
        limits: UpstreamLimits,
        deadlines: Deadlines,
        ends_at: float,
    ) -> None:
        self._provider = provider
        self._response = response
        self._limits = limits
        self._deadlines = deadlines
        self._over: UpstreamFailed | None = None
        self.status: int = response.status
        names, values = map(str.lower, response.headers), response.headers.values()
        self.headers: Mapping[str, str] = dict(zip(names, values, strict=True))
        loop = asyncio.get_running_loop()
        self._watch = Watch(loop, idle=deadlines.idle, ends_at=ends_at, expire=self._expire)
        if not response.content.is_eof():
            self._watch.start()

    async def read(self) -> bytes:
        """The whole body, bounded. Raises `UpstreamFailed`."""
        limit = self._limits.body_bytes
        announced = self.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            raise self._too_large(limit)
        content = self._response.content
        if content.is_eof() and content.exception() is None:  # all of it is here
            self._watch.stop()
            whole = content.read_nowait()
            if len(whole) > limit:
                raise self._too_large(limit)
            return whole
        return b"".join([piece async for piece in self._bounded(limit)])

    def pieces(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises `UpstreamFailed`."""
        return self._bounded(self._limits.stream_bytes)

    async def close(self) -> None:
        """Give up the connection at once; harmless after the end."""
        self._give_up()

    async def _bounded(self, limit: int) -> AsyncIterator[bytes]:
        content, watch = self._response.content, self._watch
        size = 0
        try:
            while True:
                watch.wait_begins()
                piece = await content.readany()
                watch.wait_ends()
                if not piece:
                    break
                size += len(piece)
                if size > limit:
                    raise self._too_large(limit)
                yield piece
            watch.stop()
        except (aiohttp.ClientError, OSError) as error:
            raise self._over or in_body(self._provider, self.status) from error
        finally:
            if not content.at_eof():  # a failed or abandoned body: its connection cannot be used again
                self._give_up()

    def _expire(self, reason: str) -> None:
        if self._response.content.is_eof():
            return  # all of it is here; only its reader is slow
        if reason == "idle":
            message = f"{self._provider} sent nothing for {self._deadlines.idle:g} s in the middle of its answer."
        else:
            message = f"{self._provider} did not finish its answer within {self._deadlines.total:g} s."
        self._over = failed(self._provider, FailureKind.TIMEOUT, message, self.status)
        self._response.content.set_exception(self._over)
        self._response.close()

    def _too_large(self, limit: int) -> UpstreamFailed:
        self._give_up()
        message = f"The answer of {self._provider} is larger than {limit} bytes."
        return failed(self._provider, FailureKind.MALFORMED, message, self.status)

    def _give_up(self) -> None:
        self._watch.stop()
        self._response.close()
