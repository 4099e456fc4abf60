"""What the payment processor tells, in SQL."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import bindparam, exists, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.inbox_tables import stripe_events
from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Transaction, change
from monkey_coder_server.ports.payment_inbox import InboxEvent, InboxState, WaitingEvent
from monkey_coder_server.ports.payments import EventSeen

_CLAIMING = "claims of payment events"
"""One claims at a time, so that of two who look at once only one sees an object nobody is at."""
_ZERO: Any = literal_column("0")
_TAKE = Query(insert_or_not(stripe_events).on_conflict_do_nothing())
_other = stripe_events.alias("others")
_UNHANDLED = stripe_events.c.handled_at.is_(None)
_SOMEBODY_IS_AT_IT = exists().where(
    _other.c.object_kind == stripe_events.c.object_kind,
    _other.c.object_id == stripe_events.c.object_id,
    _other.c.handled_at.is_(None),
    _other.c.claimed_until > bindparam("at"),
)
_DUE = Query(
    select(
        stripe_events.c.event_id,
        stripe_events.c.kind,
        stripe_events.c.object_kind,
        stripe_events.c.object_id,
        stripe_events.c.attempts,
    )
    .where(_UNHANDLED, stripe_events.c.next_at <= bindparam("at"), ~_SOMEBODY_IS_AT_IT)
    .order_by(stripe_events.c.next_at, stripe_events.c.event_id)
    .limit(bindparam("most"))
)
_CLAIM = Query(
    update(stripe_events)
    .where(stripe_events.c.event_id == bindparam("event"), _UNHANDLED)
    .values(claimed_until=bindparam("until"), next_at=bindparam("until"), attempts=bindparam("tried"))
)
_DONE = Query(
    update(stripe_events)
    .where(stripe_events.c.event_id == bindparam("event"), _UNHANDLED)
    .values(handled_at=bindparam("now"), claimed_until=_ZERO, note=bindparam("came"))
)
_POSTPONE = Query(
    update(stripe_events)
    .where(stripe_events.c.event_id == bindparam("event"), _UNHANDLED)
    .values(next_at=bindparam("until"), claimed_until=_ZERO, note=bindparam("came"))
)
_WAITING = Query(
    select(
        stripe_events.c.event_id,
        stripe_events.c.kind,
        stripe_events.c.received_at,
        stripe_events.c.attempts,
        stripe_events.c.note,
    )
    .where(_UNHANDLED, stripe_events.c.attempts > _ZERO)
    .order_by(stripe_events.c.received_at, stripe_events.c.event_id)
    .limit(bindparam("most"))
)
_STATE = Query(
    select(
        func.count(),
        func.count().filter(stripe_events.c.note != literal_column("''")),
        func.min(stripe_events.c.received_at),
    ).where(_UNHANDLED)
)


class SqlPaymentInbox:
    """`ports.payment_inbox.PaymentInbox`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def take(self, event: EventSeen, at: datetime, *, handled: str = "") -> bool:
        """Keep an event; False when it was here before."""
        now = to_micros(at)
        row: Parameters = {
            "event_id": event.event_id,
            "kind": event.kind,
            "at": to_micros(event.at),
            "live": event.live,
            "object_kind": event.object_kind,
            "object_id": event.object_id,
            "received_at": now,
            "handled_at": now if handled else None,
            "attempts": 0,
            "next_at": now,
            "claimed_until": 0,
            "note": handled,
        }
        return bool(await self._writer.perform(partial(change, _TAKE, row)))

    async def claim(self, at: datetime, until: datetime, most: int) -> Sequence[InboxEvent]:
        """Some that are due, for nobody else until then."""
        return await self._writer.perform(partial(_claim, to_micros(at), to_micros(until), most))

    async def done(self, event_ids: Sequence[str], at: datetime, note: str) -> None:
        """They are handled."""
        several = [{"event": each, "now": to_micros(at), "came": note} for each in event_ids]
        await self._writer.perform(lambda transaction: transaction.change_each(_DONE, several))

    async def postpone(self, event_ids: Sequence[str], until: datetime, note: str) -> None:
        """They were tried in vain."""
        several = [{"event": each, "until": to_micros(until), "came": note} for each in event_ids]
        await self._writer.perform(lambda transaction: transaction.change_each(_POSTPONE, several))

    async def waiting(self, most: int) -> Sequence[WaitingEvent]:
        """Those tried in vain, oldest first."""
        rows = await self._readers.read(lambda transaction: transaction.rows(_WAITING, {"most": most}))
        return [
            WaitingEvent(event_id, kind, from_micros(received), attempts, note)
            for event_id, kind, received, attempts, note in rows
        ]

    async def state(self) -> InboxState:
        """How the inbox stands."""
        [(waiting, failing, oldest)] = await self._readers.read(lambda transaction: transaction.rows(_STATE, {}))
        return InboxState(waiting, failing, None if oldest is None else from_micros(oldest))


def _claim(at: int, until: int, most: int, transaction: Transaction) -> Sequence[InboxEvent]:
    transaction.alone(_CLAIMING)
    rows = transaction.rows(_DUE, {"at": at, "most": most})
    due = [InboxEvent(event_id, kind, of, object_id, tried + 1) for event_id, kind, of, object_id, tried in rows]
    transaction.change_each(_CLAIM, [{"event": each.event_id, "until": until, "tried": each.attempts} for each in due])
    return due
