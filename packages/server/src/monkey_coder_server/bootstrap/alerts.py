"""Alerts composed: whose mail they are, which way they leave, and who looks for them and sends them."""

import asyncio
import contextlib
import logging
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from monkey_coder_server.adapters.mail.delivery import Delivery, Undeliverable
from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.adapters.sealing.aes import AesSealing
from monkey_coder_server.bootstrap.books import Books, peppers_of
from monkey_coder_server.bootstrap.buying import payers_of
from monkey_coder_server.bootstrap.mail import delivery_of
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.features.accounts.letters import Letter, Link
from monkey_coder_server.features.billing import alerting
from monkey_coder_server.ports.limiter import Limiter
from monkey_coder_server.ports.webhooks import Posting, Undelivered

if TYPE_CHECKING:
    from monkey_coder_server.adapters.webhooks import WebhookPosting

logger = logging.getLogger(__name__)
ROUND_SECONDS = 3.0
"""How long is waited where a round found less than it could have taken."""
_chance = random.SystemRandom()


class LatePosting:
    """`ports.webhooks.Posting` whose HTTP client, 8 MiB, comes with the first webhook: most gateways never post one."""

    def __init__(self, excepted: AbstractSet[str]) -> None:
        self._excepted = excepted
        self._loading = asyncio.Lock()
        self._posting: WebhookPosting | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Post JSON once. Raises `Undelivered`."""
        posting = await self._opened()
        await posting.post(url, headers, body)

    async def close(self) -> None:
        """Close what was opened."""
        if self._posting is not None:
            await self._posting.close()

    async def _opened(self) -> "WebhookPosting":
        async with self._loading:
            if self._posting is None:  # loaded in a thread, so that requests go on meanwhile
                self._posting = await asyncio.to_thread(_load, self._excepted)
            return self._posting


def _load(excepted: AbstractSet[str]) -> "WebhookPosting":
    from monkey_coder_server.adapters.webhooks import WebhookPosting  # noqa: PLC0415 - see `LatePosting`

    return WebhookPosting(excepted)


@contextlib.asynccontextmanager
async def run_alerts(books: Books, limiter: Limiter, metrics: Metrics) -> AsyncIterator[alerting.Dependencies]:
    """Look for alerts and tell of them until the end of the block. Any number of gateways may do so at once."""
    posting, mail = LatePosting(books.settings.webhook_hosts), delivery_of(books.settings.mail)
    use = alerting_of(books, limiter, metrics, posting, mail)
    watching, delivering = alerting.Watching(use), alerting.Delivering(use)
    _track(delivering, books, metrics)
    tasks = [
        asyncio.create_task(_keep(watching.round, alerting.LOOKED_AT_ONCE, metrics)),
        asyncio.create_task(_keep(delivering.round, alerting.SENT_AT_ONCE, metrics)),
    ]
    try:
        yield use
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await posting.close()
        await mail.close()


def alerting_of(
    books: Books, limiter: Limiter, metrics: Metrics, posting: Posting, mail: Delivery
) -> alerting.Dependencies:
    """What alerts need, from the stores."""
    storage, stores = books.storage, books.storage.alerting

    async def readers(account_id: str) -> Sequence[str]:
        return [user.user_id for user in await payers_of(books, account_id)]

    return alerting.Dependencies(
        alerts=stores.alerts,
        outbox=stores.outbox,
        webhooks=stores.webhooks,
        posting=posting,
        write=_writer(books, mail),
        readers=readers,
        sealing=AesSealing(*peppers_of(books.settings).secrets),
        audit=storage.audit,
        limiter=limiter,
        telemetry=metrics,
        clock=books.clock,
        ids=books.ids,
        random_bytes=os.urandom,
        chance=_chance.random,
        excepted=books.settings.webhook_hosts,
    )


def _writer(books: Books, mail: Delivery) -> alerting.WriteTo:
    async def write(user_id: str, letter: alerting.AlertLetter, letter_id: str) -> None:
        user = await books.storage.accounts.by_id(user_id)
        if user is None:
            raise Undelivered("there is no such user any more", for_good=True)
        page = Link("Your account", "/billing")
        written = books.accounts.letters.written(user.email, Letter(letter.subject, letter.paragraphs, page))
        try:
            await mail.deliver(written, letter_id)
        except Undeliverable as refused:
            raise Undelivered(str(refused), for_good=True) from refused
        except Exception as trouble:  # its text may name people
            message = f"the mail could not be handed on: {type(trouble).__name__}"
            raise Undelivered(message) from trouble

    return write


async def _keep(step: Callable[[], Awaitable[int]], most: int, metrics: Metrics) -> None:
    while True:
        done = 0
        try:
            done = await step()
        except Unavailable as away:
            logger.info("alerts wait for the database: %s", away.message)
        except Exception as error:  # noqa: BLE001 - a loop's boundary: counted, logged, tried again
            metrics.defect("alerts", error)
        await asyncio.sleep(0 if done >= most else ROUND_SECONDS)


def _track(delivering: alerting.Delivering, books: Books, metrics: Metrics) -> None:
    figures, track = delivering.figures, metrics.track

    def late() -> float:
        due = figures.outbox.next_at
        return 0.0 if due is None else max(0.0, (books.clock.now() - due).total_seconds())

    track("monkey_coder_notices_waiting", "Alerts on their way.", lambda: float(figures.outbox.waiting))
    track("monkey_coder_notices_late_seconds", "How long a try to deliver an alert has been due.", late)
    track("monkey_coder_notices_delivered", "Alerts delivered since the start.", lambda: float(figures.delivered))
    track("monkey_coder_notices_failed", "Tries to deliver alerts that failed.", lambda: float(figures.failed))
    track("monkey_coder_notices_given_up", "Alerts given up since the start.", lambda: float(figures.given_up))
