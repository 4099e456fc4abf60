"""What the running process charges: replaced on the day a price of it ends, and when a markup is set or ends."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from monkey_coder_server.adapters.prices.genai import load_price_book
from monkey_coder_server.domain.markup import MarkupRule, MarkupTable
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.domain.pricing import PriceBook
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.provider import Provider

logger = logging.getLogger(__name__)


class CurrentPrices:
    """Calling it gives the prices that are valid now, the same object until another replaces it.

    `markup` is in basis points, for what no rule speaks of; `rules` gives the rules, the same object until one changes.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        clock: Clock,
        *,
        markup: int = 0,
        rules: Callable[[], tuple[MarkupRule, ...]] = tuple,
    ) -> None:
        self._providers = providers
        self._clock = clock
        self._markup = markup
        self._read_rules = rules
        self._rules = rules()
        self._book = load_price_book(providers, clock.now())
        self._list, self._until = self._made(clock.now())

    def __call__(self) -> PriceList:
        """The prices of this moment; prices begin and end at midnight UTC."""
        rules = self._read_rules()
        if rules is not self._rules or (self._until is not None and self._clock.now() >= self._until):
            self._rules = rules
            self._renew(self._clock.now())
        return self._list

    def _renew(self, now: datetime) -> None:
        ends = _ends(self._book)
        if ends is not None and now >= ends:
            ended, self._book = self._book, load_price_book(self._providers, now)
            logger.info("prices changed: book %s replaces %s", self._book.id, ended.id)
        self._list, self._until = self._made(now)

    def _made(self, now: datetime) -> tuple[PriceList, datetime | None]:
        """The list of a moment, and until when it is that of the moment."""
        table = MarkupTable(self._markup, self._rules)
        ends = [each for each in (_ends(self._book), table.next_change(now)) if each is not None]
        return PriceList(self._book, table.at(now)), min(ends, default=None)


def _ends(book: PriceBook) -> datetime | None:
    return None if book.valid_until is None else datetime.fromisoformat(f"{book.valid_until}T00:00:00+00:00")
