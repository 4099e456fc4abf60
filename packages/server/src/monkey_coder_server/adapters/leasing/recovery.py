"""What dead processes left: their requests are ended by the last that is known of them, then booked.

A stream is paid for as far as it was delivered. What nobody was given is not charged; the provider's cost of it is
the house's. A request under an idempotency key is not charged either, whatever was delivered: its caller repeats it
under the key, is served anew and pays for that, once.
"""

import logging
from collections.abc import Sequence

from monkey_coder_server.adapters.leasing.parts import Timing, within
from monkey_coder_server.adapters.leasing.shipper import BATCH
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.domain.ledger import clamp
from monkey_coder_server.ports.books import Books, Resolved
from monkey_coder_server.ports.journal import Intent, Journal, Journals
from monkey_coder_server.ports.ledger import FailedRequest, Settlement

logger = logging.getLogger(__name__)


def ending_of(intent: Intent) -> Resolved:
    """How a request ends whose process died over it."""
    draft = intent.draft
    if isinstance(draft, Settlement) and intent.hold.idempotency is not None:
        draft = unpaid(draft)
    charged = clamp(draft.price, intent.hold.amount)[0] if isinstance(draft, Settlement) else 0
    return Resolved(intent.hold, intent.lease_id, draft, charged)


def unpaid(draft: Settlement) -> FailedRequest:
    """What was served, as a request that nobody is charged for."""
    return FailedRequest(
        request_id=draft.request_id,
        account_id=draft.account_id,
        key_id=draft.key_id,
        at=draft.at,
        error_code="unavailable",
        message="The gateway stopped while it answered; nothing was charged, and a repeat is served anew.",
        attempts=draft.attempts,
        provider=draft.provider,
        model=draft.model,
        usage=draft.usage,
        provider_cost=draft.provider_cost,
        task_type=draft.task_type,
        persona=draft.persona,
        stream=draft.stream,
        latency_ms=draft.latency_ms,
        elsewhere=draft.elsewhere,
        bills=draft.bills,
    )


class Recovery:
    """Ends and books what is left in adopted journals, and returns the leases of their processes."""

    def __init__(self, books: Books, journals: Journals, *, timing: Timing) -> None:
        self._books = books
        self._journals = journals
        self._timing = timing
        self._left: list[Journal] = []
        self.requests = 0
        """How many requests were ended here that their process died over."""

    async def run(self) -> None:
        """Do it for all there are now. Raises `Unavailable` when the books are away: what is left is kept for later."""
        self._left += await self._journals.adopt()
        while self._left:
            journal = self._left[0]
            await self._recover(journal)
            await journal.close()
            self._left.remove(journal)

    async def close(self) -> None:
        """Leave what is left to others."""
        for journal in self._left:
            await journal.close()
        self._left.clear()

    async def _recover(self, journal: Journal) -> None:
        intents = await journal.left_open()
        for written in [journal.resolve(ending_of(intent)) for intent in intents]:
            await written.durable()
        self.requests += len(intents)
        booked = 0
        while page := await journal.endings(0, BATCH):
            await within(self._timing.ship, self._books.ship([resolved for _, resolved in page]))
            await _forget(journal, [number for number, _ in page])
            booked += len(page)
        await within(self._timing.ship, self._books.end_leases(journal.instance))
        if intents or booked:
            logger.warning(
                "%s ended without saying so: %d requests were running, %d endings are booked",
                journal.instance,
                len(intents),
                booked,
            )


async def _forget(journal: Journal, numbers: Sequence[int]) -> None:
    try:
        await journal.forget(numbers).durable()
    except Unavailable:
        logger.warning("the journal of %s cannot be written; its endings come again", journal.instance)
        raise
