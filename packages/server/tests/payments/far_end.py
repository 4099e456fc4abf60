"""A simulated Stripe in a thread of its own, for tests whose code runs loops of its own."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import stripe

from monkey_coder_server.sandbox.stripe.server import RunningStripe
from packages.server.tests.simulated_stripe import strict_stripe

T = TypeVar("T")


@dataclass
class FarEnd:
    """The simulator and the loop it runs in."""

    stripe: RunningStripe
    loop: asyncio.AbstractEventLoop

    @classmethod
    @contextlib.contextmanager
    def running(cls) -> Iterator["FarEnd"]:
        """Until the block ends."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="simulated stripe")
        thread.start()
        stack = contextlib.AsyncExitStack()
        try:
            opened = _in(loop, stack.enter_async_context(strict_stripe(automatic=False)))
            yield cls(opened, loop)
            _in(loop, stack.aclose())
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    @property
    def url(self) -> str:
        return self.stripe.url

    def pays(self, account_id: str, cents: int) -> str:
        """Somebody pays on a page, for an account or for nobody; the payment's id."""
        line: Any = {
            "quantity": 1,
            "price_data": {"currency": "usd", "unit_amount": cents, "product_data": {"name": "Credit"}},
        }
        written = {"account_id": account_id, "purpose": "credit"} if account_id else {}
        client = stripe.StripeClient("rk_test_canary", base_addresses={"api": self.url})
        page = client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "success_url": "https://gateway.example/ok",
                "line_items": [line],
                "payment_intent_data": {"metadata": written},
            }
        )

        async def pay() -> str:
            return str(self.stripe.control.pay(page.id)["payment_intent"])

        return _in(self.loop, pay())


def _in(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result(60)
