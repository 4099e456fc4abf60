"""Giving back what was bought and is neither spent nor held. Cents."""

import asyncio
from collections.abc import Sequence

from monkey_coder_protocol.buying import Amount
from monkey_coder_server.domain.errors import Conflict, InvalidRequest
from monkey_coder_server.features.billing.buying.amounts import cents_usd, whole_cents
from monkey_coder_server.features.billing.buying.dependencies import Dependencies
from monkey_coder_server.ports.payment_books import RefundOrder
from monkey_coder_server.web.operating import LONGEST_REASON

ALL = "all"
RECALLS = 4
RECALL_SECONDS = 0.3
"""What processes took of the credit beforehand comes back within this, as far as they can spare it."""


async def refundable(use: Dependencies, account_id: str, payment_id: str | None = None) -> int:
    """What can be given back of one payment, or of all."""
    found = await use.books.refundable(account_id)
    return sum(each.cents for each in found if payment_id in {None, each.payment_id})


async def order(
    use: Dependencies, account_id: str, amount: Amount, *, reason: str, payment_id: str | None = None
) -> Sequence[RefundOrder]:
    """Take credit for a refund; it is sent by and by. A part of it for each payment it is of.

    Raises `InvalidRequest`, `Conflict` when less than that can be given back.
    """
    why = _checked_reason(reason)
    asked = None if amount == ALL else whole_cents("amount_usd", amount)
    await _gather(use, account_id)
    free = await refundable(use, account_id, payment_id)
    cents = free if asked is None else asked
    if cents > free or not cents:
        message = f"{cents_usd(free)} USD can be given back: credit that was bought and is neither spent nor held."
        raise Conflict(message)
    order_id = use.ids.new("rfd")
    return await use.books.order_refund(account_id, cents, reason=why, order_id=order_id, payment_id=payment_id)


def _checked_reason(text: str) -> str:
    """A reason in one line, or none. Raises `InvalidRequest`."""
    reason = text.strip()
    if len(reason) > LONGEST_REASON or not (reason.isprintable() or not reason):
        message = f"The field `reason` must be one line of at most {LONGEST_REASON} characters."
        raise InvalidRequest(message)
    return reason


async def _gather(use: Dependencies, account_id: str) -> None:
    for _ in range(RECALLS):
        if not await use.recall(account_id):
            return
        await asyncio.sleep(RECALL_SECONDS)
