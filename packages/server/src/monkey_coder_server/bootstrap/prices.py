"""What the running process charges: replaced when a dated price comes, a book is activated, a markup is set or ends."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from monkey_coder_server.adapters.prices.genai import load_price_book, price_source
from monkey_coder_server.domain.markup import MarkupRule, MarkupTable
from monkey_coder_server.domain.price_diff import compare
from monkey_coder_server.domain.price_list import PriceList, Schedule, book_at
from monkey_coder_server.domain.pricing import PriceBook
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.price_books import PriceBooks
from monkey_coder_server.ports.provider import Provider

logger = logging.getLogger(__name__)

AUTO = "auto"
"""The setting that charges by what is installed."""
BY_ITSELF = "gateway"
"""Who activates what nobody decided on."""


class CurrentPrices:
    """Calling it gives the prices that are valid now, the same object until another replaces it.

    `schedule` gives the books and `rules` the markups, the same objects until one changes; `markup` is in basis points,
    for what no rule speaks of.
    """

    def __init__(
        self,
        schedule: Callable[[], Schedule],
        clock: Clock,
        *,
        markup: int = 0,
        rules: Callable[[], tuple[MarkupRule, ...]] = tuple,
    ) -> None:
        self._read_schedule = schedule
        self._read_rules = rules
        self._clock = clock
        self._markup = markup
        self._schedule, self._rules = schedule(), rules()
        self._list, self._until = self._made(clock.now())

    def __call__(self) -> PriceList:
        """The prices of this moment; dated prices begin and end at midnight UTC."""
        schedule, rules = self._read_schedule(), self._read_rules()
        changed = schedule is not self._schedule or rules is not self._rules
        if changed or (self._until is not None and self._clock.now() >= self._until):
            self._schedule, self._rules, before = schedule, rules, self._list.book
            self._list, self._until = self._made(self._clock.now())
            if self._list.book is not before:
                logger.info("prices changed: book %s replaces %s", self._list.book.id, before.id)
        return self._list

    def _made(self, now: datetime) -> tuple[PriceList, datetime | None]:
        """The list of a moment, and until when it is that of the moment."""
        book, until = book_at(self._schedule, now)
        table = MarkupTable(self._markup, self._rules)
        ends = [each for each in (until, table.next_change(now)) if each is not None]
        return PriceList(book, table.at(now)), min(ends, default=None)


def installed(providers: Sequence[Provider], now: datetime) -> Schedule:
    """What the installed price data says from now on: a book for each day known on which a price changes."""
    books: list[tuple[datetime, PriceBook]] = [(now, load_price_book(providers, now))]
    while (until := books[-1][1].valid_until) is not None:
        begins = datetime.fromisoformat(f"{until}T00:00:00+00:00")
        books.append((begins, load_price_book(providers, begins)))
    return tuple(books)


async def begin_charging(books: PriceBooks, candidate: Schedule, now: datetime, *, automatic: bool) -> None:
    """See to it that there is an activated book: the first start activates what is installed, `automatic` every one.

    Otherwise another book waits for an operator, which is told.
    """
    if books.known and _coming(books.known, now) == _coming(candidate, now):
        return
    if not books.known or automatic:
        reason = "the first start" if not books.known else "PRICE_BOOK=auto and other price data is installed"
        after = None if books.known else 0
        await books.activate(candidate, source=price_source(), by=BY_ITSELF, reason=reason, at=now, after=after)
        return
    book, _ = book_at(books.known, now)
    if compare(book, candidate[0][1]):
        logger.warning(
            "the installed price data differs from the activated book %s: see `monkey-server admin prices diff`",
            book.id,
        )


def _coming(schedule: Schedule, now: datetime) -> list[tuple[datetime | None, str]]:
    """The book of a moment and those after it."""
    book, _ = book_at(schedule, now)
    return [(None, book.id), *((starts_at, each.id) for starts_at, each in schedule if starts_at > now)]
