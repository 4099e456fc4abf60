"""Payments and refunds are read a page at a time, newest first: each once, and no page tells the processor's names."""

import base64
from typing import Any

import pytest

from packages.server.tests.conftest import Customer
from packages.server.tests.features.billing.buying.conftest import Shop

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def pages(shop: Shop, customer: Customer, name: str, limit: int) -> list[dict[str, Any]]:
    found, after = [], ""
    while not found or after:
        answer = await shop.ask(customer, "GET", f"{name}?limit={limit}&after={after}")
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        after = found[-1]["next"] or ""
    return found


async def payer(shop: Shop, payments: int) -> Customer:
    customer = await shop.bought(usd=10)
    for _ in range(payments - 1):
        await shop.buy(customer, usd=10)
    return customer


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
async def test_each_payment_stands_on_one_page(shop: Shop, limit: int) -> None:
    customer = await payer(shop, 5)
    [whole] = await pages(shop, customer, "payments", 1000)
    assert (whole["count"], whole["refundable_usd"], whole["next"]) == (5, "50.00", None)
    found = await pages(shop, customer, "payments", limit)
    assert [each for page in found for each in page["payments"]] == whole["payments"]
    assert len(found) == -(-5 // limit)
    assert {page["refundable_usd"] for page in found} == {"50.00"}


async def test_each_refund_stands_on_one_page_also_those_of_one_order_and_moment(shop: Shop) -> None:
    customer = await payer(shop, 3)
    for usd in ("12", "3", "9"):
        assert (await shop.ask(customer, "POST", "refunds", {"amount_usd": usd})).status_code == 200
    [whole] = await pages(shop, customer, "refunds", 1000)
    amounts = [each["amount_usd"] for each in whole["refunds"]]
    assert (whole["count"], sorted(amounts)) == (len(amounts), sorted(["10.00", "2.00", "3.00", "5.00", "4.00"]))
    for limit in (1, 2, 4):
        found = await pages(shop, customer, "refunds", limit)
        assert [each for page in found for each in page["refunds"]] == whole["refunds"]


async def test_where_a_page_ended_names_nothing_of_the_processor(shop: Shop) -> None:
    customer = await payer(shop, 3)
    [first, *_] = await pages(shop, customer, "payments", 2)
    told = base64.urlsafe_b64decode(first["next"] + "==").decode()
    assert not any(payment in told for payment in shop.bank.payments_made)
    for wrong in ("x", "WzEsMl0", base64.urlsafe_b64encode(b'["2026-11-30T10:00:00Z",0]').decode()):
        refused = await shop.ask(customer, "GET", f"payments?after={wrong}")
        assert (refused.status_code, refused.json()["error_code"]) == (400, "invalid_request"), refused.text
