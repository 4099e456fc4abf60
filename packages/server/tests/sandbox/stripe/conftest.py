"""A simulator of Stripe and the official SDK pointed at it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
import stripe

from monkey_coder_server.sandbox.stripe.control import Control
from monkey_coder_server.sandbox.stripe.server import RunningStripe
from packages.server.tests.simulated_stripe import strict_stripe

KEY = "sk_test_made_up"
CREDIT = {
    "quantity": 1,
    "price_data": {"currency": "usd", "unit_amount": 2_500, "product_data": {"name": "Credit"}},
}
PLAN = {
    "quantity": 1,
    "price_data": {
        "currency": "usd",
        "unit_amount": 2_000,
        "recurring": {"interval": "month"},
        "product_data": {"name": "Plan"},
    },
}


@dataclass
class Seller:
    """Somebody who sells by the SDK, and the simulator's control."""

    running: RunningStripe
    client: stripe.StripeClient

    @property
    def control(self) -> Control:
        return self.running.control

    @property
    def told(self) -> list[str]:
        """Types of all events, oldest first."""
        return [event["type"] for event in self.control.find("event")]

    async def call(self, method: Any, *given: Any) -> Any:
        """A method of the SDK, in a thread: it waits for the answer."""
        return await asyncio.to_thread(method, *given)

    async def customer(self, **fields: Any) -> Any:
        return await self.call(self.client.v1.customers.create, {"email": "ada@example.com", **fields})

    async def session(self, mode: str = "payment", **fields: Any) -> Any:
        """A page to pay on: 25 dollars of credit, or a plan of 20 a month."""
        lines = {"payment": [CREDIT], "subscription": [PLAN]}.get(mode)
        wish = {
            "mode": mode,
            "success_url": "http://127.0.0.1:9/done?session={CHECKOUT_SESSION_ID}",
            **({"line_items": lines} if lines else {}),
            **fields,
        }
        return await self.call(self.client.v1.checkout.sessions.create, wish)

    async def paid(self, card: str = "4242424242424242", **fields: Any) -> Any:
        """The intent of a paid page."""
        session = await self.session(**fields)
        intent = self.control.pay(session.id, card)["payment_intent"]
        return await self.call(self.client.v1.payment_intents.retrieve, intent)


def client_of(running: RunningStripe, key: str = KEY, **more: Any) -> stripe.StripeClient:
    return stripe.StripeClient(key, base_addresses={"api": running.url}, **more)


@pytest_asyncio.fixture
async def seller() -> AsyncIterator[Seller]:
    """Webhooks go out when the test says so."""
    async with strict_stripe(automatic=False) as running:
        yield Seller(running, client_of(running))
