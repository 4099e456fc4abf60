"""Compares each day what answers said they cost with what was booked for them: it needs no secret and no operator."""

import logging
from datetime import date, timedelta
from hashlib import sha256

from monkey_coder_server.bootstrap.books import Books
from monkey_coder_server.domain.errors import RequestInProgress
from monkey_coder_server.domain.money import usd
from monkey_coder_server.features.billing import reconciling
from monkey_coder_server.ports.invoices import IN_ANSWERS
from monkey_coder_server.ports.ledger import IdempotencyKey

logger = logging.getLogger(__name__)
TELLS_COSTS = ("xai", "perplexity")
"""Providers whose answers carry what they cost."""
COMPARED = timedelta(days=7)
"""What a day left unexplained is told for so long; what was booked late, or while no gateway ran, is compared, too."""
BOOKED_AFTER = timedelta(hours=1)
"""A day is over when the endings of its last requests are booked."""
NO_ACCOUNT = ""
COMPARED_REPLY = b"compared"


class DailyComparison:
    """Of all gateways on the same books, one makes each day's comparison with each provider."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._done: dict[str, date] = {}

    async def compare(self) -> None:
        """Make the comparisons that are due. Raises `Unavailable`."""
        last = (self._books.clock.now() - BOOKED_AFTER).date() - timedelta(days=1)
        for provider in TELLS_COSTS:
            if self._done.get(provider) != last and await self._once(provider, last):
                self._done[provider] = last

    async def _once(self, provider: str, last: date) -> bool:
        """Compare, or find that it was done; False while another gateway is at it."""
        storage, name = self._books.storage, f"daily:{provider}:{last}"
        if await storage.costs.noted(name):
            return True
        key = IdempotencyKey(name, sha256(name.encode()).digest())
        try:
            if await storage.replies.claim(NO_ACCOUNT, key, self._books.clock.now()) is not None:
                return True
        except RequestInProgress:
            return False
        try:
            await self._compare(provider, last, name)
        except Exception:
            await storage.replies.release(NO_ACCOUNT, name)
            raise
        await storage.replies.keep(NO_ACCOUNT, name, COMPARED_REPLY)
        return True

    async def _compare(self, provider: str, last: date, name: str) -> None:
        books = self._books
        means = reconciling.Means(books.storage.costs, lambda _: None, books.clock.now(), lambda _: name)
        first = last - COMPARED + timedelta(days=1)
        outcome = await reconciling.run_by_days(means, reconciling.Asked(provider, first, last, IN_ANSWERS))
        verdict = outcome.verdict
        level = logging.INFO if verdict.sound else logging.ERROR
        logger.log(
            level,
            "answers of %s from %s to %s compared with the books: %d agree, %d findings, %s USD unexplained",
            provider,
            first,
            last,
            verdict.matched,
            len(verdict.findings),
            usd(verdict.unexplained),
        )
