"""Refunds that were ordered are sent until their end is certain.

The processor is asked first whether it has the refund: a repeat after its key is forgotten there gives nothing twice.
"""

import logging
from datetime import timedelta

from monkey_coder_server.domain.errors import PaymentRefused, Unavailable
from monkey_coder_server.domain.payments import PaymentSeen
from monkey_coder_server.features.billing.buying.dependencies import Dependencies
from monkey_coder_server.features.billing.buying.trail import note_by_itself
from monkey_coder_server.ports.payment_books import RefundOrder
from monkey_coder_server.ports.payments import PaymentGate

logger = logging.getLogger(__name__)
SOON, LATE = timedelta(seconds=5), timedelta(minutes=10)
"""How long a refund that is not certain waits before it is looked at again: twice as long each time, up to the last."""


class RefundSending:
    """One process's part of it. Others do the same at the same time: every step is taken once under its key."""

    def __init__(self, use: Dependencies, gate: PaymentGate) -> None:
        self._use = use
        self._gate = gate
        self._tries: dict[tuple[str, str], int] = {}
        self._not_before: dict[tuple[str, str], float] = {}

    async def send(self) -> int:
        """Take every open refund one step further; of how many that was tried. Raises `Unavailable` of the books."""
        orders = await self._use.books.open_orders()
        named = {(order.order_id, order.payment_id): order for order in orders}
        for gone in [name for name in self._tries if name not in named]:
            del self._tries[gone], self._not_before[gone]
        now, tried = self._use.clock.monotonic(), 0
        for name, order in named.items():
            if self._not_before.get(name, now) > now:
                continue
            tried += 1
            self._put_off(name, now)
            await self._step(order)
        return tried

    def _put_off(self, name: tuple[str, str], now: float) -> None:
        tries = self._tries.get(name, 0)
        self._tries[name] = tries + 1
        self._not_before[name] = now + min(SOON * 2 ** min(tries, 10), LATE).total_seconds()

    async def _step(self, order: RefundOrder) -> None:
        try:
            await self._advance(order)
        except Unavailable as away:
            logger.info("a refund waits for the payment processor: %s", away.message)

    async def _advance(self, order: RefundOrder) -> None:
        seen = await self._gate.payment(order.payment_id)
        if seen is not None and not _is_there(seen, order):
            try:
                await self._gate.refund(
                    order.payment_id, order.cents, order.order_id, key=f"refund:{order.order_id}:{order.payment_id}"
                )
            except PaymentRefused as refused:
                await self._abandon(order, refused.facts.get("refusal", "refused"))
                return
            seen = await self._gate.payment(order.payment_id)
        if seen is None:
            await self._abandon(order, "unknown payment")
            return
        await self._use.books.book(seen)

    async def _abandon(self, order: RefundOrder, why: str) -> None:
        logger.warning("the refund %s was refused (%s); its credit comes back", order.order_id, why)
        await self._use.books.abandon_order(order.order_id, order.payment_id)
        details = f"{order.order_id}: refused by the payment processor ({why})"
        await note_by_itself(self._use, "refund.abandon", account_id=order.account_id, details=details)


def _is_there(seen: PaymentSeen, order: RefundOrder) -> bool:
    return any(refund.order == order.order_id for refund in seen.refunds)
