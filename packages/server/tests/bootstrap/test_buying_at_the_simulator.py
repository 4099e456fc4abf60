"""Buying through the official SDK at the simulator: what is bought, given back and topped up is what the bank moved."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from monkey_coder_server.bootstrap import buying
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.bootstrap.payments import open_payments
from monkey_coder_server.sandbox.stripe import server as simulator
from monkey_coder_server.settings import load
from packages.server.tests.conftest import Customer, House
from packages.server.tests.contract.booking import hold_request, settle

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.system]
USD = 1_000_000_000
RULE = {"threshold_usd": "10", "amount_usd": "25", "monthly_maximum_usd": "100"}
DECLINES_LATER, ASKS_ALWAYS = "4000000000000341", "4000002760003184"


@dataclass(slots=True)
class Town:
    """A gateway and its bank."""

    house: House
    bank: simulator.RunningStripe

    async def ask(self, customer: Customer, method: str, name: str, body: Any = None) -> Any:
        sent = {} if body is None else {"json": body}
        answer = await self.house.client.request(method, f"/v1/billing/{name}", headers=customer.headers, **sent)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def buy(self, customer: Customer, card: str, **body: Any) -> None:
        """Buy and pay; the webhook's part is done by hand."""
        page = await self.ask(customer, "POST", "checkout", body)
        session = re.search(r"cs_[A-Za-z0-9_]+", page["checkout_url"])
        assert session is not None
        paid = self.bank.control.pay(session[0], card)
        if paid["payment_intent"]:
            books = self.house.gateway.books
            async with open_payments(books) as side:
                assert side is not None
                seen = await side.gate.payment(paid["payment_intent"])
            assert seen is not None
            await books.storage.payments.book(seen)

    async def spend(self, customer: Customer, nano: int) -> None:
        now, storage = self.house.gateway.books.clock.now(), self.house.gateway.books.storage
        asked = hold_request(nano, account_id=customer.account_id, at=now, expires_at=now + timedelta(minutes=5))
        await storage.books.place(asked)
        await settle(storage.books, asked, nano)

    async def balance(self, customer: Customer) -> int:
        return (await self.house.gateway.books.storage.ledger.wallet(customer.account_id)).balance


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    bank = await simulator.start(automatic=False)
    settings = load(
        {
            "OPENAI_API_KEY": "sk-never-used",
            "STRIPE_SECRET_KEY": "rk_test_simulated",
            "STRIPE_WEBHOOK_SECRET": "whsec_0123456789abcdef",
            "STRIPE_API_BASE": bank.url,
        },
        folder=tmp_path_factory.mktemp("town"),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buying, "ROUND_SECONDS", 0.1)
        async with open_gateway(settings) as gateway:
            transport = httpx2.ASGITransport(app=gateway.application)
            async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
                yield Town(House(gateway, client), bank)
    await bank.close()


async def until(look: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(300):
        if await look():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it never came")


async def test_what_is_bought_and_given_back_is_what_the_bank_moved(town: Town) -> None:
    customer = await town.house.customer(usd=0)
    before = town.bank.control.cash()
    await town.buy(customer, "4242424242424242", amount_usd="20")
    assert await town.balance(customer) == 20 * USD
    await town.spend(customer, 3 * USD)
    await town.ask(customer, "POST", "refunds", {"amount_usd": "all"})

    async def certain() -> bool:
        found = await town.ask(customer, "GET", "refunds")
        return [each["state"] for each in found["refunds"]] == ["succeeded"]

    await until(certain)
    after = town.bank.control.cash()
    assert after["charge"] - before.get("charge", 0) == 2_000
    assert after["refund"] - before.get("refund", 0) == -1_700
    assert await town.balance(customer) == 0
    assert (await town.ask(customer, "POST", "portal", {}))["portal_url"].startswith(town.bank.url)


async def test_a_saved_card_is_charged_once_when_the_balance_falls(town: Town) -> None:
    customer = await town.house.customer(usd=0)
    await town.buy(customer, "4242424242424242", amount_usd="20", save_card=True)
    assert (await town.ask(customer, "GET", "card"))["last_four"] == "4242"
    await town.ask(customer, "PUT", "top-up", RULE)
    before = town.bank.control.cash()["charge"]
    await town.spend(customer, 15 * USD)

    async def topped_up() -> bool:
        return await town.balance(customer) == 30 * USD

    await until(topped_up)
    await asyncio.sleep(0.5)
    assert town.bank.control.cash()["charge"] - before == 2_500
    await town.ask(customer, "DELETE", "card")


@pytest.mark.parametrize(("card", "why"), [(DECLINES_LATER, "declin"), (ASKS_ALWAYS, "confirm")])
async def test_a_bank_that_says_no_is_told_and_nothing_is_charged(town: Town, card: str, why: str) -> None:
    customer = await town.house.customer(usd=0)
    await town.buy(customer, card, save_card=True)
    before = town.bank.control.cash().get("charge", 0)
    await town.ask(customer, "PUT", "top-up", RULE)

    async def failed() -> bool:
        return bool((await town.ask(customer, "GET", "top-up"))["failures_in_a_row"])

    await until(failed)
    standing = await town.ask(customer, "GET", "top-up")
    assert (standing["failures_in_a_row"], standing["charged_this_month_usd"]) == (1, "0.00")
    assert why in standing["last_failure"]
    assert town.bank.control.cash().get("charge", 0) == before
    [tried] = [
        each
        for each in town.bank.control.find("payment_intent")
        if each["metadata"].get("account_id") == customer.account_id
    ]
    assert tried["status"] == ("canceled" if card == ASKS_ALWAYS else "requires_payment_method")
    await town.ask(customer, "DELETE", "top-up")
