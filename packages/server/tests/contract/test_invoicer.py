"""Invoices drawn up, sent and paid; fees and subscriptions: over a processor that answers as told."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from msgspec import structs

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict, InsufficientCredit, InvalidRequest, PaymentRefused, Unavailable
from monkey_coder_server.domain.invoicing import DAYS_UNTIL_DUE, FREEZE_AFTER, SETTLING, InvoiceState
from monkey_coder_server.domain.money import NANO_PER_CENT
from monkey_coder_server.domain.payments import PaymentSeen, PaymentState, Purpose
from monkey_coder_server.domain.plans import DEFAULT_PLAN, Plan, PlanKind
from monkey_coder_server.domain.subscriptions import GRACE
from monkey_coder_server.features.billing.plans import Dependencies, Invoicer, Sender, Sights, checkout_wish
from monkey_coder_server.features.billing.plans.sending import MOST_LINES, lines_of
from monkey_coder_server.ports.invoicing import InvoiceItem
from monkey_coder_server.ports.payment_books import Entitlement
from monkey_coder_server.ports.payments import InvoiceSeen, InvoiceWish, SubscriptionSeen
from packages.server.tests.contract.booking import ACCOUNT, NOON, StillClock, hold_request
from packages.server.tests.contract.test_invoices import DECEMBER, LINE, NOVEMBER, spend, sums
from packages.server.tests.contract.test_organizations import person

ADA = person("ada")
MONTH = timedelta(days=30)
PRO = Plan(
    plan_id="pro",
    name="Pro",
    kind=PlanKind.SUBSCRIPTION,
    monthly_fee_cents=2_000,
    included_credit=15 * 10**9,
    included_priority=7,
)


@dataclass
class Processor:
    """Keeps an invoice for each of ours, whatever breaks off."""

    clock: StillClock
    invoices: dict[str, InvoiceSeen] = field(default_factory=dict)
    wishes: list[InvoiceWish] = field(default_factory=list)
    subscriptions: dict[str, SubscriptionSeen] = field(default_factory=dict)
    lost_answers: int = 0
    refuses: bool = False

    async def send_invoice(self, wish: InvoiceWish, *, key: str) -> InvoiceSeen:
        if self.refuses:
            raise PaymentRefused("No such customer.")
        assert wish.invoice_id in key
        self.wishes.append(wish)
        total = sum(line.cents for line in wish.lines)
        made = InvoiceSeen(
            invoice_ref=f"in_{len(self.invoices)}",
            customer_id=wish.customer_id,
            account_id=wish.account_id,
            reference=wish.invoice_id,
            subscription_id="",
            state="open",
            total_cents=total,
            paid_cents=0,
            currency="usd",
            hosted_url="https://pay.example/invoice",
            payment_ids=(),
            period_start=self.clock.now(),
            period_end=self.clock.now(),
        )
        seen = self.invoices.setdefault(wish.invoice_id, made)
        if self.lost_answers:
            self.lost_answers -= 1
            raise Unavailable("The answer was lost.", retry_after=1.0)
        return seen

    async def subscription(self, subscription_id: str) -> SubscriptionSeen | None:
        return self.subscriptions.get(subscription_id)


@pytest.fixture
def processor(clock: StillClock) -> Processor:
    return Processor(clock)


def using(store: Storage, clock: StillClock) -> Dependencies:
    return Dependencies(
        plans=store.plans,
        account_plans=store.account_plans,
        subscriptions=store.subscriptions,
        credit_lines=store.credit_lines,
        invoices=store.invoices,
        clock=clock,
        tax=False,
    )


def invoicer(store: Storage, clock: StillClock, processor: Any) -> Invoicer:
    async def with_customer(account_id: str, act: Callable[[str], Awaitable[InvoiceSeen]]) -> InvoiceSeen:
        return await act(f"cus_{account_id}")

    return Invoicer(using(store, clock), Sender(processor, with_customer))


def sights(store: Storage, clock: StillClock, processor: Any) -> Sights:
    return Sights(using(store, clock), processor)


@pytest.fixture
async def firm(store: Storage, clock: StillClock) -> Storage:
    """An account that used 40 cents and a bit of its line in November; it is December."""
    await store.ledger.open_wallet(ACCOUNT)
    await store.credit_lines.set(ACCOUNT, LINE, NOON)
    await spend(store, 40 * NANO_PER_CENT + 3)
    clock.moment = NOVEMBER.end + SETTLING
    return store


def pays(invoice: InvoiceSeen, **changes: Any) -> PaymentSeen:
    seen = PaymentSeen(
        payment_id="pay_1",
        customer_id=invoice.customer_id,
        account_id=invoice.account_id,
        purpose=Purpose.INVOICE,
        state=PaymentState.SUCCEEDED,
        cents=invoice.total_cents,
        reference=invoice.reference,
    )
    return replace(seen, **changes)


async def test_a_month_is_drawn_up_and_sent_once(firm: Storage, clock: StillClock, processor: Processor) -> None:
    assert await invoicer(firm, clock, processor).run() == 1
    assert await invoicer(firm, clock, processor).run() == 0
    [wish] = processor.wishes
    assert [(line.description, line.cents) for line in wish.lines] == [("openai/gpt-5, no project", 40)]
    assert wish.days_until_due == DAYS_UNTIL_DUE
    [invoice] = await firm.invoices.of_account(ACCOUNT, month=None, most=9)
    assert (invoice.state, invoice.ref, invoice.due_at) == (
        InvoiceState.OPEN,
        "in_0",
        clock.now() + timedelta(days=DAYS_UNTIL_DUE),
    )


async def test_an_answer_that_is_lost_leaves_one_invoice(
    firm: Storage, clock: StillClock, processor: Processor
) -> None:
    processor.lost_answers = 2
    for _ in range(2):
        with pytest.raises(Unavailable):
            await invoicer(firm, clock, processor).run()
    assert await invoicer(firm, clock, processor).run() == 0
    assert len(processor.invoices) == 1
    assert await firm.invoices.unsent() == []


async def test_two_invoicers_at_once_have_one_effect(firm: Storage, clock: StillClock, processor: Processor) -> None:
    made = await asyncio.gather(*[invoicer(firm, clock, processor).run() for _ in range(4)])
    assert sum(made) == len(processor.invoices) == 1
    assert (await sums(firm))["customer_receivable"] == -40 * NANO_PER_CENT


async def test_one_that_is_refused_waits_and_keeps_nobody_else(
    firm: Storage, clock: StillClock, processor: Processor
) -> None:
    processor.refuses = True
    assert await invoicer(firm, clock, processor).run() == 1
    assert len(await firm.invoices.unsent()) == 1
    assert await Invoicer(using(firm, clock), None).run() == 0
    processor.refuses = False
    await invoicer(firm, clock, processor).run()
    assert await firm.invoices.unsent() == []


async def test_paying_an_invoice_clears_it_and_gives_the_line_back(
    firm: Storage, clock: StillClock, processor: Processor
) -> None:
    await invoicer(firm, clock, processor).run()
    [invoice] = processor.invoices.values()
    seen, plans = pays(invoice), sights(firm, clock, processor)
    gives = await plans.gives(seen)
    for _ in range(2):
        await firm.payments.book(seen, gives=gives)
        await plans.invoice(structs.replace(invoice, state="paid", payment_ids=("pay_1",)))
    books = await sums(firm)
    assert "customer_receivable" not in books
    assert (books["cash"], books["rounding"]) == (-40 * NANO_PER_CENT, -3)
    line = await firm.credit_lines.find(ACCOUNT)
    assert line is not None
    assert (line.amount, line.left) == (LINE, LINE - 3)
    [kept] = await firm.invoices.of_account(ACCOUNT, month=None, most=9)
    assert (kept.state, kept.paid_at) == (InvoiceState.PAID, clock.now())
    assert (await firm.ledger.verify()).sound


async def test_what_is_paid_elsewhere_or_by_others_changes_nothing(
    firm: Storage, clock: StillClock, processor: Processor
) -> None:
    await invoicer(firm, clock, processor).run()
    [invoice] = processor.invoices.values()
    plans = sights(firm, clock, processor)
    paid = structs.replace(invoice, state="paid", payment_ids=("pay_1",))
    for seen in (
        structs.replace(paid, payment_ids=()),
        structs.replace(paid, account_id="acc_other"),
        structs.replace(paid, reference="inv_none"),
        structs.replace(paid, reference=""),
        structs.replace(paid, state="a_word_of_tomorrow"),
    ):
        await plans.invoice(seen)
    assert (await firm.invoices.of_account(ACCOUNT, month=None, most=9))[0].state is InvoiceState.OPEN
    assert await plans.gives(pays(invoice, reference="inv_none")) is None
    assert await plans.gives(pays(invoice, purpose=Purpose.CREDIT)) is None


async def test_what_is_long_overdue_freezes_the_account_until_it_is_paid(
    firm: Storage, clock: StillClock, processor: Processor
) -> None:
    await invoicer(firm, clock, processor).run()
    [invoice] = processor.invoices.values()
    clock.forward(timedelta(days=DAYS_UNTIL_DUE) + FREEZE_AFTER - timedelta(seconds=1))
    await invoicer(firm, clock, processor).run()
    assert (await firm.payments.standing(ACCOUNT)).frozen == ""
    clock.forward(timedelta(seconds=1))
    await invoicer(firm, clock, processor).run()
    assert (await firm.payments.standing(ACCOUNT)).frozen == "overdue"
    with pytest.raises(InsufficientCredit, match="invoice"):
        await firm.books.place(hold_request(1, at=clock.now(), expires_at=clock.now() + MONTH))
    plans = sights(firm, clock, processor)
    await plans.invoice(structs.replace(invoice, state="uncollectible"))
    assert (await firm.payments.standing(ACCOUNT)).frozen == "overdue"
    await plans.invoice(structs.replace(invoice, state="paid", payment_ids=("pay_1",)))
    assert (await firm.payments.standing(ACCOUNT)).frozen == ""


async def test_months_of_use_and_payment_add_up_to_the_nano_dollar(
    firm: Storage, clock: StillClock, processor: Processor
) -> None:
    """Σ invoices in cents, and what is in the rounding account, are what was used."""
    used, month, plans = 40 * NANO_PER_CENT + 3, NOVEMBER, sights(firm, clock, processor)
    await invoicer(firm, clock, processor).run()
    for price in (1, 9_999_996, 33_333_333, 123_456_789):
        month = DECEMBER if month is NOVEMBER else type(month)(f"{month.end:%Y-%m}")
        await spend(firm, price, month.start + timedelta(days=3))
        used += price
        clock.moment = month.end + SETTLING
        await invoicer(firm, clock, processor).run()
        for number, invoice in enumerate(list(processor.invoices.values())):
            seen = pays(invoice, payment_id=f"pay_{number}")
            await firm.payments.book(seen, gives=await plans.gives(seen))
            await plans.invoice(structs.replace(invoice, state="paid", payment_ids=(seen.payment_id,)))
    invoices = await firm.invoices.of_account(ACCOUNT, month=None, most=99)
    books = await sums(firm)
    assert sum(each.cents for each in invoices) * NANO_PER_CENT - books.get("rounding", 0) == used
    assert (len(invoices), books.get("customer_receivable", 0)) == (5, 0)
    assert (await firm.ledger.verify()).sound


def test_the_smallest_lines_beyond_a_hundred_become_one() -> None:
    items = [InvoiceItem(f"model {number}", "", "m", 0, number) for number in range(1, MOST_LINES + 5)]
    sent = lines_of([*items, InvoiceItem("nothing", "", "m", 4, 0)])
    assert len(sent) == MOST_LINES
    assert sum(line.cents for line in sent) == sum(item.cents for item in items)
    assert sent[-1].description == "5 more models and projects"
    assert len(lines_of(items[:MOST_LINES])) == MOST_LINES


SUBSCRIBED = SubscriptionSeen(
    subscription_id="sub_1",
    customer_id="cus_1",
    account_id=ADA.account_id,
    plan_id="pro",
    state="active",
    period_start=NOON,
    period_end=NOON + MONTH,
    cancel_at_period_end=False,
)
FEE = PaymentSeen(
    payment_id="pay_fee",
    customer_id="cus_1",
    account_id=ADA.account_id,
    purpose=Purpose.SUBSCRIPTION,
    state=PaymentState.SUCCEEDED,
    cents=2_000,
    reference="sub_1",
)


@pytest.fixture
async def subscriber(store: Storage, processor: Processor) -> Storage:
    await store.accounts.create(ADA)
    await store.ledger.open_wallet(ADA.account_id)
    await store.plans.put(PRO)
    processor.subscriptions["sub_1"] = SUBSCRIBED
    return store


async def test_a_paid_month_gives_its_credit_once_and_the_plan(
    subscriber: Storage, clock: StillClock, processor: Processor
) -> None:
    plans = sights(subscriber, clock, processor)
    gives = await plans.gives(FEE)
    assert gives == Entitlement(PRO.included_credit, SUBSCRIBED.period_end, 7)
    for _ in range(3):
        await subscriber.payments.book(FEE, gives=await plans.gives(FEE))
    assert (await subscriber.ledger.wallet(ADA.account_id)).balance == PRO.included_credit
    assert subscriber.account_plans.standing(ADA.account_id, NOON + MONTH) == "pro"
    clock.forward(MONTH)
    await subscriber.ledger.expire_grants(clock.now())
    assert (await subscriber.ledger.wallet(ADA.account_id)).balance == 0
    assert (await subscriber.ledger.verify()).sound


async def test_sights_of_a_subscription_and_its_fee_in_any_order_come_to_the_same(
    subscriber: Storage, clock: StillClock, processor: Processor
) -> None:
    cancelled = structs.replace(SUBSCRIBED, state="canceled")
    ends: set[datetime | None] = set()
    for number, order in enumerate(permutations(("active", "fee", "canceled"))):
        plans, name = sights(subscriber, clock, processor), f"sub_{number}0"
        for what in order:
            now = cancelled if what == "canceled" else SUBSCRIBED
            processor.subscriptions[name] = structs.replace(now, subscription_id=name)
            if what == "fee":
                await plans.gives(replace(FEE, reference=name))
            else:
                await plans.subscription(processor.subscriptions[name])
        [kept] = [
            each for each in await subscriber.subscriptions.of_account(ADA.account_id) if each.subscription_id == name
        ]
        ends.add(kept.until(NOON))
    assert ends == {NOON + MONTH}


async def test_a_fee_that_cannot_be_charged_has_a_week_of_grace(
    subscriber: Storage, clock: StillClock, processor: Processor
) -> None:
    plans = sights(subscriber, clock, processor)
    await plans.subscription(SUBSCRIBED)
    renewed = structs.replace(SUBSCRIBED, state="past_due", period_start=NOON + MONTH, period_end=NOON + 2 * MONTH)
    clock.forward(MONTH)
    processor.subscriptions["sub_1"] = renewed
    await plans.subscription(renewed)
    await plans.gives(replace(FEE, state=PaymentState.FAILED, payment_id="pay_2"))
    account = ADA.account_id
    assert subscriber.account_plans.standing(account, NOON + MONTH + GRACE - timedelta(seconds=1)) == "pro"
    assert subscriber.account_plans.standing(account, NOON + MONTH + GRACE) == DEFAULT_PLAN


async def test_a_fee_of_what_is_none_of_ours_gives_nothing(
    subscriber: Storage, clock: StillClock, processor: Processor
) -> None:
    plans = sights(subscriber, clock, processor)
    assert await plans.gives(replace(FEE, reference="sub_none")) is None
    processor.subscriptions["sub_2"] = structs.replace(SUBSCRIBED, subscription_id="sub_2", plan_id="unwritten")
    assert await plans.gives(replace(FEE, reference="sub_2")) is None
    await subscriber.plans.put(replace(PRO, plan_id="bare", included_credit=0))
    processor.subscriptions["sub_3"] = structs.replace(SUBSCRIBED, subscription_id="sub_3", plan_id="bare")
    assert await plans.gives(replace(FEE, reference="sub_3")) is None


async def test_a_plan_is_ordered_at_its_fee_and_only_one_at_a_time(
    subscriber: Storage, clock: StillClock, processor: Processor
) -> None:
    use = using(subscriber, clock)

    async def order(plan_id: str) -> Any:
        return await checkout_wish(use, ADA.account_id, "cus_1", plan_id, success_url="s", cancel_url="c")

    wish = await order("pro")
    assert (wish.purpose, wish.cents, wish.reference) == (Purpose.SUBSCRIPTION, 2_000, "pro")
    assert "15.00 USD" in wish.description
    await subscriber.plans.put(replace(PRO, plan_id="secret", listed=False))
    for name in (DEFAULT_PLAN, "secret", "none"):
        with pytest.raises(InvalidRequest, match="pro"):
            await order(name)
    await sights(subscriber, clock, processor).subscription(SUBSCRIBED)
    with pytest.raises(Conflict, match="portal"):
        await order("pro")
