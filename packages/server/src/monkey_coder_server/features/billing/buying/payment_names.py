"""What payments are called outside: names of ours, from which nobody learns the processor's."""

from collections.abc import AsyncIterator, Sequence
from hashlib import sha256

from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.features.billing.buying.dependencies import Dependencies
from monkey_coder_server.ports.purchases import PaymentStanding, Place, RefundStanding

_PAGE = 1_000


def shown_name(payment_id: str) -> str:
    """The name of a payment, always the same."""
    return f"pay_{sha256(f'payment:{payment_id}'.encode()).hexdigest()[:24]}"


async def found_payment(use: Dependencies, account_id: str, name: str) -> str:
    """The processor's id of a payment of this account. Raises `NotFound`."""
    async for payment in every_payment(use, account_id):
        if shown_name(payment.payment_id) == name:
            return payment.payment_id
    raise NotFound("This account has no payment of that id.")


async def every_payment(use: Dependencies, account_id: str) -> AsyncIterator[PaymentStanding]:
    """An account's payments, newest first, read a page at a time."""
    last: Place | None = None
    while page := await use.purchases.payments(account_id, most=_PAGE, after=last):
        for each in page:
            yield each
        last = end_of(page, last)


def end_of(page: Sequence[PaymentStanding] | Sequence[RefundStanding], before: Place | None) -> Place:
    """Where a page ended that followed another one."""
    at = page[-1].at
    earlier = before.shown if before is not None and before.at == at else 0
    return Place(at, earlier + sum(1 for each in page if each.at == at))
