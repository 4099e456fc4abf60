"""Sights of a payment, put together: whatever comes late tells nothing that was known to be over.

Sights are fetched at one moment and booked at another, so a later one may be booked first. What is final stays: a
payment that succeeded, a refund that ended, a dispute that was decided. So any order of sights comes to the same.
"""

from dataclasses import replace

from monkey_coder_server.domain.payments import (
    DisputeSeen,
    DisputeState,
    PaymentSeen,
    PaymentState,
    RefundSeen,
    RefundState,
)

_STAGES = (RefundState.PENDING, RefundState.SUCCEEDED, RefundState.FAILED)
"""A refund that succeeded may still come back from the bank; nothing follows a failure."""


def merge(known: PaymentSeen, seen: PaymentSeen) -> PaymentSeen:
    """What is known of a payment after one more sight of it. Who paid and in what never changes.

    What it is for is certain once it succeeded: before that the invoice that it pays may not name it yet.
    """
    final = known.state is PaymentState.SUCCEEDED
    money = known if final else seen
    return replace(
        known,
        customer_id=known.customer_id or seen.customer_id,
        purpose=money.purpose,
        state=money.state,
        cents=money.cents,
        tax_cents=money.tax_cents,
        reference=money.reference or known.reference,
        failure=money.failure,
        early_fraud_warning=known.early_fraud_warning or seen.early_fraud_warning,
        refunds=_merge_refunds(known.refunds, seen.refunds),
        disputes=_merge_disputes(known.disputes, seen.disputes),
    )


def _merge_refunds(known: tuple[RefundSeen, ...], seen: tuple[RefundSeen, ...]) -> tuple[RefundSeen, ...]:
    """Each refund once, by its id. An order of ours that has none yet takes that of the first refund in its name."""
    merged = {each.refund_id or f"order {each.order}": each for each in known}
    for each in seen:
        before = merged.get(each.refund_id)
        ordered = merged.pop(f"order {each.order}", None) if before is None and each.order else None
        if before is not None:
            merged[each.refund_id] = replace(before, state=max(before.state, each.state, key=_STAGES.index))
        else:
            merged[each.refund_id] = replace(each, order=ordered.order if ordered else "")
    return tuple(merged.values())


def _merge_disputes(known: tuple[DisputeSeen, ...], seen: tuple[DisputeSeen, ...]) -> tuple[DisputeSeen, ...]:
    """Each dispute once, by its id. A decision stands until another one; money withdrawn stays so until then."""
    merged = {each.dispute_id: each for each in known}
    for each in seen:
        before = merged.get(each.dispute_id, each)
        if each.state is not DisputeState.OPEN:
            merged[each.dispute_id] = each
        elif before.state is DisputeState.OPEN:
            merged[each.dispute_id] = replace(
                each, cents=max(before.cents, each.cents), withdrawn=before.withdrawn or each.withdrawn
            )
    return tuple(merged.values())
