"""What is fetched of a provider: small JSON over TLS, within seconds, from the place that was named and no other."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.ports.sign_in import SignInRefused

PATIENCE = 10.0
"""Seconds for an exchange."""
MOST_BYTES = 256 * 1024
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Fetching:
    """One pool of connections, opened at first use. No redirect is followed."""

    def __init__(self) -> None:
        self._pool: aiohttp.ClientSession | None = None

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
        """JSON by GET. Raises `SignInRefused`, `Unavailable`."""
        return await self._ask("GET", url, headers=headers)

    async def post(self, url: str, form: Mapping[str, str], auth: tuple[str, str] | None = None) -> Any:
        """JSON by POST of a form. Raises `SignInRefused`, `Unavailable`."""
        basic = None if auth is None else aiohttp.BasicAuth(*auth)
        return await self._ask("POST", url, headers={"accept": "application/json"}, data=dict(form), auth=basic)

    async def close(self) -> None:
        """Close the pool."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def _ask(self, method: str, url: str, **more: Any) -> Any:
        if self._pool is None:
            self._pool = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE))
        try:
            async with self._pool.request(method, checked(url), allow_redirects=False, **more) as answer:
                status, body = answer.status, await answer.content.read(MOST_BYTES + 1)
                while len(body) <= MOST_BYTES and (piece := await answer.content.read(MOST_BYTES)):
                    body += piece
        except (aiohttp.ClientError, TimeoutError) as away:
            message = "The sign-in provider cannot be reached right now; please try again."
            raise Unavailable(message, retry_after=5) from away
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unavailable("The sign-in provider has a problem right now; please try again.", retry_after=5)
        if status != HTTPStatus.OK or len(body) > MOST_BYTES:
            raise SignInRefused("The sign-in provider refused this sign-in; begin again.")
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError as unreadable:
            raise SignInRefused("The sign-in provider's answer cannot be read; begin again.") from unreadable


def checked(url: str) -> str:
    """An address that may be asked: over TLS, or on this machine. Raises `SignInRefused`."""
    parts = urlsplit(url)
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        return url
    raise SignInRefused("The sign-in provider names an address without TLS.")


def text_of(found: Any, name: str) -> str:
    """A text in a JSON object; empty where there is none."""
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""
