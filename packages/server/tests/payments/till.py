"""A gateway that takes payments from a simulated Stripe, which sends its webhooks here."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import stripe
from aiohttp import web

from monkey_coder_server.adapters.payments import StripeGate
from monkey_coder_server.bootstrap.gateway import Gateway, open_gateway
from monkey_coder_server.bootstrap.payments import PaymentSide, open_payments
from monkey_coder_server.domain.payments import Purpose
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.ports.payments import CheckoutWish, NewCustomer, OffSessionCharge
from monkey_coder_server.sandbox.stripe.control import Control
from monkey_coder_server.sandbox.stripe.server import RunningStripe
from monkey_coder_server.settings import load
from packages.server.tests.simulated_stripe import strict_stripe

KEY, SECRET, OLD_SECRET = "rk_test_canary", "whsec_canary0123456789", "whsec_canary-old-0123456789"
CENT = 10_000_000


@dataclass
class Till:
    """The gateway, its own gate beside, an account that buys, and the far end."""

    gateway: Gateway
    client: httpx2.AsyncClient
    stripe: RunningStripe
    side: PaymentSide
    account_id: str
    webhooks: str
    customer_id: str = ""

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
            reference=f"buy_{cents}",
            **changes,
        )
        return (await self.gate.checkout(wish, key=f"{self.account_id}:buy_{cents}")).page_id

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

    async def post(self, body: bytes, signature: str) -> httpx2.Response:
        return await self.client.post("/v1/billing/webhook", content=body, headers={"stripe-signature": signature})

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Read the database as it is."""
        import sqlite3

        path = self.gateway.books.settings.data_dir / "monkey-coder.db"
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return connection.execute(sql).fetchall()


@contextlib.asynccontextmanager
async def open_till(folder: Path, **settings: str) -> AsyncIterator[Till]:
    """Everything running; webhooks wait until they are delivered."""
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(strict_stripe(automatic=False))
        given = {"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": f"{SECRET},{OLD_SECRET}", **settings}
        read = load({**given, "STRIPE_API_BASE": running.url, "TRIAL_CREDIT_USD": "0"}, folder=folder)
        gateway = await stack.enter_async_context(open_gateway(read))
        transport = httpx2.ASGITransport(app=gateway.application)
        client = await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url="http://gateway"))
        side = await stack.enter_async_context(open_payments(gateway.books))
        assert side is not None
        made = await operator.create_user(
            gateway.books.accounts, email="buyer@example.com", password=None, credit=0, plan=None
        )
        url = await stack.enter_async_context(_relay(client))
        running.control.add_endpoint(url, [SECRET])
        yield Till(gateway, client, running, side, made.user.account_id, url)


@contextlib.asynccontextmanager
async def _relay(client: httpx2.AsyncClient) -> AsyncIterator[str]:
    """An address whose webhooks go to the gateway's application."""

    async def take(request: web.Request) -> web.Response:
        signature = request.headers["Stripe-Signature"]
        answer = await client.post(
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
