"""One connection pool a provider, so that one provider's overload cannot exhaust another's."""

import asyncio
from functools import lru_cache

from yarl import URL

from monkey_coder_server.adapters.upstream.connecting import Names, trusted
from monkey_coder_server.adapters.upstream.failures import Broken, TooSlow, before_headers
from monkey_coder_server.adapters.upstream.limits import UpstreamLimits
from monkey_coder_server.adapters.upstream.pool import Pool
from monkey_coder_server.adapters.upstream.reply import Reply, no_answer
from monkey_coder_server.adapters.upstream.request import Opening, Target, opening
from monkey_coder_server.adapters.upstream.wire import Connection
from monkey_coder_server.ports.provider import WireRequest
from monkey_coder_server.ports.upstream import Deadlines, UpstreamReply


class HttpUpstream:
    """Implements `ports.upstream.Upstream`. Pools are opened at first use, in the running loop."""

    def __init__(self, limits: UpstreamLimits | None = None) -> None:
        self._limits = limits or UpstreamLimits()
        self._pools: dict[str, Pool] = {}
        self._names = Names(self._limits.dns_cache)
        self._opening = lru_cache(maxsize=512)(_opening)
        trusted()  # now, not while somebody waits: it reads some hundred certificates

    async def send(self, provider: str, base_url: str, request: WireRequest, deadlines: Deadlines) -> UpstreamReply:
        """POST and wait for the status line; connecting counts towards `first_byte`. Raises `UpstreamFailed`."""
        pool = self._pools.get(provider) or self._opened(provider)
        started = pool.loop.time()
        try:
            asked = self._opening(base_url, request.path, tuple(request.headers.items()))
            connection = pool.ready(asked.target) or await _connection(pool, asked.target, deadlines)
        except Broken as error:
            raise before_headers(provider, error, connect=deadlines.connect) from error
        except TimeoutError as error:
            raise no_answer(provider, deadlines) from error
        body, limits = request.body, self._limits
        reply = Reply(provider, connection, limits=limits, deadlines=deadlines, loop=pool.loop, started=started)
        connection.ask(reply, asked.head(len(body)), body)
        await reply.begun()
        return reply

    async def close(self) -> None:
        """Close every pool; answers still being read fail as cut short."""
        pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            await pool.close()

    def _opened(self, provider: str) -> Pool:
        pool = self._pools[provider] = Pool(self._limits, self._names)
        return pool


async def _connection(pool: Pool, target: Target, deadlines: Deadlines) -> Connection:
    """Raises `Broken`, `TooSlow` at the end of the time to connect, and `TimeoutError` of that to answer."""
    patience = min(deadlines.first_byte, deadlines.total)
    try:
        async with asyncio.timeout(min(deadlines.connect, patience)):
            return await pool.connection(target)
    except TimeoutError as error:
        if patience < deadlines.connect:
            raise
        raise TooSlow from error


def _opening(base_url: str, path: str, headers: tuple[tuple[str, str], ...]) -> Opening:
    return opening(URL(base_url.rstrip("/") + path, encoded=True), headers)
