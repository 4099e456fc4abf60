"""`/billing` in a browser: for who is logged in a form that leads to where one pays, for others the way there."""

import re
from typing import Any

import httpx2
import pytest

from monkey_coder_server.web.request import Request
from packages.server.tests.conftest import Customer
from packages.server.tests.features.billing.buying.conftest import Shop

pytestmark = pytest.mark.asyncio(loop_scope="module")
HTML = {"accept": "text/html,application/xhtml+xml"}


async def logged_in(shop: Shop, customer: Customer) -> dict[str, str]:
    """The headers of a browser in which somebody logged in."""
    request = Request({"headers": [], "query_string": b""}, _never, request_id="req_test")
    _, cookie = await shop.use.browsers.open(request, customer.user_id)
    return {**HTML, "cookie": f"{shop.use.browsers.session_cookie}={cookie.value}"}


async def _never() -> dict[str, Any]:
    raise AssertionError("nothing is read")


async def sent(shop: Shop, headers: dict[str, str], **fields: str) -> httpx2.Response:
    """The form as the page holds it, filled in."""
    page = (await shop.client.get("/billing", headers=headers)).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token is not None
    return await shop.client.post("/billing", data={"form_token": token[1], **fields}, headers=headers)


async def test_programs_are_told_in_plain_text_how_credit_is_bought(shop: Shop) -> None:
    answer = await shop.client.get("/billing")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "monkey billing credits 25" in answer.text
    assert "http://localhost:8000/billing" in answer.text


async def test_a_browser_logs_in_first_and_comes_back_with_the_amount(shop: Shop) -> None:
    answer = await shop.client.get("/billing?amount_usd=25.00&save_card=1&x=y", headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fbilling%3Famount_usd%3D25.00%26save_card%3D1"
    login = await shop.client.get(answer.headers["location"], headers=HTML)
    assert 'value="/billing?amount_usd=25.00&amp;save_card=1"' in login.text


async def test_who_is_logged_in_sees_what_is_left_and_goes_to_pay(shop: Shop) -> None:
    customer = await shop.bought(usd=20)
    headers = await logged_in(shop, customer)
    page = await shop.client.get("/billing?amount_usd=50.00", headers=headers)
    assert page.status_code == 200
    assert "20.00 USD" in page.text
    assert customer.email in page.text
    assert re.search(r'value="50" checked', page.text)
    assert "form-action 'self' https://pay.example;" in page.headers["content-security-policy"]
    answer = await sent(shop, headers, amount_usd="50", other="", save_card="1")
    assert (answer.status_code, answer.headers["location"]) == (303, f"https://pay.example/cs_{len(shop.bank.pages)}")
    wish = shop.bank.pages[-1]
    assert (wish.cents, wish.save_card, wish.account_id) == (5_000, True, customer.account_id)
    newest = (await shop.trail(customer))[0]
    assert (newest["action"], newest["actor"], newest["details"]) == ("billing.checkout", customer.user_id, "50.00 USD")


async def test_another_amount_counts_before_those_to_choose_from(shop: Shop) -> None:
    customer = await shop.house.customer(usd=0)
    answer = await sent(shop, await logged_in(shop, customer), amount_usd="50", other=" 12.34 ")
    assert answer.status_code == 303
    assert shop.bank.pages[-1].cents == 1_234


@pytest.mark.parametrize("other", ["1", "1e3", "12.345", "<script>"])
async def test_an_amount_that_cannot_be_bought_is_said_on_the_page(shop: Shop, other: str) -> None:
    customer = await shop.house.customer(usd=0)
    pages = len(shop.bank.pages)
    answer = await sent(shop, await logged_in(shop, customer), other=other)
    assert (answer.status_code, 'role="alert"' in answer.text, "<script>" in answer.text) == (400, True, False)
    assert len(shop.bank.pages) == pages


async def test_a_form_of_another_site_buys_nothing(shop: Shop) -> None:
    customer = await shop.house.customer(usd=0)
    headers = await logged_in(shop, customer)
    pages = len(shop.bank.pages)
    forged = await shop.client.post("/billing", data={"amount_usd": "50"}, headers=headers)
    assert forged.status_code == 403
    elsewhere = await sent(shop, {**headers, "sec-fetch-site": "cross-site"}, amount_usd="50")
    assert elsewhere.status_code == 403
    assert len(shop.bank.pages) == pages


async def test_paying_ends_on_a_page_that_promises_nothing_yet(shop: Shop) -> None:
    paid, cancelled = [await shop.client.get(f"/billing/{name}", headers=HTML) for name in ("success", "cancelled")]
    assert (paid.status_code, cancelled.status_code) == (200, 200)
    assert "as soon as the bank has confirmed" in paid.text
    assert 'href="/billing"' in cancelled.text
