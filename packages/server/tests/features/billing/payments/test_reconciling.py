"""What a lost webhook left out is booked, and what still differs is told to the cent."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from monkey_coder_server.domain.payments import (
    DisputeSeen,
    DisputeState,
    PaymentSeen,
    PaymentState,
    RefundSeen,
    RefundState,
)
from monkey_coder_server.features.billing.payments import PaymentReconciliation, reconcile
from monkey_coder_server.features.billing.payments.reconciling import cash_of
from monkey_coder_server.ports.payments import SubscriptionSeen
from packages.server.tests.features.billing.payments.processor import (
    CENT,
    INVOICE,
    NOON,
    PAID,
    SUBSCRIPTION,
    Processor,
    stranger,
)


@dataclass
class Kept:
    """What the books take for unfinished."""

    names: dict[str, list[str]] = field(default_factory=dict)

    async def payments(self, since: datetime) -> Sequence[str]:
        assert since == NOON - timedelta(days=90)
        return self.names.get("payments", [])

    async def invoices(self) -> Sequence[str]:
        return self.names.get("invoices", [])

    async def subscriptions(self) -> Sequence[str]:
        return self.names.get("subscriptions", [])


async def compared(processor: Processor, **unfinished: list[str]) -> PaymentReconciliation:
    gate: Any = processor
    start, kept = NOON - timedelta(days=7), Kept(unfinished)
    return await reconcile(gate, processor.events(), processor.cash, start=start, end=NOON, unfinished=kept)


class Older(Processor):
    """All of it was there before the period."""

    async def payments(self, *, start: datetime, end: datetime) -> Sequence[PaymentSeen]:
        assert start < end
        return []


def replaced(subscription: SubscriptionSeen) -> SubscriptionSeen:
    """The same of a customer nobody knows."""
    return structs.replace(subscription, customer_id="cus_9")


async def test_a_payment_nobody_told_of_is_booked_and_then_known() -> None:
    processor = Processor({"pi_1": PAID})
    first, second = await compared(processor), await compared(processor)
    assert (first.repaired, first.sound, first.processor, first.books) == (1, True, 1_000 * CENT, 1_000 * CENT)
    assert (second.repaired, second.sound) == (0, True)
    assert second.document()["unexplained_usd"] == "0.00"


async def test_what_the_books_take_for_unfinished_is_looked_at_however_old_it_is() -> None:
    invoice = structs.replace(INVOICE, payment_ids=())
    older = Older({"pi_1": PAID, "in_1": invoice, "sub_1": SUBSCRIPTION, "sub_2": replaced(SUBSCRIPTION)})
    names = {"payments": ["pi_1", "pi_gone"], "invoices": ["in_1"], "subscriptions": ["sub_2", "sub_1"]}
    found = await compared(older, **names)
    assert (found.looked_at, found.repaired, found.sound) == (1, 1, True)
    assert [type(each).__name__ for each in older.plans] == ["InvoiceSeen", "SubscriptionSeen"], "sub_2 is a stranger's"


async def test_a_strangers_payment_is_told_and_its_money_counts() -> None:
    found = await compared(Processor({"pi_1": PAID, "pi_2": stranger()}))
    assert not found.sound
    [difference] = found.document()["differences"]
    assert (difference["payment"], difference["processor_usd"], difference["books_usd"]) == ("pi_2", "10.00", "0.00")
    assert "no account" in difference["why"]
    assert found.document()["unexplained_usd"] == "10.00"


async def test_books_that_hold_another_amount_are_told() -> None:
    processor = Processor({"pi_1": replace(PAID, refunds=(_refund(250, RefundState.SUCCEEDED),))})
    [difference] = (await compared(processor)).differences
    assert (difference.processor, difference.books) == (750 * CENT, 1_000 * CENT)
    assert difference.why == "the books hold another amount"


async def test_other_currencies_are_counted_and_not_compared() -> None:
    found = await compared(Processor({"pi_1": replace(PAID, currency="eur")}))
    assert (found.aside, found.sound, found.processor) == (1, True, 0)


async def test_what_is_not_paid_holds_nothing() -> None:
    found = await compared(Processor({"pi_1": replace(PAID, state=PaymentState.PENDING, cents=0)}))
    assert (found.looked_at, found.processor, found.books) == (1, 0, 0)


def _refund(cents: int, state: RefundState) -> RefundSeen:
    return RefundSeen(refund_id=f"re_{cents}", cents=cents, state=state)


def _dispute(cents: int, state: DisputeState, *, withdrawn: bool) -> DisputeSeen:
    return DisputeSeen(dispute_id=f"dp_{cents}", cents=cents, state=state, withdrawn=withdrawn)


refunds = st.builds(_refund, st.integers(1, 100), st.sampled_from(RefundState))
disputes = st.builds(_dispute, st.integers(1, 100), st.sampled_from(DisputeState), withdrawn=st.booleans())


@given(st.lists(refunds, max_size=3), st.lists(disputes, max_size=3))
def test_the_cash_of_a_payment_is_what_came_less_what_is_gone(back: list[RefundSeen], taken: list[DisputeSeen]) -> None:
    seen = replace(PAID, refunds=tuple(back), disputes=tuple(taken))
    gone = sum(each.cents for each in back if each.state is RefundState.SUCCEEDED)
    gone += sum(each.cents for each in taken if each.withdrawn or each.state is DisputeState.LOST)
    assert cash_of(seen) == (1_000 - gone) * CENT
    assert cash_of(replace(seen, state=PaymentState.FAILED)) == 0
