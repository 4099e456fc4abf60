"""Payments, refunds and disputes for tests of their books."""

from dataclasses import replace
from typing import Any

from monkey_coder_server.domain.payments import (
    DisputeSeen,
    DisputeState,
    PaymentSeen,
    PaymentState,
    Purpose,
    RefundSeen,
    RefundState,
)
from packages.server.tests.contract.booking import ACCOUNT

CENT = 10_000_000


def paid(cents: int = 1_000, payment_id: str = "pay_1", **changes: Any) -> PaymentSeen:
    """Credit that was bought."""
    seen = PaymentSeen(
        payment_id=payment_id,
        customer_id="cus_1",
        account_id=ACCOUNT,
        purpose=Purpose.CREDIT,
        state=PaymentState.SUCCEEDED,
        cents=cents,
    )
    return replace(seen, **changes)


def refund(cents: int, refund_id: str = "re_1", *, order: str = "", state: str = "succeeded") -> RefundSeen:
    return RefundSeen(refund_id=refund_id, cents=cents, state=RefundState(state), order=order)


def dispute(cents: int, dispute_id: str = "dp_1", *, state: str = "open", withdrawn: bool = True) -> DisputeSeen:
    return DisputeSeen(dispute_id=dispute_id, cents=cents, state=DisputeState(state), withdrawn=withdrawn)
