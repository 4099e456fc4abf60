"""One POST to an address that a customer chose: to a public host, over TLS, to where its name led, and not beyond.

What answers is not read but for its status: it may be anything, and its owner sees it in their own log.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from http import HTTPStatus

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from monkey_coder_server.adapters.webhooks.resolving import NotPublic, PublicResolver
from monkey_coder_server.domain.public_addresses import NoPublicPlace, place_of
from monkey_coder_server.ports.webhooks import Undelivered

PATIENCE = 10.0
"""Seconds for the whole exchange, the look-up of the name included."""
AGENT = "Monkey-Coder-Webhooks/1"
_NOT_PUBLIC = "its name leads to an address that is not of the public Internet"


class WebhookPosting:
    """`ports.webhooks.Posting`. `excepted` are the operator's `host:port`, which may be any, by http too.

    Each exchange has a connection of its own; proxies of the environment are not asked, and no cookie is kept.
    """

    def __init__(self, excepted: AbstractSet[str], *, resolver: AbstractResolver | None = None) -> None:
        self._excepted = excepted
        self._resolver = resolver
        self._pool: aiohttp.ClientSession | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Post JSON once. Raises `Undelivered`."""
        target = self._target(url)
        sent = {**headers, "content-type": "application/json", "user-agent": AGENT}
        try:
            async with self._opened().post(target, data=body, headers=sent, allow_redirects=False) as answer:
                status = answer.status
                answer.close()
        except TimeoutError:
            message = f"it did not answer within {PATIENCE:.0f} seconds"
            raise Undelivered(message) from None
        except (aiohttp.ClientError, OSError, ValueError) as away:
            raise Undelivered(_told(away)) from None
        if status in range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES):
            return
        message = f"it answered with {status}"
        raise Undelivered(message, for_good=status == HTTPStatus.GONE)

    async def close(self) -> None:
        """Close the pool."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    def _target(self, url: str) -> URL:
        """The address as it is called. What the two readers of addresses do not read alike is not called."""
        try:
            place, target = place_of(url, self._excepted), URL(url, encoded=True)
        except ValueError as wrong:
            told = f"its address {wrong}" if isinstance(wrong, NoPublicPlace) else "its address cannot be read"
            raise Undelivered(told, for_good=True) from None
        if ((target.raw_host or "").lower(), target.port) != (place.host, place.port):
            raise Undelivered("its address cannot be read", for_good=True)
        return target

    def _opened(self) -> aiohttp.ClientSession:
        if self._pool is None:
            resolver = PublicResolver(self._resolver or aiohttp.ThreadedResolver(), self._excepted)
            self._pool = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True),
                timeout=aiohttp.ClientTimeout(total=PATIENCE),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._pool


def _told(away: Exception) -> str:
    if isinstance(away, aiohttp.ClientConnectorDNSError):
        return _NOT_PUBLIC if isinstance(away.os_error, NotPublic) else "its name cannot be resolved"
    if isinstance(away, aiohttp.ClientSSLError):
        return "its certificate or TLS is not valid"
    return "it cannot be reached, or does not speak HTTP"
