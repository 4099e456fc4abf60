"""The price book of the running process: replaced by the next one on the day a price of it ends."""

import logging
from collections.abc import Sequence
from datetime import datetime

from monkey_coder_server.adapters.prices.genai import load_price_book
from monkey_coder_server.domain.pricing import PriceBook
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.provider import Provider

logger = logging.getLogger(__name__)


class CurrentPrices:
    """Calling it gives the book that is valid now, the same object until another replaces it."""

    def __init__(self, providers: Sequence[Provider], clock: Clock) -> None:
        self._providers = providers
        self._clock = clock
        self._book = load_price_book(providers, clock.now())
        self._until = _ends(self._book)

    def __call__(self) -> PriceBook:
        """The book of this moment; prices begin and end at midnight UTC."""
        if self._until is not None and (now := self._clock.now()) >= self._until:
            self._renew(now)
        return self._book

    def _renew(self, now: datetime) -> None:
        ended, self._book = self._book, load_price_book(self._providers, now)
        self._until = _ends(self._book)
        logger.info("prices changed: book %s replaces %s", self._book.id, ended.id)


def _ends(book: PriceBook) -> datetime | None:
    return None if book.valid_until is None else datetime.fromisoformat(f"{book.valid_until}T00:00:00+00:00")
