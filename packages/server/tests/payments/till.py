"""Gateways that take payments from a simulated Stripe, which sends its webhooks to one after the other."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, cycle
from pathlib import Path
from typing import Any

import httpx2
import stripe
from aiohttp import web
from sqlalchemy import text

from monkey_coder_server.adapters.payments import StripeGate
from monkey_coder_server.adapters.storage.transaction import Query
from monkey_coder_server.bootstrap.gateway import Gateway, open_gateway
from monkey_coder_server.bootstrap.payments import PaymentSide, open_payments
from monkey_coder_server.domain.payments import Purpose
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.ports.payment_books import Standing
from monkey_coder_server.ports.payments import CheckoutWish, NewCustomer, OffSessionCharge
from monkey_coder_server.sandbox.stripe.control import Control
from monkey_coder_server.sandbox.stripe.server import RunningStripe
from monkey_coder_server.settings import load
from packages.server.tests.contract.booking import hold_request, settle
from packages.server.tests.simulated_stripe import strict_stripe

KEY, SECRET, OLD_SECRET = "rk_test_canary", "whsec_canary0123456789", "whsec_canary-old-0123456789"
PEPPER = "Zb4TqW9xN2mV7kL5pR1sD8fG3hJ6cA0yEu-iO_kP"
CENT = 10_000_000
_numbers = count(1)


@dataclass
class Till:
    """The gateways on one database, the first one's own gate beside, an account that buys, and the far end."""

    gateways: Sequence[Gateway]
    clients: Sequence[httpx2.AsyncClient]
    stripe: RunningStripe
    side: PaymentSide
    account_id: str
    api_key: str
    customer_id: str = ""

    @property
    def gateway(self) -> Gateway:
        return self.gateways[0]

    @property
    def client(self) -> httpx2.AsyncClient:
        return self.clients[0]

    @property
    def control(self) -> Control:
        return self.stripe.control

    @property
    def gate(self) -> StripeGate:
        return self.side.gate

    @property
    def sdk(self) -> stripe.StripeClient:
        """Somebody else with the same Stripe account."""
        return stripe.StripeClient(KEY, base_addresses={"api": self.stripe.url})

    async def balance(self) -> int:
        """In cents."""
        wallet = await self.gateway.books.storage.ledger.wallet(self.account_id)
        return wallet.balance // CENT

    async def standing(self) -> Standing:
        return await self.gateway.books.storage.payments.standing(self.account_id)

    async def spend(self, cents: int) -> None:
        """As a request does."""
        now, books = self.gateway.books.clock.now(), self.gateway.books.storage.books
        asked = hold_request(cents * CENT, account_id=self.account_id, at=now, expires_at=now + timedelta(minutes=5))
        await books.place(asked)
        await settle(books, asked, cents * CENT)

    async def ask(self, method: str, name: str, body: Any = None) -> httpx2.Response:
        """A request about billing by the account's key."""
        sent = {} if body is None else {"json": body}
        headers = {"x-api-key": self.api_key}
        return await self.client.request(method, f"/v1/billing/{name}", headers=headers, **sent)

    async def refused(self) -> str:
        """Why the account's key gets no answer, as the code says; empty when it gets one."""
        task = {"task_type": "custom", "model": "openai/gpt-4.1-mini", "prompt": "hello", "context": {"max_tokens": 9}}
        answer = await self.client.post("/v1/execute", json=task, headers={"x-api-key": self.api_key})
        return "" if answer.status_code == 200 else str(answer.json()["error_code"])

    async def meet(self) -> str:
        """The account's customer."""
        if not self.customer_id:
            new = NewCustomer(self.account_id, "buyer@example.com", "Buyer")
            made = await self.gate.create_customer(new, key=f"{self.account_id}:customer")
            self.customer_id = await self.gateway.books.storage.payments.keep_customer(self.account_id, made)
        return self.customer_id

    async def session(self, cents: int = 2_500, **changes: Any) -> str:
        """A page to pay on; its id."""
        wish = CheckoutWish(
            customer_id=await self.meet(),
            account_id=self.account_id,
            purpose=Purpose.CREDIT,
            cents=cents,
            description="Credit",
            success_url="https://gateway.example/ok",
            cancel_url="https://gateway.example/no",
            save_card=True,
            reference=(reference := f"buy_{next(_numbers)}"),
            **changes,
        )
        return (await self.gate.checkout(wish, key=f"{self.account_id}:{reference}")).page_id

    async def buy(self, cents: int = 2_500) -> str:
        """Pay on a page; the payment's id."""
        return str(self.control.pay(await self.session(cents))["payment_intent"])

    async def charge_of(self, reference: str, cents: int = 2_000) -> OffSessionCharge:
        """A charge on the card that was saved."""
        customer = await self.gate.customer(await self.meet())
        assert customer is not None
        assert customer.card is not None
        return OffSessionCharge(
            customer.customer_id, self.account_id, customer.card.method_id, Purpose.TOP_UP, cents, "Top-up", reference
        )

    async def settled(self) -> None:
        """Deliver every webhook that is due, and wait until all that came is handled."""
        await self.control.deliver(everything=True)
        for _ in range(1_000):
            state = await self.gateway.books.storage.payment_inbox.state()
            if state.waiting == state.failing:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(state)

    async def told(self, metric: str) -> None:
        """Wait until a metric is above zero."""
        for _ in range(500):
            samples = self.gateway.metrics.text().decode().splitlines()
            [value] = [float(line.split()[1]) for line in samples if line.startswith(f"{metric} ")]
            if value:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(metric)

    async def post(self, body: bytes, signature: str) -> httpx2.Response:
        return await self.client.post("/v1/billing/webhook", content=body, headers={"stripe-signature": signature})

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Read the database as it is."""
        storage = self.gateway.books.storage
        return await storage.readers.read(lambda reading: [tuple(row) for row in reading.rows(Query(text(sql)), {})])

    async def notes(self, kind: str) -> list[str]:
        """What came of the events of a type, in the order of the alphabet."""
        return sorted(note for (note,) in await self.rows(f"SELECT note FROM stripe_events WHERE kind = '{kind}'"))  # noqa: S608 - our own words


@contextlib.asynccontextmanager
async def open_till(folder: Path, database: str, *, gateways: int = 1) -> AsyncIterator[Till]:
    """Everything running; webhooks wait until they are delivered."""
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(strict_stripe(automatic=False))
        given = {
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_WEBHOOK_SECRET": f"{SECRET},{OLD_SECRET}",
            "STRIPE_API_BASE": running.url,
            "TRIAL_CREDIT_USD": "0",
            "DATABASE_URL": database,
            "KEY_PEPPER": PEPPER,
        }
        opened = []
        for _ in range(gateways):
            gateway = open_gateway(load(given, folder=folder), sandbox=True)
            opened.append(await stack.enter_async_context(gateway))
        clients = [await stack.enter_async_context(_client(each)) for each in opened]
        books = opened[0].books
        side = await stack.enter_async_context(open_payments(books))
        assert side is not None
        made = await operator.create_user(books.accounts, email="buyer@example.com", password=None, credit=0, plan=None)
        running.control.add_endpoint(await stack.enter_async_context(relay(clients)), [SECRET])
        yield Till(opened, clients, running, side, made.user.account_id, made.api_key)


def _client(gateway: Gateway) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=gateway.application), base_url="http://gateway")


@contextlib.asynccontextmanager
async def relay(clients: Sequence[httpx2.AsyncClient]) -> AsyncIterator[str]:
    """An address whose webhooks go to the gateways' applications, to one after the other."""
    turn = cycle(clients)

    async def take(request: web.Request) -> web.Response:
        signature = request.headers["Stripe-Signature"]
        answer = await next(turn).post(
            "/v1/billing/webhook", content=await request.read(), headers={"stripe-signature": signature}
        )
        return web.Response(status=answer.status_code)

    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_post("/webhook", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/webhook"
    finally:
        await runner.cleanup()
