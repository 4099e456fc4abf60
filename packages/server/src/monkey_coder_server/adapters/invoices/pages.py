"""Reads what a cost API gives out page by page, within bounds, as exact numbers."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp

from monkey_coder_server.domain.errors import ProviderFailed, ProviderTimedOut

MOST_PAGES = 400
LARGEST_PAGE = 32 * 1024 * 1024
SECONDS = 60.0
TRIES = 3
PAUSE_SECONDS = 1.0
LONGEST_PAUSE = 30.0
_AGAIN = frozenset({429, 500, 502, 503, 504, 529})

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class CostApi:
    """Where a provider's cost API is and what opens it. `pause` is how long to wait before asking again."""

    provider: str
    base_url: str
    headers: Mapping[str, str]
    pause: float = PAUSE_SECONDS

    async def buckets(self, path: str, query: Query) -> AsyncIterator[dict[str, Any]]:
        """Every bucket of `data`, following `next_page`. Raises `ProviderFailed`, `ProviderTimedOut`."""
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        async with aiohttp.ClientSession(headers=self.headers, timeout=timeout, trust_env=True) as session:
            page: str | None = None
            for _ in range(MOST_PAGES):
                asked = [*query, *([("page", page)] if page else [])]
                body = await self._page(session, path, asked)
                for bucket in body.get("data") or ():
                    yield bucket
                page = body.get("next_page")
                if not body.get("has_more") or not page:
                    return
        raise self._failed("gave out pages without end")

    async def _page(self, session: aiohttp.ClientSession, path: str, query: Query) -> dict[str, Any]:
        for attempt in range(TRIES):
            try:
                url = self.base_url.rstrip("/") + path
                async with session.get(url, params=query, allow_redirects=False) as answer:
                    body = await _bounded(answer)
                    if answer.status == 200:
                        return self._decoded(body)
                    if answer.status not in _AGAIN or attempt == TRIES - 1:
                        raise self._failed("refused", f"{answer.status}, {_told(body)}")
                    pause = _retry_after(answer.headers.get("retry-after"), self.pause * 2**attempt)
            except TimeoutError as slow:
                message = f"The cost API of {self.provider} did not answer within {SECONDS:g} s."
                raise ProviderTimedOut(message) from slow
            except aiohttp.ClientError as broken:
                raise self._failed("cannot be reached", type(broken).__name__) from broken
            await asyncio.sleep(pause)
        raise self._failed("answered nothing")

    def _decoded(self, body: bytes) -> dict[str, Any]:
        try:
            decoded = json.loads(body, parse_float=Decimal)
        except ValueError as wrong:
            raise self._failed("answered with something else than JSON") from wrong
        if not isinstance(decoded, dict):
            raise self._failed("answered with another shape than documented")
        return decoded

    def _failed(self, what: str, why: str = "") -> ProviderFailed:
        message = f"The cost API of {self.provider} {what}{f' ({why})' if why else ''}."
        return ProviderFailed(message, facts={"provider": self.provider})


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in answer.content.iter_any():
        size += len(piece)
        if size > LARGEST_PAGE:
            message = f"a page of more than {LARGEST_PAGE} bytes"
            raise aiohttp.ClientPayloadError(message)
        pieces.append(piece)
    return b"".join(pieces)


def _told(body: bytes) -> str:
    """The provider's own words on a refusal; never the whole page."""
    try:
        error = json.loads(body).get("error")
    except (ValueError, AttributeError):
        return "no reason given"
    words = error.get("message") if isinstance(error, dict) else error
    return " ".join(str(words).split())[:200]


def _retry_after(header: str | None, otherwise: float) -> float:
    seconds = float(header) if header is not None and header.isdecimal() else otherwise
    return min(seconds, LONGEST_PAUSE)
