"""What alerts ask of others."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from monkey_coder_server.features.billing.alerting.letters import AlertLetter
from monkey_coder_server.ports.accounts import Audit
from monkey_coder_server.ports.alerts import Alerts
from monkey_coder_server.ports.clock import Clock, Ids
from monkey_coder_server.ports.limiter import Limiter
from monkey_coder_server.ports.notices import Outbox
from monkey_coder_server.ports.replies import Sealing
from monkey_coder_server.ports.telemetry import Telemetry
from monkey_coder_server.ports.webhooks import Posting, Webhooks
from monkey_coder_server.web.audited import entry_of
from monkey_coder_server.web.request import Request


class WriteTo(Protocol):
    """Sends a user a letter, under the same id in every try."""

    async def __call__(self, user_id: str, letter: AlertLetter, letter_id: str) -> None:
        """One try. Raises `Undelivered`, `Unavailable`."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`readers` are the users who answer for an account; `excepted` are the `host:port` that webhooks may name anyway.

    `random_bytes` gives so many, `chance` a number from 0 to 1.
    """

    alerts: Alerts
    outbox: Outbox
    webhooks: Webhooks
    posting: Posting
    write: WriteTo
    readers: Callable[[str], Awaitable[Sequence[str]]]
    sealing: Sealing
    audit: Audit
    limiter: Limiter
    telemetry: Telemetry
    clock: Clock
    ids: Ids
    random_bytes: Callable[[int], bytes]
    chance: Callable[[], float]
    excepted: frozenset[str]


async def note(use: Dependencies, request: Request, action: str, *, target: str, details: str = "") -> None:
    """One entry of the audit trail on what the caller did."""
    await use.audit.record(entry_of(request, action, target=target, at=use.clock.now(), details=details))
