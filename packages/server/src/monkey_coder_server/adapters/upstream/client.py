"""One connection pool a provider, so that one provider's overload cannot exhaust another's."""

import asyncio
import io
from functools import lru_cache
from http import HTTPStatus

import aiohttp
from aiohttp.http import HttpProcessingError
from yarl import URL

from monkey_coder_server.adapters.upstream import direct
from monkey_coder_server.adapters.upstream.failures import before_headers, failed
from monkey_coder_server.adapters.upstream.limits import UpstreamLimits
from monkey_coder_server.adapters.upstream.reply import AiohttpReply
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.ports.provider import WireRequest
from monkey_coder_server.ports.upstream import Deadlines, UpstreamReply

_LARGEST_DIRECT_BODY = 1024 * 1024
"""Bytes. aiohttp would write a larger body in one go, blocking the loop; from a file object it writes in pieces."""


class AiohttpUpstream:
    """Implements `ports.upstream.Upstream`. Pools are opened at first use, in the running loop."""

    def __init__(self, limits: UpstreamLimits | None = None) -> None:
        self._limits = limits = limits or UpstreamLimits()
        self._pools: dict[str, aiohttp.ClientSession] = {}
        self._route = lru_cache(maxsize=256)(lambda base_url, path: direct.route(_url(base_url, path), limits))

    async def send(self, provider: str, base_url: str, request: WireRequest, deadlines: Deadlines) -> UpstreamReply:
        """POST and wait for the status line; connecting counts towards `first_byte`. Raises `UpstreamFailed`."""
        ends_at = asyncio.get_running_loop().time() + deadlines.total
        try:
            response = await self._post(self._pool(provider), base_url, request, deadlines)
        except (aiohttp.ClientError, HttpProcessingError) as error:
            raise before_headers(provider, error, connect=deadlines.connect) from error
        except TimeoutError as error:
            patience = min(deadlines.first_byte, deadlines.total)
            message = f"{provider} did not begin to answer within {patience:.3g} s."
            raise failed(provider, FailureKind.TIMEOUT, message) from error
        if response.status < HTTPStatus.OK:  # only 101 is ever handed on, and it would hold its connection for good
            response.close()
            message = f"{provider} answered with status {response.status} instead of an answer."
            raise failed(provider, FailureKind.MALFORMED, message, response.status)
        encoding = response.headers.get("content-encoding", "").lower() or "identity"
        if encoding != "identity":
            response.close()
            message = f"{provider} sent a body encoded as {encoding[:40]!r} although plain bytes were asked for."
            raise failed(provider, FailureKind.MALFORMED, message, response.status)
        return AiohttpReply(provider, response, limits=self._limits, deadlines=deadlines, ends_at=ends_at)

    async def _post(
        self, pool: aiohttp.ClientSession, base_url: str, request: WireRequest, deadlines: Deadlines
    ) -> direct.Response:
        connector = pool.connector
        patience = min(deadlines.first_byte, deadlines.total)
        there = self._route(base_url, request.path)
        small = len(request.body) <= _LARGEST_DIRECT_BODY
        if small and there is not None and connector is not None and not self._limits.trust_env:
            message = direct.written(there, request.headers, request.body)
            return await direct.post(connector, there, message, connect=deadlines.connect, patience=patience)
        async with asyncio.timeout(patience):
            return await pool.post(
                _url(base_url, request.path),
                data=request.body if small else io.BytesIO(request.body),
                headers=request.headers,
                allow_redirects=False,
                timeout=direct.connecting(deadlines.connect),
            )

    async def close(self) -> None:
        """Close every pool; answers still being read fail as cut short."""
        pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            await pool.close()

    def _pool(self, provider: str) -> aiohttp.ClientSession:
        pool = self._pools.get(provider)
        if pool is None:
            pool = self._pools[provider] = self._open()
        return pool

    def _open(self) -> aiohttp.ClientSession:
        limits = self._limits
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=limits.connections,
                keepalive_timeout=limits.keep_alive,
                ttl_dns_cache=limits.dns_cache,
            ),
            headers=direct.FIXED_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=limits.trust_env,
            raise_for_status=False,
            max_line_size=limits.header_bytes,
            max_field_size=limits.header_bytes,
            max_headers=limits.header_count,
        )


def _url(base_url: str, path: str) -> URL:
    return URL(base_url.rstrip("/") + path, encoded=True)
