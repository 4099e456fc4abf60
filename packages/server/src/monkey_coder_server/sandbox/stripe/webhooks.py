"""Signed webhooks: at least once, repeated until a 2xx; a script loses, repeats, delays and mixes them."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp

from monkey_coder_server.sandbox.stripe.account import Account, Object

FIRST_RETRY, TRIES = 2, 12
"""Seconds until the second try, doubled with each; real ones go on for three days."""
TIMEOUT = aiohttp.ClientTimeout(total=20)


@dataclass(slots=True)
class Endpoint:
    """Where events go. While a secret is changed both sign."""

    url: str
    secrets: Sequence[str]


@dataclass(slots=True, eq=False)
class Delivery:
    """One event on its way to one endpoint. `shift` moves the signature's timestamp."""

    event: Object
    endpoint: Endpoint
    due: int
    tries: int = 0
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """One try: the event's id and type, and the status it met (0: no answer)."""

    event_id: str
    kind: str
    status: int


@dataclass(slots=True)
class Script:
    """What happens to events from now on: `lose` the next so many, send `copies` of each, `delay` seconds late."""

    lose: int = 0
    copies: int = 1
    delay: int = 0
    lost: list[str] = field(default_factory=list)


def signature(secrets: Sequence[str], timestamp: int, body: bytes) -> str:
    """The header `Stripe-Signature`."""
    signed = f"{timestamp}.".encode() + body
    sums = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={value}" for value in sums)])


class Webhooks:
    """Deliveries that wait, and the task that makes them while `automatic` is set."""

    def __init__(self, account: Account, *, automatic: bool = True, seed: int = 0) -> None:
        self.endpoints: list[Endpoint] = []
        self.script = Script()
        self.automatic = automatic
        self.waiting: list[Delivery] = []
        self.sent: list[Sent] = []
        self._account = account
        self._random = random.Random(seed)
        self._wake = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None
        account.listeners.append(self.enqueue)

    def enqueue(self, event: Object) -> None:
        """Put an event on its way to every endpoint, as the script says."""
        event["pending_webhooks"] = len(self.endpoints)
        if self.script.lose:
            self.script.lose -= 1
            self.script.lost.append(event["id"])
            return
        for endpoint in self.endpoints:
            self.push([Delivery(event, endpoint, self._account.now() + self.script.delay)] * self.script.copies)

    def push(self, deliveries: Sequence[Delivery]) -> None:
        """Put deliveries behind those that wait."""
        self.waiting += [Delivery(one.event, one.endpoint, one.due, one.tries, one.shift) for one in deliveries]
        self.wake()

    def wake(self) -> None:
        """Look again at what is due: time may have been moved."""
        self._wake.set()

    async def deliver(self, *, mixed: bool = False, everything: bool = False) -> list[Sent]:
        """Send what is due (or everything) one after another, mixed or in order; what each met."""
        now = self._account.now()
        due = [one for one in self.waiting if everything or one.due <= now]
        chosen = set(due)
        self.waiting = [one for one in self.waiting if one not in chosen]
        due.sort(key=lambda one: one.due)
        if mixed:
            self._random.shuffle(due)
        return [await self._send(one) for one in due]

    async def run(self) -> None:
        """Deliver what falls due until cancelled."""
        while True:
            self._account.settle()
            if self.automatic:
                await self.deliver()
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await self._wake.wait()

    async def close(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()

    async def _send(self, delivery: Delivery) -> Sent:
        body = json.dumps(delivery.event, indent=2).encode()
        stamp = int(self._account.wall()) + delivery.shift
        status = await self._post(delivery.endpoint, body, stamp)
        delivery.tries += 1
        if 200 <= status < 300:
            delivery.event["pending_webhooks"] = max(0, delivery.event["pending_webhooks"] - 1)
        elif delivery.tries < TRIES:
            delivery.due = self._account.now() + FIRST_RETRY * 2 ** (delivery.tries - 1)
            self.waiting.append(delivery)
        sent = Sent(delivery.event["id"], delivery.event["type"], status)
        self.sent.append(sent)
        return sent

    async def _post(self, endpoint: Endpoint, body: bytes, stamp: int) -> int:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(endpoint.secrets, stamp, body),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            async with self._session.post(endpoint.url, data=body, headers=headers) as reply:
                await reply.read()
                return reply.status
        except (aiohttp.ClientError, TimeoutError):
            return 0
