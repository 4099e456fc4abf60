"""A gateway whose payments go to a bank in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from monkey_coder_server.ports.payments import CheckoutWish
from packages.server.tests.conftest import Customer, House
from packages.server.tests.features.billing.buying.bank import Bank


@dataclass(slots=True)
class Shop:
    """The house with its bank; `late` is how far its clock is ahead, `letters` what was written to whom."""

    house: House
    bank: Bank
    use: Any
    letters: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def client(self) -> httpx2.AsyncClient:
        return self.house.client

    async def ask(
        self, customer: Customer, method: str, name: str, body: Any = None, **headers: str
    ) -> httpx2.Response:
        """A request about billing by a customer's key."""
        sent = {**customer.headers, **{each.replace("_", "-"): value for each, value in headers.items()}}
        more = {} if body is None else {"json": body}
        return await self.client.request(method, f"/v1/billing/{name}", headers=sent, **more)

    async def bought(self, *, usd: int = 20, save_card: bool = False) -> Customer:
        """A customer who has nothing but what they bought."""
        customer = await self.house.customer(usd=0)
        await self.buy(customer, usd=usd, save_card=save_card)
        return customer

    async def buy(self, customer: Customer, *, usd: int, save_card: bool = False) -> CheckoutWish:
        """Buy and pay, told by a webhook."""
        body = {"amount_usd": usd, "save_card": save_card}
        answer = await self.ask(customer, "POST", "checkout", body)
        assert answer.status_code == 200, answer.text
        wish = self.bank.pages[-1]
        await self.use.books.book(self.bank.pay(wish))
        return wish

    async def trail(self, customer: Customer) -> list[dict[str, str]]:
        """What the audit trail tells of an account, newest first."""
        answer = await self.client.get("/v1/audit", headers=customer.headers)
        assert answer.status_code == 200, answer.text
        entries: list[dict[str, str]] = answer.json()["entries"]
        return entries

    async def balance(self, customer: Customer) -> int:
        """In nano-dollars."""
        wallet = await self.use.ledger.wallet(customer.account_id)
        balance: int = wallet.balance
        return balance

    async def spend(self, customer: Customer, nano: int) -> None:
        """As a request does."""
        from packages.server.tests.contract.booking import hold_request, settle

        now, storage = self.use.clock.now(), self.house.gateway.books.storage
        asked = hold_request(nano, account_id=customer.account_id, at=now, expires_at=now + timedelta(minutes=5))
        await storage.books.place(asked)
        await settle(storage.books, asked, nano)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(house: House) -> AsyncIterator[Shop]:
    from dataclasses import replace

    from monkey_coder_server.app import Application
    from monkey_coder_server.bootstrap.buying import buying_of
    from monkey_coder_server.features import accounts, audit
    from monkey_coder_server.features.billing import buying
    from monkey_coder_server.web.feature import Feature

    bank, letters = Bank(), list[tuple[str, Any]]()
    composed = buying_of(house.gateway.books, bank.gate)
    use = replace(
        composed, post=lambda address, notice: letters.append((address, notice)), pays_at="https://pay.example"
    )
    served = house.gateway.application
    books = house.gateway.books
    features = (
        accounts.build(books.accounts),
        audit.build(books.storage.audit, books.clock),
        Feature("buying", buying.routes(use)),
    )
    application = Application(features, served.services, options=served.options, drain=served.drain)
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield Shop(House(house.gateway, client), bank, use, letters)


@pytest.fixture(autouse=True)
def calm(shop: Shop) -> None:
    """Each test finds the bank in order."""
    shop.bank.outcomes.clear()
    shop.bank.lost, shop.bank.away, shop.bank.refuses_refunds = 0, False, False
    shop.bank.lost_of.clear()
    shop.bank.confirms = False
    shop.letters.clear()
