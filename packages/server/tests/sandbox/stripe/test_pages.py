"""The hosted pages as a browser without scripts uses them: forms, links and redirects."""

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from packages.server.tests.sandbox.stripe.conftest import Seller
from packages.server.tests.sandbox.stripe.test_plans_and_invoices import invoice_of

pytestmark = pytest.mark.system
VISA, DECLINED, ASKS = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0025 0000 3155"


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def sent(browser: aiohttp.ClientSession, url: str, **fields: str) -> tuple[int, str]:
    """Status and where it leads, or what the page says."""
    async with browser.post(url, data=fields, allow_redirects=False) as reply:
        return reply.status, reply.headers.get("Location") or await reply.text()


async def seen(browser: aiohttp.ClientSession, url: str) -> str:
    async with browser.get(url) as reply:
        return await reply.text()


async def test_a_person_is_declined_pays_with_another_card_and_is_led_back(
    seller: Seller, browser: aiohttp.ClientSession
) -> None:
    session = await seller.session(cancel_url="http://127.0.0.1:9/cancelled?a=1&b=2")
    page = await seen(browser, session.url)
    assert "Pay $25.00" in page
    assert 'href="http://127.0.0.1:9/cancelled?a=1&amp;b=2"' in page
    assert "card number is invalid" in (await sent(browser, session.url, way="card", number="1234"))[1]
    assert "Your card was declined." in (await sent(browser, session.url, way="card", number=DECLINED))[1]
    status, back = await sent(browser, session.url, way="card", number=VISA, email="ada@example.com", name="Ada")
    assert (status, back) == (303, f"http://127.0.0.1:9/done?session={session.id}")
    details = seller.control.find("checkout.session")[0]["customer_details"]
    assert (details["email"], details["name"]) == ("ada@example.com", "Ada")
    assert "This payment is complete." in await seen(browser, session.url)


async def test_what_a_seller_wrote_is_shown_as_text(seller: Seller, browser: aiohttp.ClientSession) -> None:
    price = {"currency": "usd", "unit_amount": 100, "product_data": {"name": "<script>alert(1)</script>"}}
    session = await seller.session(line_items=[{"quantity": 1, "price_data": price}])
    page = await seen(browser, session.url)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


async def test_the_bank_asks_on_a_page_of_its_own(seller: Seller, browser: aiohttp.ClientSession) -> None:
    session = await seller.session()
    _, bank = await sent(browser, session.url, way="card", number=ASKS)
    assert "asks for $25.00" in await seen(browser, f"{seller.running.url}{bank}")
    failed = await sent(browser, f"{seller.running.url}{bank}", answer="fail")
    assert "unable to authenticate" in failed[1]
    _, bank = await sent(browser, session.url, way="card", number=ASKS)
    assert (await sent(browser, f"{seller.running.url}{bank}", answer="pass"))[1].endswith(session.id)


@pytest.mark.parametrize(("way", "arrives"), [("bank", True), ("bouncing_bank", False)])
async def test_a_bank_debit_is_chosen_and_known_later(
    seller: Seller, browser: aiohttp.ClientSession, way: str, arrives: bool
) -> None:
    session = await seller.session()
    assert (await sent(browser, session.url, way=way))[0] == 303
    seller.control.advance(days=4)
    assert (seller.control.find("checkout.session")[0]["payment_status"] == "paid") is arrives


async def test_an_expired_page_says_so(seller: Seller, browser: aiohttp.ClientSession) -> None:
    session = await seller.session()
    seller.control.expire(session.id)
    assert "This page has expired." in await seen(browser, session.url)


async def test_the_portal_shows_and_changes_plan_card_and_invoices(
    seller: Seller, browser: aiohttp.ClientSession
) -> None:
    customer = await seller.customer()
    session = await seller.session("subscription", customer=customer.id)
    plan = seller.control.pay(session.id)["subscription"]
    wish = {"customer": customer.id, "return_url": "http://127.0.0.1:9/account"}
    url = (await seller.call(seller.client.v1.billing_portal.sessions.create, wish)).url
    page = await seen(browser, url)
    for text in ("ada@example.com", "Plan", "$20.00 per month", "Visa •••• 4242", "Renews on", "127.0.0.1:9/account"):
        assert text in page
    await sent(browser, url, do="cancel", subscription=plan)
    assert "Ends on" in await seen(browser, url)
    await sent(browser, url, do="resume", subscription=plan)
    assert "Renews on" in await seen(browser, url)
    (method,) = re.findall(r'name="method" value="(\w+)"', page)
    await sent(browser, url, do="default", method=method)
    assert "Default" in await seen(browser, url)
    await sent(browser, url, do="detach", method=method)
    assert "No saved card" in await seen(browser, url)
    assert seller.told.count("customer.subscription.updated") == 2
    assert "$20.00" in await seen(browser, re.findall(r'href="([^"]+/i/[^"]+)"', page)[0])


async def test_an_invoice_is_paid_on_its_page_and_a_payment_has_a_receipt(
    seller: Seller, browser: aiohttp.ClientSession
) -> None:
    made = await invoice_of(seller)
    opened = await seller.call(seller.client.v1.invoices.finalize_invoice, made.id)
    url = opened.hosted_invoice_url
    assert "Pay invoice" in await seen(browser, url)
    assert "invalid" in (await sent(browser, url, number="1"))[1]
    assert "declined" in (await sent(browser, url, number=DECLINED))[1]
    _, bank = await sent(browser, url, number=ASKS)
    await sent(browser, f"{seller.running.url}{bank}", answer="pass")
    assert "Pay invoice" not in await seen(browser, url)
    assert seller.control.find("invoice")[0]["status"] == "paid"
    charge = seller.control.find("charge", status="succeeded")[0]
    seller.control.refund(charge["payment_intent"], 100)
    receipt = await seen(browser, charge["receipt_url"])
    assert "$3.01" in receipt
    assert "$1.00" in receipt


async def test_there_is_no_page_for_what_is_not_there(seller: Seller, browser: aiohttp.ClientSession) -> None:
    async with browser.get(f"{seller.running.url}/c/pay/cs_test_nothing") as reply:
        assert reply.status == 404
