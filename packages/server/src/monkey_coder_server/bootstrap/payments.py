"""Payments composed: the processor's gate, its webhooks, the inbox and who works it off, the daily comparison."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.adapters.payments import SignedEvents, StripeGate, StripeOptions
from monkey_coder_server.adapters.payments.client import Sdk
from monkey_coder_server.bootstrap.books import Books, open_books
from monkey_coder_server.bootstrap.plans import plans_of
from monkey_coder_server.domain.errors import InvalidRequest, RequestInProgress, Unavailable
from monkey_coder_server.domain.money import usd
from monkey_coder_server.features.billing import payments, plans
from monkey_coder_server.ports.ledger import IdempotencyKey
from monkey_coder_server.settings import PaymentSettings, Settings

logger = logging.getLogger(__name__)
CLOCKS_DIFFER = timedelta(minutes=5)
LOOKED_BACK = timedelta(days=7)
"""What the daily comparison looks at: a webhook is tried for three days."""
DAILY_SECONDS = 600.0
"""How often it is looked whether the day's comparison is made."""
NO_ACCOUNT = ""
COMPARED_REPLY = b"compared"
SHOWN = 200


@dataclass(frozen=True, slots=True)
class PaymentSide:
    """All there is where payments are taken."""

    gate: StripeGate
    notices: SignedEvents
    events: payments.PaymentEvents
    books: Books
    live: bool

    async def reconcile(self, back: timedelta) -> payments.PaymentReconciliation:
        """Compare the payments of a time until now with the books, and book what is missing. Raises `Unavailable`."""
        now, storage = self.books.clock.now(), self.books.storage
        return await payments.reconcile(
            self.gate,
            self.events,
            storage.payment_cash.of,
            start=now - back,
            end=now + CLOCKS_DIFFER,
            unfinished=storage.unfinished,
        )


@contextlib.asynccontextmanager
async def open_payments(books: Books) -> AsyncIterator[PaymentSide | None]:
    """The payment processor's side, until the end of the block; None where no key is set."""
    settings = books.settings.payments
    if settings is None:
        yield None
        return
    sdk = Sdk(StripeOptions(settings.secret_key.reveal(), settings.api_base))
    try:
        yield _side(settings, sdk, books)
    finally:
        sdk.close()


def _side(settings: PaymentSettings, sdk: Sdk, books: Books) -> PaymentSide:
    gate = StripeGate(sdk, books.clock)
    notices = SignedEvents(sdk, [each.reveal() for each in settings.webhook_secrets], books.clock)
    storage = books.storage
    sights = plans.Sights(plans_of(books), gate)
    handling = payments.PaymentHandling(gate, storage.payments, storage.audit, books.clock, sights)
    return PaymentSide(gate, notices, payments.PaymentEvents(handling), books, settings.live)


@dataclass(frozen=True, slots=True)
class RunningPayments:
    """What features of a running gateway need of it."""

    side: PaymentSide
    webhook: payments.WebhookParts


@contextlib.asynccontextmanager
async def run_payments(books: Books, metrics: Metrics) -> AsyncIterator[RunningPayments | None]:
    """The same with the inbox being worked off, and a comparison each day; None where no key is set."""
    async with open_payments(books) as side:
        if side is None:
            yield None
            return
        inbox, clock = books.storage.payment_inbox, books.clock
        worker = payments.InboxWorker(inbox, side.events.handlers(), clock=clock, telemetry=metrics)
        _track(worker, metrics)
        tasks = [asyncio.create_task(worker.run()), asyncio.create_task(compare_daily(side, metrics))]
        try:
            yield RunningPayments(side, payments.WebhookParts(side.notices, inbox, clock, side.live, worker.wake))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _track(worker: payments.InboxWorker, metrics: Metrics) -> None:
    waiting, failing = "Events of the payment processor nobody handled.", "Those of them that were tried in vain."
    metrics.track("monkey_coder_payment_events_waiting", waiting, lambda: float(worker.state.waiting))
    metrics.track("monkey_coder_payment_events_failing", failing, lambda: float(worker.state.failing))


async def compare_daily(side: PaymentSide, metrics: Metrics) -> None:
    """Once a day, by one of all gateways on the same books; until it is cancelled."""
    differences = [0]
    help_text = "Payments whose money the books do not hold as the processor says, at the last comparison here."
    metrics.track("monkey_coder_payment_differences", help_text, lambda: float(differences[0]))
    while True:
        try:
            found = await _compare_today(side)
            if found is not None:
                differences[0] = len(found.differences)
        except Unavailable as away:
            logger.info("payments are compared later: %s", away.message)
        except Exception as error:  # noqa: BLE001 - a loop's boundary: counted, logged, tried again
            metrics.defect("payment comparison", error)
        await asyncio.sleep(DAILY_SECONDS)


async def _compare_today(side: PaymentSide) -> payments.PaymentReconciliation | None:
    """The day's comparison; None when it is made already, or another gateway is at it."""
    replies, now = side.books.storage.replies, side.books.clock.now()
    name = f"payments:{now.date()}"
    try:
        if await replies.claim(NO_ACCOUNT, IdempotencyKey(name, sha256(name.encode()).digest()), now) is not None:
            return None
    except RequestInProgress:
        return None
    try:
        found = await side.reconcile(LOOKED_BACK)
    except BaseException:
        await replies.release(NO_ACCOUNT, name)
        raise
    await replies.keep(NO_ACCOUNT, name, COMPARED_REPLY)
    logger.log(
        logging.INFO if found.sound else logging.ERROR,
        "payments of %d days compared with the books: %d payments, %d booked now, %d differ, %s USD unexplained",
        LOOKED_BACK.days,
        found.looked_at,
        found.repaired,
        len(found.differences),
        usd(found.processor - found.books),
    )
    return found


async def reconcile(settings: Settings, days: int) -> dict[str, Any]:
    """`admin reconcile-payments`: its result as a document. Raises `GatewayError`."""
    async with open_books(settings) as books, open_payments(books) as side:
        if side is None:
            raise InvalidRequest("STRIPE_SECRET_KEY is not set, so there are no payments to compare with.")
        found = await side.reconcile(timedelta(days=days))
        await books.note("payments.reconcile", f"{days} days", f"{found.repaired} booked")
    return found.document()


async def waiting_events(settings: Settings) -> list[str]:
    """`admin payment-events`: those that were tried in vain, a line each."""
    async with open_books(settings) as books:
        waiting = await books.storage.payment_inbox.waiting(SHOWN)
    return [
        f"{each.received_at:%Y-%m-%d %H:%M}  {each.event_id:32} {each.kind:40} {each.attempts:4} tries  {each.note}"
        for each in waiting
    ] or ["no event waits"]
