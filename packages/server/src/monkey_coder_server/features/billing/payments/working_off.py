"""The inbox worked off: some events at a time, each object once, in this process or in another."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby

from monkey_coder_server.domain.errors import NotFound, Unavailable
from monkey_coder_server.features.billing.payments.handling import Handler
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.payment_inbox import InboxEvent, InboxState, PaymentInbox
from monkey_coder_server.ports.telemetry import Telemetry

logger = logging.getLogger(__name__)
POLL_SECONDS = 10.0
"""How often it is looked whether another process left something, or something is due again."""
CLAIMED = timedelta(minutes=5)
"""How long an event is one process's: far longer than its object takes, so that only a death ends it."""
AT_ONCE = 50
"""How many events are claimed at a time."""
SIDE_BY_SIDE = 4
"""How many objects are looked up at once; more would wait for a thread anyway."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=6)
UNKNOWN = "of nobody known here"


class InboxWorker:
    """Works until it is stopped. `wake` makes it look at once."""

    def __init__(
        self, inbox: PaymentInbox, handlers: Mapping[str, Handler], *, clock: Clock, telemetry: Telemetry
    ) -> None:
        self._inbox = inbox
        self._handlers = handlers
        self._clock = clock
        self._telemetry = telemetry
        self._woken = asyncio.Event()
        self.state = InboxState(0, 0, None)

    def wake(self) -> None:
        """Something came."""
        self._woken.set()

    async def run(self) -> None:
        """Work off what there is, whenever woken and every few seconds, until it is cancelled."""
        while True:
            self._woken.clear()
            try:
                while await self.work():
                    pass
                self.state = await self._inbox.state()
            except Unavailable as away:
                logger.info("payment events wait for the database: %s", away.message)
            except Exception as error:  # noqa: BLE001 - a loop's boundary: counted, logged, tried again
                self._telemetry.defect("payment events", error)
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def work(self) -> int:
        """Handle some events that are due; how many. Raises `Unavailable` when the inbox is away."""
        now = self._clock.now()
        events = await self._inbox.claim(now, now + CLAIMED, AT_ONCE)
        places, turns = asyncio.Semaphore(SIDE_BY_SIDE), []
        ordered = sorted(events, key=_object)
        for (kind, object_id), group in groupby(ordered, key=_object):
            turns.append(self._in_turn(places, kind, object_id, tuple(group)))
        await asyncio.gather(*turns)
        return len(events)

    async def _in_turn(
        self, places: asyncio.Semaphore, kind: str, object_id: str, events: Sequence[InboxEvent]
    ) -> None:
        async with places:
            await self._handle(self._handlers[kind], object_id, events)

    async def _handle(self, handler: Handler, object_id: str, events: Sequence[InboxEvent]) -> None:
        ids = [each.event_id for each in events]
        try:
            note = await handler(object_id)
        except NotFound:
            logger.error(  # noqa: TRY400 - nothing of ours is wrong; its kind says all that may be logged
                "an event of the payment processor (%s) is %s; `monkey-server admin payment-events` lists it",
                events[0].kind,
                UNKNOWN,
            )
            await self._postpone(events, UNKNOWN)
        except Unavailable as away:
            logger.info("payment events are tried again: %s", away.message)
            await self._postpone(events, "away")
        except Exception as error:  # noqa: BLE001 - one object that cannot be handled stops no other
            self._telemetry.defect("payment events", error)
            await self._postpone(events, type(error).__name__)
        else:
            await self._inbox.done(ids, self._clock.now(), note)

    async def _postpone(self, events: Sequence[InboxEvent], note: str) -> None:
        tried = max(each.attempts for each in events)
        pause = min(FIRST_PAUSE * 2 ** min(tried - 1, 20), LONGEST_PAUSE)
        await self._inbox.postpone([each.event_id for each in events], self._clock.now() + pause, note)


def _object(event: InboxEvent) -> tuple[str, str]:
    return event.object_kind, event.object_id
