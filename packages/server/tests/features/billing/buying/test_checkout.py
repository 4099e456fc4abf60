"""Pages to pay on: what can be bought, by whom, and where the browser may go afterwards."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from monkey_coder_server.domain.payments import Purpose
from monkey_coder_server.features.billing.buying import PlanOrder
from monkey_coder_server.ports.payments import HostedPage
from packages.server.tests.features.billing.buying.conftest import Shop

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_credit_is_bought_on_a_page_of_the_processor(shop: Shop) -> None:
    customer = await shop.house.customer(usd=0)
    answer = await shop.ask(customer, "POST", "checkout", {"amount_usd": "25.50", "save_card": True})
    page = answer.json()
    assert answer.status_code == 200, answer.text
    assert page["checkout_url"].startswith("https://pay.example/")
    wish = shop.bank.pages[-1]
    assert (wish.cents, wish.purpose, wish.account_id) == (2_550, Purpose.CREDIT, customer.account_id)
    assert (wish.reference, wish.save_card, wish.tax) == (page["session_id"], True, False)
    assert wish.success_url == "http://localhost:8000/billing/success"
    assert wish.cancel_url == "http://localhost:8000/billing/cancelled"
    await shop.use.books.book(shop.bank.pay(wish))
    assert await shop.balance(customer) == 25_500_000_000


async def test_no_id_of_the_processor_is_told_but_in_the_address_one_pays_at(shop: Shop) -> None:
    customer = await shop.bought(usd=20, save_card=True)
    told = ""
    for method, name, body in (
        ("POST", "checkout", {"amount_usd": 10}),
        ("POST", "payment", {"amount": 1000}),
        ("POST", "portal", {}),
        ("GET", "payments", None),
        ("POST", "refunds", {"amount_usd": "5"}),
        ("GET", "refunds", None),
        ("GET", "card", None),
    ):
        answer = await shop.ask(customer, method, name, body)
        assert answer.status_code == 200, answer.text
        told += "".join(f"{name}={value}\n" for name, value in answer.json().items() if not name.endswith("_url"))
    assert customer.account_id in told
    assert not [
        mark for mark in ("cus_", "pi_", "cs_", "re_", "pm_", "bps_") if f"'{mark}" in told or f"={mark}" in told
    ]


async def test_the_same_request_again_is_the_same_page(shop: Shop) -> None:
    customer = await shop.house.customer(usd=0)
    pages = [
        (await shop.ask(customer, "POST", "checkout", {"amount_usd": 10}, idempotency_key="once")).json()
        for _ in range(2)
    ]
    assert pages[0] == pages[1]


async def test_of_many_purchases_at_once_all_are_one_customers(shop: Shop) -> None:
    customer = await shop.house.customer(usd=0)
    before = len(shop.bank.customers)
    answers = await asyncio.gather(*[shop.ask(customer, "POST", "checkout", {"amount_usd": 10}) for _ in range(32)])
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["session_id"] for answer in answers}) == 32
    assert len(shop.bank.customers) == before + 1


async def test_a_customer_deleted_at_the_processor_is_made_anew_each_time(shop: Shop) -> None:
    customer = await shop.bought()
    for _ in range(2):
        old = await shop.use.books.customer(customer.account_id)
        shop.bank.deleted.add(old)
        answer = await shop.ask(customer, "POST", "checkout", {"amount_usd": 10})
        assert answer.status_code == 200, answer.text
        assert await shop.use.books.customer(customer.account_id) not in shop.bank.deleted
    assert await shop.balance(customer) == 20_000_000_000


async def test_a_customer_the_dashboard_deleted_and_a_webhook_told_of_is_made_anew(shop: Shop) -> None:
    customer = await shop.bought()
    old = await shop.use.books.customer(customer.account_id)
    shop.bank.deleted.add(old)
    await shop.use.books.forget_customer(old)
    assert (await shop.ask(customer, "POST", "portal", {})).status_code == 404
    assert (await shop.ask(customer, "POST", "checkout", {"amount_usd": 10})).status_code == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "amount_usd"),
        ({"amount_usd": "4.99"}, "5 to 10000 USD"),
        ({"amount_usd": "10000.01"}, "5 to 10000 USD"),
        ({"amount_usd": "10.005"}, "whole cents"),
        ({"amount_usd": "0"}, "above 0"),
        ({"amount_usd": "-10"}, "negative"),
        ({"amount_usd": "NaN"}, "not an amount"),
        ({"amount_usd": "10", "plan": "pro"}, "either"),
        ({"plan": "pro"}, "sells no plans"),
        ({"amount_usd": "10", "success_url": "https://evil.example/"}, "success_url"),
        ({"amount_usd": "10", "cancel_url": "//evil.example"}, "cancel_url"),
    ],
)
async def test_what_cannot_be_bought_is_refused_with_a_sentence(shop: Shop, body: dict[str, Any], said: str) -> None:
    customer = await shop.house.customer(usd=0)
    pages = len(shop.bank.pages)
    answer = await shop.ask(customer, "POST", "checkout", body)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_request")
    assert said in answer.json()["detail"]
    assert len(shop.bank.pages) == pages


async def test_a_card_is_saved_without_a_payment(shop: Shop) -> None:
    customer = await shop.house.customer(usd=0)
    assert (await shop.ask(customer, "POST", "checkout", {"save_card": True})).status_code == 200
    assert (shop.bank.pages[-1].cents, shop.bank.pages[-1].save_card) == (0, True)


async def test_a_processor_that_is_away_is_told_as_such_and_nothing_is_kept(shop: Shop) -> None:
    customer = await shop.house.customer(usd=0)
    shop.bank.away = True
    answer = await shop.ask(customer, "POST", "checkout", {"amount_usd": 10}, idempotency_key="away")
    assert (answer.status_code, answer.json()["error_code"]) == (503, "unavailable")
    shop.bank.away = False
    assert (await shop.ask(customer, "POST", "checkout", {"amount_usd": 10}, idempotency_key="away")).status_code == 200


async def test_the_published_command_line_buys_in_cents_and_never_leads_astray(shop: Shop) -> None:
    customer = await shop.house.customer(usd=0)
    body = {
        "amount": 2_500,
        "description": "Credits for Ada",
        "success_url": "https://elsewhere.example/thanks",
        "cancel_url": "http://127.0.0.1:7777/no",
    }
    answer = await shop.client.post("/api/v1/billing/payment", json=body, headers=customer.headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["payment_url"].startswith("https://pay.example/")
    wish = shop.bank.pages[-1]
    assert (wish.cents, wish.description) == (2_500, "Credits for Ada")
    assert (wish.success_url, wish.cancel_url) == ("http://localhost:8000/billing/success", "http://127.0.0.1:7777/no")
    refused = await shop.client.post("/api/v1/billing/payment", json={"amount": 499}, headers=customer.headers)
    assert refused.status_code == 400


async def test_the_portal_is_for_who_bought_something(shop: Shop) -> None:
    stranger, customer = await shop.house.customer(usd=0), await shop.bought()
    refused = await shop.ask(stranger, "POST", "portal", {"return_url": "http://localhost:3000/"})
    assert (refused.status_code, refused.json()["error_code"]) == (404, "not_found")
    page = (await shop.ask(customer, "POST", "portal", {"return_url": "http://localhost:3000/"})).json()
    assert page["session_url"] == page["portal_url"] == "https://pay.example/portal?back=http://localhost:3000/"
    assert (page["customer_id"], page["expires_at"]) == (customer.account_id, None)
    by_query = await shop.client.post("/v1/billing/portal?return_url=https://evil.example", headers=customer.headers)
    assert by_query.json()["portal_url"] == "https://pay.example/portal?back=http://localhost:8000/billing"


async def test_a_key_that_may_only_read_buys_nothing(shop: Shop) -> None:
    customer = await shop.bought()
    key = await shop.house.key_of(customer, scopes=["billing:read"])
    headers = {"authorization": f"Bearer {key}"}
    for name in ("checkout", "payment", "portal", "refunds"):
        assert (await shop.client.post(f"/v1/billing/{name}", json={}, headers=headers)).status_code == 403
    assert (await shop.client.get("/v1/billing/payments", headers=headers)).status_code == 200


async def test_an_account_is_made_sixty_pages_and_then_one_a_minute_and_no_other_waits_for_it(shop: Shop) -> None:
    customer, other = await shop.bought(), await shop.bought()
    asked = [
        shop.ask(customer, "POST", name, body)
        for _ in range(40)
        for name, body in (("checkout", {"amount_usd": 10}), ("portal", {}))
    ]
    made = len(shop.bank.pages)
    statuses = [answer.status_code for answer in await asyncio.gather(*asked)]
    assert (statuses.count(200), statuses.count(429)) == (59, 21)
    assert len(shop.bank.pages) - made <= 40
    refused = await shop.ask(customer, "POST", "checkout", {"amount_usd": 10})
    assert (refused.status_code, refused.json()["error_code"]) == (429, "rate_limited")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert (await shop.ask(other, "POST", "checkout", {"amount_usd": 10})).status_code == 200


@pytest_asyncio.fixture(loop_scope="module")
async def planned(shop: Shop) -> AsyncIterator[tuple[httpx2.AsyncClient, list[PlanOrder]]]:
    """The shop with a plan to sell."""
    from monkey_coder_server.app import Application
    from monkey_coder_server.features.billing import buying
    from monkey_coder_server.web.feature import Feature

    orders: list[PlanOrder] = []

    async def order(wish: PlanOrder) -> HostedPage:
        orders.append(wish)
        return HostedPage("cs_plan", "https://pay.example/plan", None)

    served = shop.house.gateway.application
    feature = Feature("buying", buying.routes(replace(shop.use, order_plan=order)))
    application = Application([feature], served.services, options=served.options, drain=served.drain)
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client, orders


async def test_a_plan_is_ordered_of_who_knows_plans(
    shop: Shop, planned: tuple[httpx2.AsyncClient, list[PlanOrder]]
) -> None:
    client, orders = planned
    customer = await shop.house.customer(usd=0)
    answer = await client.post("/v1/billing/checkout", json={"plan": "pro"}, headers=customer.headers)
    assert answer.json()["checkout_url"] == "https://pay.example/plan"
    [order] = orders
    assert (order.plan_id, order.account_id) == ("pro", customer.account_id)
    assert order.reference == answer.json()["session_id"]
    assert order.customer_id == await shop.use.books.customer(customer.account_id)
