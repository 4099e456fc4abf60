"""What the books take for unfinished at the payment processor, on both databases."""

from dataclasses import replace
from datetime import timedelta

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.invoicing import SETTLING, InvoiceState
from monkey_coder_server.domain.payments import PaymentState
from monkey_coder_server.ports.invoicing import Sent
from packages.server.tests.contract.booking import ACCOUNT, NOON, StillClock
from packages.server.tests.contract.paying import dispute, paid, refund
from packages.server.tests.contract.test_invoices import LINE, NOVEMBER, spend
from packages.server.tests.contract.test_subscriptions import ACTIVE, ADA

DAY = timedelta(days=1)


async def test_payments_that_somebody_has_to_decide_on_and_young_ones_that_may_change(
    store: Storage, clock: StillClock
) -> None:
    await store.ledger.open_wallet(ACCOUNT)
    lost, open_ = dispute(1, "dp_lost", state="lost"), dispute(1, "dp_open")
    for seen in (
        paid(100, "pi_paid"),
        paid(100, "pi_disputed", disputes=(open_,)),
        paid(100, "pi_lost", disputes=(lost,)),
        paid(100, "pi_refunded", refunds=(refund(1, "re_pending", state="pending"),)),
        paid(100, "pi_over", refunds=(refund(1, "re_over"),)),
        paid(0, "pi_pending", state=PaymentState.PENDING),
        paid(0, "pi_failed", state=PaymentState.FAILED),
    ):
        await store.payments.book(seen)
    named = ["pi_disputed", "pi_lost", "pi_pending", "pi_refunded"]
    assert list(await store.unfinished.payments(clock.now() - DAY)) == named
    assert list(await store.unfinished.payments(clock.now() + DAY)) == ["pi_disputed", "pi_refunded"]


async def test_invoices_that_may_be_paid_or_taken_back(store: Storage) -> None:
    await store.ledger.open_wallet(ACCOUNT)
    await store.credit_lines.set(ACCOUNT, LINE, NOON)
    await spend(store, LINE // 2)
    made = await store.invoices.close(ACCOUNT, NOVEMBER, NOVEMBER.end + SETTLING)
    assert made is not None
    assert list(await store.unfinished.invoices()) == [], "it was not sent"
    for state, named in (
        (InvoiceState.OPEN, ["in_1"]),
        (InvoiceState.UNCOLLECTIBLE, ["in_1"]),
        (InvoiceState.VOID, []),
    ):
        await store.invoices.bring(made.invoice_id, Sent(state, "in_1", "https://pay.example"), NOON)
        assert list(await store.unfinished.invoices()) == named


async def test_subscriptions_that_have_not_ended(store: Storage) -> None:
    await store.accounts.create(ADA)
    await store.subscriptions.bring(replace(ACTIVE, state="past_due"), NOON)
    assert list(await store.unfinished.subscriptions()) == ["sub_1"]
    await store.subscriptions.bring(replace(ACTIVE, state="canceled"), NOON)
    assert list(await store.unfinished.subscriptions()) == []
