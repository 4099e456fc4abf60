"""A Stripe simulator that holds every call against the SDK's own types, and a webhook's far end."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from monkey_coder_server.sandbox.stripe.control import Control
from monkey_coder_server.sandbox.stripe.server import RunningStripe, start
from packages.server.tests.stripe_types import Validators

SECRET = "whsec_made_up"


@contextlib.asynccontextmanager
async def strict_stripe(**options: Any) -> AsyncIterator[RunningStripe]:
    """A simulator until the block ends; then every route that was called must have had its types checked."""
    validators = Validators()
    running = await start(validators=validators, **options)
    try:
        yield running
    finally:
        await running.close()
    unchecked = running.simulator.called - set(validators)
    assert not unchecked, f"called without a validator: {sorted(unchecked)}"


@dataclass
class Inbox:
    """Where webhooks arrive: `answers` are the next statuses, then 200."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.signatures.append(request.headers["Stripe-Signature"])
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@contextlib.asynccontextmanager
async def inbox_of(control: Control, *secrets: str) -> AsyncIterator[Inbox]:
    """An address that takes the simulator's webhooks until the block ends."""
    inbox, app = Inbox(), web.Application()
    app.router.add_post("/webhook", inbox.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    inbox.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhook"
    control.add_endpoint(inbox.url, list(secrets) or [SECRET])
    try:
        yield inbox
    finally:
        await runner.cleanup()
