"""Quotes: what a request is expected to cost and can cost at most, and the prices it was promised."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.pricing import PriceRow, Rates, Tier
from monkey_coder_server.features.inference.route import Candidate
from monkey_coder_server.features.inference.tariff import Tariff
from monkey_coder_server.ports.clock import Clock, Ids
from monkey_coder_server.ports.quotes import Quotes, StoredQuote

LIFETIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class QuoteBook:
    """Keeps promised tariffs until they expire."""

    store: Quotes
    clock: Clock
    ids: Ids

    async def promise(self, account_id: str, fingerprint: bytes, candidates: Mapping[str, Candidate]) -> StoredQuote:
        """Store the tariffs of these candidates, by name, for one request body of one account."""
        facts = {name: _facts(candidate.tariff) for name, candidate in candidates.items()}
        quote = StoredQuote(
            quote_id=self.ids.new("quote"),
            account_id=account_id,
            fingerprint=fingerprint,
            body=json.dumps(facts, separators=(",", ":")).encode(),
            expires_at=self.clock.now() + LIFETIME,
        )
        await self.store.save(quote)
        return quote

    async def locked(self, account_id: str, quote_id: str, fingerprint: bytes) -> Mapping[str, Tariff]:
        """The promised tariffs by candidate name. Raises `NotFound`, `InvalidRequest` for another body."""
        quote = await self.store.get(account_id, quote_id)
        if quote is None or quote.expires_at <= self.clock.now():
            raise NotFound("There is no such quote, or it has expired; ask for a new one with POST /v1/quote.")
        if quote.fingerprint != fingerprint:
            raise InvalidRequest("The quote was made for another request; ask for one with this very body.")
        return {name: _tariff(facts) for name, facts in json.loads(quote.body).items()}


def _facts(tariff: Tariff) -> dict[str, Any]:
    return {"row": tariff.row.facts(), "markup": tariff.markup, "book": tariff.book}


def _tariff(facts: dict[str, Any]) -> Tariff:
    row = dict(facts["row"])
    row["rates"] = Rates(*row["rates"])
    row["tiers"] = tuple(Tier(above, Rates(*rates)) for above, *rates in row["tiers"])
    return Tariff(PriceRow(**row), facts["markup"], facts["book"])
