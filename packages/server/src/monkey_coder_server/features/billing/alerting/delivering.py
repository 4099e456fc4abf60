"""The outbox worked off: each delivery by one process at a time, again and again for days until it is taken.

A receiver may get the same event twice when an answer is lost; its id is the same then.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.domain.webhook_signing import pause_after, signed_headers
from monkey_coder_server.features.billing.alerting.dependencies import Dependencies
from monkey_coder_server.features.billing.alerting.letters import letter_of
from monkey_coder_server.features.billing.alerting.webhook_secrets import secrets_of
from monkey_coder_server.ports.notices import Channel, Delivery, DeliveryState, OutboxState
from monkey_coder_server.ports.webhooks import Undelivered

CLAIMED = timedelta(minutes=3)
"""How long a delivery is one process's: longer than mail or webhook may take, so that only a death ends it."""
SENT_AT_ONCE = 32
_OURS = "the gateway could not send it"


@dataclass(slots=True)
class DeliveryFigures:
    """Counts since the start, and the outbox as it was after the last round."""

    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    outbox: OutboxState = field(default_factory=OutboxState)


class Delivering:
    """One round after another; any number of processes may make them at once."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use
        self.figures = DeliveryFigures()

    async def round(self) -> int:
        """Try some deliveries that are due; how many. Raises `Unavailable`."""
        now = self._use.clock.now()
        taken = await self._use.outbox.take(now, now + CLAIMED, most=SENT_AT_ONCE)
        await asyncio.gather(*[self._try(each) for each in taken])
        self.figures.outbox = await self._use.outbox.state()
        return len(taken)

    async def _try(self, delivery: Delivery) -> None:
        try:
            await self._send(delivery)
        except Undelivered as refused:
            await self._failed(delivery, str(refused), for_good=refused.for_good)
        except Unavailable:
            await self._failed(delivery, _OURS)
        except Exception as error:  # noqa: BLE001 - one that cannot be sent stops no other
            self._use.telemetry.defect("notices", error)
            await self._failed(delivery, _OURS)
        else:
            self.figures.delivered += 1
            await self._use.outbox.end(delivery, DeliveryState.DELIVERED, "", self._use.clock.now())

    async def _send(self, delivery: Delivery) -> None:
        notice = delivery.notice
        if delivery.channel is Channel.MAIL:
            await self._use.write(delivery.target, letter_of(notice), f"{notice.notice_id}.{delivery.target}")
            return
        webhook = await self._use.webhooks.find(notice.account_id, delivery.target)
        if webhook is None:
            raise Undelivered("the webhook was removed", for_good=True)
        now, body = self._use.clock.now(), notice.body.encode()
        secrets = secrets_of(self._use.sealing, webhook, now)
        headers = signed_headers(notice.notice_id, int(now.timestamp()), body, secrets=secrets)
        await self._use.posting.post(webhook.url, headers, body)

    async def _failed(self, delivery: Delivery, why: str, *, for_good: bool = False) -> None:
        now, pause = self._use.clock.now(), pause_after(delivery.tries, self._use.chance())
        self.figures.failed += 1
        if for_good or pause is None:
            self.figures.given_up += 1
            await self._use.outbox.end(delivery, DeliveryState.GIVEN_UP, why, now)
        else:
            await self._use.outbox.postpone(delivery, now + pause, why)
