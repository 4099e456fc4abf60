"""`/v1/billing/plans`, `/plan` and `/invoices`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from monkey_coder_server.domain.invoicing import InvoiceState, Month
from monkey_coder_server.domain.plans import Plan, PlanKind, PlanSpan, put_on
from monkey_coder_server.domain.subscriptions import Subscription
from monkey_coder_server.ports.invoicing import Sent
from packages.server.tests.contract.booking import hold_request, settle

pytestmark = pytest.mark.asyncio(loop_scope="module")
PRO = Plan(
    plan_id="pro",
    name="Pro",
    kind=PlanKind.SUBSCRIPTION,
    monthly_fee_cents=2_000,
    included_credit=15_000_000_000,
)
LINE = 5_000_000_000


async def spent_last_month(house: Any, customer: Any, prices: Sequence[int], *, line: int = 0) -> Month:
    """Requests of last month; the month."""
    storage, now = house.gateway.books.storage, house.gateway.books.clock.now()
    month = Month(f"{now.astimezone(UTC):%Y-%m}").before
    if line:
        await storage.credit_lines.set(customer.account_id, line, month.start)
    for price in prices:
        request = hold_request(price, account_id=customer.account_id, at=month.start, expires_at=now)
        await storage.books.place(request)
        await settle(storage.books, request, price)
    return month


async def ask(house: Any, customer: Any, path: str) -> Any:
    answer = await house.client.get(f"/v1/billing/{path}", headers=customer.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_only_listed_plans_that_are_offered_now_are_shown(house: Any) -> None:
    plans, now = house.gateway.books.storage.plans, house.gateway.books.clock.now()
    await plans.put(PRO)
    await plans.put(Plan(plan_id="private", name="Private", listed=False))
    await plans.put(Plan(plan_id="past", name="Past", offered_until=now - timedelta(days=1)))
    body = await ask(house, await house.customer(), "plans")
    shown = {each["plan"]: each for each in body["plans"]}
    assert "private" not in shown
    assert "past" not in shown
    assert (shown["pro"]["monthly_fee_usd"], shown["pro"]["included_credit_usd"]) == ("20.00", "15.00")
    assert body["count"] == len(body["plans"])


async def test_an_account_sees_the_plan_it_is_on_and_until_when(house: Any) -> None:
    customer, storage, now = await house.customer(), house.gateway.books.storage, house.gateway.books.clock.now()
    nothing = {"since": None, "until": None, "subscription": None, "credit_line": None}
    first = await ask(house, customer, "plan")
    assert (first["plan"]["plan"], {name: first[name] for name in nothing}) == ("prepaid", nothing)
    await storage.plans.put(PRO)
    seen = Subscription(
        subscription_id=f"sub_{customer.account_id}",
        account_id=customer.account_id,
        plan_id="pro",
        state="active",
        period_start=now,
        period_end=now + timedelta(days=30),
        ends_with_period=True,
    )
    await storage.subscriptions.bring(seen, now)
    await storage.credit_lines.set(customer.account_id, LINE, now)
    body = await ask(house, customer, "plan")
    assert (body["plan"]["name"], body["until"]) == ("Pro", seen.period_end.isoformat())
    assert (body["subscription"]["state"], body["subscription"]["ends_with_period"]) == ("active", True)
    assert body["credit_line"] == {"line_usd": "5.00", "left_usd": "5.00"}
    assert "sub_" not in str(body)
    status = await house.client.get("/v1/auth/status", headers=customer.headers)
    assert status.json()["user"]["subscription_tier"] == "pro"


async def test_a_plan_nobody_wrote_is_shown_by_its_id(house: Any) -> None:
    customer, now = await house.customer(), house.gateway.books.clock.now()
    span = PlanSpan(plan_id="unwritten", starts_at=now, source="test")
    await house.gateway.books.storage.account_plans.change(customer.account_id, partial(put_on, span=span))
    assert (await ask(house, customer, "plan"))["plan"]["name"] == "unwritten"


async def test_a_month_paid_from_credit_has_a_statement_with_nothing_due(house: Any) -> None:
    customer = await house.customer()
    assert (await ask(house, customer, "invoices"))["invoices"] == []
    month = await spent_last_month(house, customer, [12_345_678, 30_000_000])
    [listed] = (await ask(house, customer, "invoices"))["invoices"]
    assert (listed["month"], listed["state"], listed["charged_usd"], listed["total_usd"]) == (
        month.name,
        "statement",
        "0.042345678",
        "0.00",
    )
    whole = await ask(house, customer, f"invoices/{listed['invoice_id']}")
    assert [(each["model"], each["exact_usd"], each["total_usd"]) for each in whole["lines"]] == [
        ("openai/gpt-5", "0.042345678", "0.04"),
        (None, "-0.042345678", "-0.04"),
    ]
    assert (await ask(house, customer, f"invoices?month={month.name}"))["invoices"] == [listed]
    assert (await ask(house, customer, f"invoices?month={month.before.name}"))["count"] == 0


async def test_an_invoice_is_shown_with_its_lines_its_page_and_when_it_is_late(house: Any) -> None:
    customer, storage, now = await house.customer(usd=0), house.gateway.books.storage, house.gateway.books.clock.now()
    month = await spent_last_month(house, customer, [25_000_000], line=LINE)
    made = await storage.invoices.close(customer.account_id, month, now)
    due = now + timedelta(days=30)
    for state, due_at, shown in ((InvoiceState.OPEN, due, "open"), (InvoiceState.PAID, due, "paid")):
        await storage.invoices.bring(made.invoice_id, Sent(state, "in_1", "https://pay.example/in_1", due_at), now)
        body = await ask(house, customer, f"invoices/{made.invoice_id}")
        assert (body["state"], body["total_usd"], body["hosted_url"]) == (shown, "0.02", "https://pay.example/in_1")
    [line] = body["lines"]
    assert (line["exact_usd"], line["total_usd"], line["project_id"]) == ("0.025", "0.02", None)
    assert body["paid_at"] is not None
    assert [each["invoice_id"] for each in (await ask(house, customer, "invoices"))["invoices"]] == [made.invoice_id]
    statement = await house.client.get(f"/v1/billing/invoices/statement_{month.name}", headers=customer.headers)
    assert statement.status_code == 404


async def test_an_invoice_past_its_day_is_overdue(house: Any) -> None:
    customer, storage, now = await house.customer(usd=0), house.gateway.books.storage, house.gateway.books.clock.now()
    month = await spent_last_month(house, customer, [25_000_000], line=LINE)
    made = await storage.invoices.close(customer.account_id, month, now)
    await storage.invoices.bring(made.invoice_id, Sent(InvoiceState.OPEN, "in_2", "", now), now)
    assert (await ask(house, customer, f"invoices/{made.invoice_id}"))["state"] == "overdue"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("invoices?month=2026-13", 400),
        ("invoices/inv_none", 404),
        ("invoices/statement_2026-01", 404),
        ("invoices/statement_x", 400),
        (f"invoices/statement_{datetime.now(UTC):%Y-%m}", 404),
    ],
)
async def test_what_is_no_month_or_no_invoice_is_refused(house: Any, path: str, status: int) -> None:
    customer = await house.customer()
    answer = await house.client.get(f"/v1/billing/{path}", headers=customer.headers)
    assert answer.status_code == status, answer.text
