"""Quotes: what a request is expected to cost and can cost at most, and the prices it was promised."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.price_facts import read_row
from monkey_coder_server.features.inference.tariff import Tariff
from monkey_coder_server.ports.clock import Clock, Ids
from monkey_coder_server.ports.quotes import Quotes, StoredQuote

LIFETIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Promise:
    """What a quote binds us to. `tariffs` and `bounds` (nano-dollars) are by candidate name.

    `maximum` is the most the request costs its account whichever of the routes serves it, in nano-dollars.
    """

    tariffs: Mapping[str, Tariff]
    bounds: Mapping[str, int]
    maximum: int

    def bound(self, name: str) -> int:
        """The most a candidate may come to under this promise."""
        return min(self.bounds[name], self.maximum)


@dataclass(frozen=True, slots=True)
class QuoteBook:
    """Keeps promises until they expire."""

    store: Quotes
    clock: Clock
    ids: Ids

    async def promise(self, account_id: str, fingerprint: bytes, promise: Promise) -> StoredQuote:
        """Store what is promised for one request body of one account."""
        quote = StoredQuote(
            quote_id=self.ids.new("quote"),
            account_id=account_id,
            fingerprint=fingerprint,
            body=_written(promise),
            expires_at=self.clock.now() + LIFETIME,
        )
        await self.store.save(quote)
        return quote

    async def locked(self, account_id: str, quote_id: str, fingerprint: bytes) -> Promise:
        """What was promised. Raises `NotFound`, `InvalidRequest` for another body."""
        quote = await self.store.get(account_id, quote_id)
        promise = None if quote is None or quote.expires_at <= self.clock.now() else _read(quote.body)
        if quote is None or promise is None:
            raise NotFound("There is no such quote, or it has expired; ask for a new one with POST /v1/quote.")
        if quote.fingerprint != fingerprint:
            raise InvalidRequest("The quote was made for another request; ask for one with this very body.")
        return promise


def _written(promise: Promise) -> bytes:
    routes = {
        name: {
            "row": tariff.row.facts(),
            "markup": tariff.markup,
            "book": tariff.book,
            "maximum": promise.bounds[name],
        }
        for name, tariff in promise.tariffs.items()
    }
    return json.dumps({"maximum": promise.maximum, "routes": routes}, separators=(",", ":")).encode()


def _read(body: bytes) -> Promise | None:
    """A stored promise; None for one of an older gateway, which promised prices and no maximum."""
    told: dict[str, Any] = json.loads(body)
    routes = told.get("routes")
    if routes is None:
        return None
    return Promise(
        tariffs={name: _tariff(facts) for name, facts in routes.items()},
        bounds={name: facts["maximum"] for name, facts in routes.items()},
        maximum=told["maximum"],
    )


def _tariff(facts: dict[str, Any]) -> Tariff:
    return Tariff(read_row(facts["row"]), facts["markup"], facts["book"])
