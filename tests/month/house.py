"""A gateway with simulated providers and a strict simulated Stripe, all in this process and at the calendar's time."""

import asyncio
import contextlib
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from monkey_coder_server.adapters.payments import StripeOptions
from monkey_coder_server.adapters.prices.genai import load_price_book
from monkey_coder_server.adapters.storage import following
from monkey_coder_server.bootstrap import buying, payments, plans, prices, reports, sweeper
from monkey_coder_server.bootstrap.buying import buying_of
from monkey_coder_server.bootstrap.gateway import Gateway, open_gateway, open_prices
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.features.billing.buying.dependencies import Dependencies
from monkey_coder_server.features.billing.payments import working_off
from monkey_coder_server.sandbox.stripe.account import Account
from monkey_coder_server.sandbox.stripe.control import Control
from monkey_coder_server.sandbox.stripe.server import RunningStripe
from monkey_coder_server.settings import load
from packages.server.tests.payments.till import relay
from packages.server.tests.simulated_stripe import strict_stripe
from tests.month.calendar import Calendar, in_force, move

KEY, SECRET = "rk_test_month", "whsec_month0123456789abcdef"
PRICES = {
    "openai/gpt-4.1-nano": {"input": "333.333333333", "output": "2777.777777777"},
    "anthropic/claude-haiku-4-5": {"input": "500.000000001", "output": "3141.592653589"},
    "groq/llama-3.3-70b-versatile": {"input": "250", "output": "1999.999999999"},
}
"""USD per million tokens: a request costs some cents, and never a whole number of them."""
USUAL = 1_000
OFTEN = 0.2
"""Seconds between two rounds of whatever a gateway does by itself: its days are short here."""
UNFINISHED = ("monkey_coder_held_requests", "monkey_coder_unshipped_endings")
PATIENT = 2.0
"""Seconds a gateway waits for an answer of Stripe."""
PATIENCE = 600


@dataclass
class House:
    """The gateway, a way to talk to it, the far end, and the time."""

    gateway: Gateway
    client: httpx2.AsyncClient
    stripe: RunningStripe
    calendar: Calendar
    lost: list[str] = field(default_factory=list)
    """Events nobody was told of."""

    @property
    def bank(self) -> Control:
        return self.stripe.control

    @contextlib.contextmanager
    def dashboard(self) -> Iterator[Account]:
        """What people do at Stripe's own pages, they do to its objects."""
        account = self.stripe.simulator.account
        with account.mode_of(False):
            yield account

    @property
    def operators(self) -> Dependencies:
        """What operators' commands about payments stand on."""
        return buying_of(self.gateway.books, None)

    def read(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the books, as they are."""
        address = self.gateway.books.settings.database_url.reveal()
        if not address.startswith("sqlite"):
            with psycopg.connect(address) as connection:
                return connection.execute(query.encode()).fetchall()
        path = address.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as books:
            return books.execute(query).fetchall()

    def prices(self) -> PriceList:
        """What is charged now."""
        return open_prices(self.gateway.books)()

    def now(self) -> datetime:
        return self.calendar.now()

    def move(self, until: datetime) -> None:
        """Let time pass."""
        move(self.calendar, self.stripe.simulator.account, until)

    async def settle(self, *, mixed: bool = False, everything: bool = False) -> None:
        """Deliver what webhooks are due, until whatever came is handled and nothing more comes of it."""
        kinds: Counter[tuple[str, int]] = Counter()
        for _ in range(PATIENCE):
            sent = await self.bank.deliver(mixed=mixed, everything=everything)
            if await self._quiet() and not sent:
                return
            kinds.update((each.kind, each.status) for each in sent)
            await asyncio.sleep(OFTEN / 2)
        state = await self.gateway.books.storage.payment_inbox.state()
        raise AssertionError(state, dict(kinds), {name: self.figure(name) for name in UNFINISHED})

    async def _quiet(self) -> bool:
        state = await self.gateway.books.storage.payment_inbox.state()
        return state.waiting == state.failing and not any(map(self.figure, UNFINISHED))

    def figure(self, name: str) -> float:
        """One of the gateway's own metrics, all its labels together."""
        lines = self.gateway.metrics.text().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(rf"{name}[ {{]", line))

    async def ask(self, key: str, method: str, path: str, body: Any = None) -> httpx2.Response:
        """Call the gateway with a key."""
        sent = {} if body is None else {"json": body}
        return await self.client.request(method, path, headers={"authorization": f"Bearer {key}"}, **sent)


@contextlib.asynccontextmanager
async def open_house(folder: Path, database: str = "", *, seed: int = 0, usual: float = USUAL) -> AsyncIterator[House]:
    """Everything running; webhooks wait until they are delivered. `database`: a DATABASE_URL, else SQLite in there.

    `usual`: how many requests a customer asks; the fewer, the more each costs.
    """
    calendar = Calendar()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(in_force(calendar))
        stack.enter_context(_hurried(USUAL / usual))
        far = await stack.enter_async_context(strict_stripe(automatic=False, wall=calendar.time, seed=seed))
        given = {
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_BASE": far.url,
            "TRIAL_CREDIT_USD": "0",
            "DATA_DIR": str(folder),
            "LOG_LEVEL": "error",
            **({"DATABASE_URL": database} if database else {}),
        }
        gateway = await stack.enter_async_context(open_gateway(load(given, folder=folder), sandbox=True))
        transport = httpx2.ASGITransport(app=gateway.application)
        client = await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url="http://gateway"))
        far.control.add_endpoint(await stack.enter_async_context(relay([client])), [SECRET])
        yield House(gateway, client, far, calendar)


@contextlib.contextmanager
def _hurried(dearer: float) -> Iterator[None]:
    """Whatever a gateway does by itself from time to time it does often, and its prices are those of the month."""
    raised = {
        model: {kind: f"{Decimal(price) * Decimal(dearer):.9f}" for kind, price in each.items()}
        for model, each in PRICES.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(payments, "StripeOptions", partial(StripeOptions, seconds=(5.0, PATIENT)))
        patch.setattr(prices, "load_price_book", partial(load_price_book, overrides=raised))
        for module, name in (
            (buying, "ROUND_SECONDS"),
            (plans, "ROUND_SECONDS"),
            (payments, "DAILY_SECONDS"),
            (reports, "SECONDS"),
            (sweeper, "SWEEP_SECONDS"),
            (following, "REFRESH_SECONDS"),
            (working_off, "POLL_SECONDS"),
        ):
            patch.setattr(module, name, OFTEN)
        yield
