"""What payments are called outside: names of ours, from which nobody learns the processor's."""

from collections.abc import Sequence
from hashlib import sha256

from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.features.billing.buying.dependencies import Dependencies
from monkey_coder_server.ports.purchases import PaymentStanding

MOST_LISTED = 1_000


def shown_name(payment_id: str) -> str:
    """The name of a payment, always the same."""
    return f"pay_{sha256(f'payment:{payment_id}'.encode()).hexdigest()[:24]}"


async def payments_of(use: Dependencies, account_id: str) -> Sequence[PaymentStanding]:
    """An account's payments, newest first."""
    return await use.purchases.payments(account_id, most=MOST_LISTED)


async def found_payment(use: Dependencies, account_id: str, name: str) -> str:
    """The processor's id of a payment of this account. Raises `NotFound`."""
    for payment in await payments_of(use, account_id):
        if shown_name(payment.payment_id) == name:
            return payment.payment_id
    raise NotFound("This account has no payment of that id.")
