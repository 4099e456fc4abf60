"""What the payment processor says was paid, beside the books: what a lost webhook left out is booked, the rest told."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.money import NANO_PER_CENT, usd
from monkey_coder_server.domain.payments import DisputeState, PaymentSeen, PaymentState, RefundState
from monkey_coder_server.features.billing.payments.handling import Handler, PaymentEvents
from monkey_coder_server.ports.payments import PaymentGate
from monkey_coder_server.ports.unfinished import Unfinished

CURRENCY = "usd"
LOOKS = 3
"""How often what differs is looked at anew before it is told."""
MAY_CHANGE = timedelta(days=90)
"""For so long a payment may still be made, and a dispute that was lost be won on appeal."""
Cash = Callable[[Sequence[str]], Awaitable[Mapping[str, int]]]
"""The cash the books hold of payments, in nano-dollars, by the payment's id."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A payment whose money the books do not hold as the processor says: nano-dollars, and why if that is known."""

    payment_id: str
    processor: int
    books: int
    why: str


@dataclass(frozen=True, slots=True)
class PaymentReconciliation:
    """What came of it: payments looked at, those that were booked now, both sums in nano-dollars, what still differs.

    `aside` are payments in other currencies, which the books give no credit for.
    """

    looked_at: int
    repaired: int
    aside: int
    processor: int
    books: int
    differences: tuple[Difference, ...]

    @property
    def sound(self) -> bool:
        """Whether both sides hold the same."""
        return not self.differences

    def document(self) -> dict[str, Any]:
        """Everything as JSON; money as decimal USD."""
        return {
            "sound": self.sound,
            "payments": self.looked_at,
            "repaired": self.repaired,
            "other_currencies": self.aside,
            "processor_usd": usd(self.processor),
            "books_usd": usd(self.books),
            "unexplained_usd": usd(self.processor - self.books),
            "differences": [
                {
                    "payment": each.payment_id,
                    "processor_usd": usd(each.processor),
                    "books_usd": usd(each.books),
                    "why": each.why,
                }
                for each in self.differences
            ],
        }


async def reconcile(  # noqa: PLR0913 - two sides, and what of them
    gate: PaymentGate, events: PaymentEvents, cash: Cash, *, start: datetime, end: datetime, unfinished: Unfinished
) -> PaymentReconciliation:
    """Bring the books to every payment of a period, and to what they take for unfinished; then compare what each holds.

    Raises `Unavailable`.
    """
    seen = {each.payment_id: each for each in await gate.payments(start=start, end=end)}
    older = [await gate.payment(name) for name in await unfinished.payments(end - MAY_CHANGE) if name not in seen]
    seen |= {each.payment_id: each for each in older if each is not None}
    await _look_again(events.invoice, await unfinished.invoices())
    await _look_again(events.subscription, await unfinished.subscriptions())
    repaired, differences = await _compare(events, cash, seen)
    for _ in range(LOOKS):  # what moved while it was being looked at differs for a moment only
        if not differences:
            break
        names = [each.payment_id for each in differences]
        again = {name: await gate.payment(name) or seen[name] for name in names}
        seen |= again
        more, differences = await _compare(events, cash, again)
        repaired += more
    ours = [each for each in seen.values() if each.currency == CURRENCY]
    held = await cash([each.payment_id for each in ours])
    return PaymentReconciliation(
        looked_at=len(seen),
        repaired=repaired,
        aside=len(seen) - len(ours),
        processor=sum(cash_of(each) for each in ours),
        books=sum(held.values()),
        differences=tuple(differences),
    )


async def _look_again(handler: Handler, ids: Sequence[str]) -> None:
    """What no payment tells of: an invoice that was taken back, a subscription that ended."""
    for each in ids:
        with suppress(NotFound, InvalidRequest):
            await handler(each)


async def _compare(events: PaymentEvents, cash: Cash, seen: Mapping[str, PaymentSeen]) -> tuple[int, list[Difference]]:
    """Book each sight; how many moved anything, and where the books hold something else afterwards."""
    repaired, refused = 0, dict[str, str]()
    for payment_id, each in seen.items():
        try:
            booked = await events.book(each)
        except (NotFound, InvalidRequest) as not_booked:
            refused[payment_id] = not_booked.message
        else:
            repaired += booked is not None and booked.changed
    ours = {payment_id: cash_of(each) for payment_id, each in seen.items() if each.currency == CURRENCY}
    held = await cash(list(ours))
    return repaired, [
        Difference(payment_id, there, held.get(payment_id, 0), refused.get(payment_id, "the books hold another amount"))
        for payment_id, there in ours.items()
        if there != held.get(payment_id, 0)
    ]


def cash_of(seen: PaymentSeen) -> int:
    """The nano-dollars the processor holds for us of a payment: received, less what went back or was taken."""
    if seen.state is not PaymentState.SUCCEEDED:
        return 0
    refunded = sum(each.cents for each in seen.refunds if each.state is RefundState.SUCCEEDED)
    taken = sum(each.cents for each in seen.disputes if each.withdrawn or each.state is DisputeState.LOST)
    return (seen.cents - refunded - taken) * NANO_PER_CENT
