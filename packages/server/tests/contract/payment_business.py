"""A business with something of everything that customers pay: bought, topped up, given back, disputed, invoiced."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.invoicing import InvoiceState, Month
from monkey_coder_server.domain.payments import Purpose
from monkey_coder_server.domain.top_ups import TopUpRule
from monkey_coder_server.ports.invoicing import Invoice, Sent
from monkey_coder_server.ports.payment_books import Entitlement
from packages.server.tests.contract.booking import ACCOUNT, NOON, StillClock, hold_request, settle
from packages.server.tests.contract.paying import CENT, dispute, paid, refund

BUYER, DISPUTING, OWING, FORGIVEN, WARNED = "acc_buyer", "acc_disputing", "acc_owing", "acc_forgiven", "acc_warned"
OCTOBER, NOVEMBER, DECEMBER = Month("2026-10"), Month("2026-11"), Month("2026-12")
DUE = timedelta(days=30)


async def all_kinds(store: Storage, clock: StillClock) -> None:
    """At the end it is six hours into 2027."""
    for account_id in (ACCOUNT, BUYER, DISPUTING, OWING, FORGIVEN, WARNED):
        await store.ledger.open_wallet(account_id)
    await _buy(store)
    await _top_up(store)
    await _lose(store)
    await _invoice(store, clock)
    await _lapse(store, clock)


async def _buy(store: Storage) -> None:
    """Credit with tax, of which a part is back, a part on its way; a plan's fee; what came in another currency."""
    await store.payments.book(paid(1_190, "pay_bought", account_id=BUYER, tax_cents=190))
    await store.payments.order_refund(BUYER, 119, reason="asked for", order_id="ord_1", payment_id="pay_bought")
    back = refund(119, order="ord_1")
    await store.payments.book(paid(1_190, "pay_bought", account_id=BUYER, tax_cents=190, refunds=(back,)))
    await store.payments.order_refund(BUYER, 238, reason="asked for", order_id="ord_2", payment_id="pay_bought")
    fee = paid(2_000, "pay_fee", account_id=BUYER, purpose=Purpose.SUBSCRIPTION, reference="sub_1")
    await store.payments.book(fee, gives=Entitlement(2_500 * CENT, NOON + DUE, priority=50))
    await store.payments.book(paid(500, "pay_euros", account_id=BUYER, currency="eur"))


async def _top_up(store: Storage) -> None:
    """One payment that came, one that failed, and one under way."""
    rule = TopUpRule(threshold=100_000, amount=100_000, monthly_maximum=1_000_000)
    await store.top_ups.set(BUYER, rule, by="usr_1", now=NOON)
    for number, state in enumerate(("succeeded", "failed", "open")):
        charge = await store.top_ups.begin(BUYER, NOON + number * timedelta(hours=2))
        assert charge is not None
        if state == "succeeded":
            await store.top_ups.name(charge, "pay_topped")
            bought = paid(100_000, "pay_topped", account_id=BUYER, purpose=Purpose.TOP_UP, reference=charge.key)
            await store.payments.book(bought)
            await store.top_ups.succeed(charge)
            await store.payments.order_refund(BUYER, 90_000, reason="", order_id="ord_3", payment_id="pay_topped")
        elif state == "failed":
            await store.top_ups.fail(charge, "declined", NOON)


async def _lose(store: Storage) -> None:
    """A dispute that is open, two that were lost after the credit was spent, and a warning."""
    await store.payments.book(paid(700, "pay_disputed", account_id=DISPUTING))
    await _spend(store, 200 * CENT, account_id=DISPUTING)
    await store.payments.book(paid(700, "pay_disputed", account_id=DISPUTING, disputes=(dispute(700),)))
    for account_id, payment_id in ((OWING, "pay_lost"), (FORGIVEN, "pay_forgiven")):
        await store.payments.book(paid(300, payment_id, account_id=account_id))
        await _spend(store, 120 * CENT, account_id=account_id)
        lost = dispute(300, f"dp_{payment_id}", state="lost")
        await store.payments.book(paid(300, payment_id, account_id=account_id, disputes=(lost,)))
    await store.payments.thaw(FORGIVEN, forgive=True)
    await store.payments.book(paid(400, "pay_warned", account_id=WARNED, early_fraud_warning=True))


async def _invoice(store: Storage, clock: StillClock) -> None:
    """Three months on a credit line: paid, taken back, and open."""
    await store.credit_lines.set(ACCOUNT, 90_000_000_000, OCTOBER.start)
    await store.credit_lines.set(ACCOUNT, 80_000_000_000, OCTOBER.start)
    october = await _month(store, clock, OCTOBER, 25 * CENT + 3)
    bill = paid(27, "pay_invoice", account_id=ACCOUNT, purpose=Purpose.INVOICE, reference=october.invoice_id)
    await store.payments.book(bill, gives=Entitlement(27 * CENT, priority=1_000))
    await _sight(store, clock, october, InvoiceState.PAID)
    november = await _month(store, clock, NOVEMBER, 40 * CENT + 5)
    await _sight(store, clock, november, InvoiceState.VOID)
    december = await _month(store, clock, DECEMBER, 60 * CENT + 9)
    await _sight(store, clock, december, InvoiceState.OPEN)


async def _month(store: Storage, clock: StillClock, month: Month, used: int) -> Invoice:
    await _spend(store, used, month.start)
    await _spend(store, 2 * CENT, month.start, model="gpt-5-mini")
    clock.moment = month.end + timedelta(hours=6)
    made = await store.invoices.close(ACCOUNT, month, clock.now())
    assert made is not None
    return made


async def _sight(store: Storage, clock: StillClock, invoice: Invoice, state: InvoiceState) -> None:
    await store.invoices.bring(invoice.invoice_id, Sent(state, "in_1", "", clock.now() + DUE), clock.now())


async def _spend(
    store: Storage, price: int, at: datetime = NOON, *, account_id: str = ACCOUNT, model: str = "gpt-5"
) -> None:
    asked = replace(hold_request(price, at=at), account_id=account_id, key_id=f"key_{account_id}")
    await store.books.place(asked)
    await settle(store.books, asked, price, model=model)


async def _lapse(store: Storage, clock: StillClock) -> None:
    """A plan's fee that comes back after its credit expired."""
    assert await store.ledger.expire_grants(clock.now()) == 1
    back = (refund(2_000, "re_fee"),)
    fee = paid(2_000, "pay_fee", account_id=BUYER, purpose=Purpose.SUBSCRIPTION, reference="sub_1", refunds=back)
    assert (await store.payments.book(fee)).changed
