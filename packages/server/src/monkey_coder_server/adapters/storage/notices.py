"""Notices and their deliveries in SQL: stored with what they tell of, taken by one at a time."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.alert_tables import notice_deliveries, notices, webhooks
from monkey_coder_server.adapters.storage.moments import from_micros, optional_from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction, change
from monkey_coder_server.ports.notices import Channel, Delivery, DeliveryState, Notice, OutboxState

OF_ONE_ACCOUNT = 2
"""So many deliveries of an account are taken at once."""
_STORE = Query(insert_or_not(notices).on_conflict_do_nothing())
_SEND = Query(insert(notice_deliveries))
_TOLD_AT = Query(select(webhooks.c.webhook_id, webhooks.c.kinds).where(webhooks.c.account_id == bindparam("account")))
_WAITS = notice_deliveries.c.state == literal_column("'waiting'")
_COLUMNS: tuple[Any, ...] = (
    *[notices.c[name] for name in ("notice_id", "account_id", "alert_id", "crossing", "kind", "body", "at")],
    *[notice_deliveries.c[name] for name in ("channel", "target", "state", "tries", "next_at", "note")],
)
_DELIVERY: Select[Any] = select(*_COLUMNS).join_from(
    notice_deliveries, notices, notices.c.notice_id == notice_deliveries.c.notice_id
)
_turn = (
    select(
        notice_deliveries.c.notice_id,
        notice_deliveries.c.target,
        func.row_number()
        .over(partition_by=notice_deliveries.c.account_id, order_by=notice_deliveries.c.next_at)
        .label("turn"),
    )
    .where(_WAITS, notice_deliveries.c.next_at <= bindparam("now"))
    .subquery()
)
_DUE = Query(
    _DELIVERY.join(
        _turn,
        and_(_turn.c.notice_id == notice_deliveries.c.notice_id, _turn.c.target == notice_deliveries.c.target),
    )
    .where(_turn.c.turn <= literal_column(str(OF_ONE_ACCOUNT)))
    .order_by(notice_deliveries.c.next_at)
    .limit(bindparam("most"))
)
_THIS = and_(
    notice_deliveries.c.notice_id == bindparam("notice"), notice_deliveries.c.target == bindparam("to"), _WAITS
)
_TAKE = Query(
    update(notice_deliveries)
    .where(_THIS, notice_deliveries.c.next_at <= bindparam("now"))
    .values(next_at=bindparam("until"), tries=notice_deliveries.c.tries + literal_column("1"))
)
_END = Query(
    update(notice_deliveries)
    .where(_THIS)
    .values(state=bindparam("ended"), ended_at=bindparam("now"), note=bindparam("came"))
)
_POSTPONE = Query(update(notice_deliveries).where(_THIS).values(next_at=bindparam("until"), note=bindparam("came")))
_listed = (
    _DELIVERY.where(notice_deliveries.c.account_id == bindparam("account"))
    .order_by(notice_deliveries.c.notice_id.desc(), notice_deliveries.c.target)
    .limit(bindparam("most"))
)
_LIST = Query(_listed)
_LIST_TO = Query(_listed.where(notice_deliveries.c.target == bindparam("to")))
_STATE = Query(select(func.count(), func.min(notice_deliveries.c.next_at)).where(_WAITS))


class SqlOutbox:
    """`ports.notices.Outbox`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def post(self, notice: Notice, channel: Channel, target: str) -> None:
        """Store a notice with one delivery."""
        await self._writer.perform(partial(_post, notice, channel, target))

    async def take(self, now: datetime, until: datetime, *, most: int) -> Sequence[Delivery]:
        """Some that are due."""
        wanted = {"now": to_micros(now), "most": most}
        due = await self._readers.read(lambda reader: [_delivery(row) for row in reader.rows(_DUE, wanted)])
        return await self._writer.perform(partial(_take, due, now, until)) if due else ()

    async def end(self, delivery: Delivery, state: DeliveryState, note: str, at: datetime) -> None:
        """It is delivered, or given up."""
        values = {**_of(delivery), "ended": state.value, "came": note, "now": to_micros(at)}
        await self._writer.perform(partial(change, _END, values))

    async def postpone(self, delivery: Delivery, until: datetime, note: str) -> None:
        """It was tried in vain."""
        values = {**_of(delivery), "until": to_micros(until), "came": note}
        await self._writer.perform(partial(change, _POSTPONE, values))

    async def deliveries(self, account_id: str, target: str | None = None, *, most: int) -> Sequence[Delivery]:
        """An account's deliveries, or those to one target; newest first."""
        wanted = {"account": account_id, "most": most, "to": target}
        query = _LIST if target is None else _LIST_TO
        rows = await self._readers.read_of(account_id, lambda reader: reader.rows(query, wanted))
        return [_delivery(row) for row in rows]

    async def state(self) -> OutboxState:
        """How the outbox stands."""
        [(waiting, next_at)] = await self._readers.read(lambda reader: reader.rows(_STATE, {}))
        return OutboxState(waiting, optional_from_micros(next_at))


def store(transaction: Transaction, notice: Notice, readers: Sequence[str]) -> None:
    """Store what is told of a crossing, for these users and the webhooks of the account that want it.

    Nothing when it was told before.
    """
    if not transaction.change(_STORE, _row(notice)):
        return
    for user_id in readers:
        _send(transaction, notice, Channel.MAIL, user_id)
    for webhook_id, kinds in transaction.rows(_TOLD_AT, {"account": notice.account_id}):
        if not kinds or notice.kind in kinds.split():
            _send(transaction, notice, Channel.WEBHOOK, webhook_id)


def _post(notice: Notice, channel: Channel, target: str, transaction: Transaction) -> None:
    transaction.change(_STORE, _row(notice))
    _send(transaction, notice, channel, target)


def _row(notice: Notice) -> dict[str, object]:
    return {
        "notice_id": notice.notice_id,
        "account_id": notice.account_id,
        "alert_id": notice.alert_id,
        "crossing": notice.crossing,
        "kind": notice.kind,
        "body": notice.body,
        "at": to_micros(notice.at),
    }


def _send(transaction: Transaction, notice: Notice, channel: Channel, target: str) -> None:
    transaction.change(
        _SEND,
        {
            "notice_id": notice.notice_id,
            "target": target,
            "account_id": notice.account_id,
            "channel": channel.value,
            "state": DeliveryState.WAITING.value,
            "tries": 0,
            "next_at": to_micros(notice.at),
            "ended_at": None,
            "note": "",
        },
    )


def _take(due: Sequence[Delivery], now: datetime, until: datetime, transaction: Transaction) -> list[Delivery]:
    claim = {"now": to_micros(now), "until": to_micros(until)}
    return [_begun(each) for each in due if transaction.change(_TAKE, {**_of(each), **claim})]


def _begun(delivery: Delivery) -> Delivery:
    """With the try that begins."""
    return Delivery(
        delivery.notice, delivery.channel, delivery.target, delivery.state, delivery.tries + 1, delivery.next_at
    )


def _of(delivery: Delivery) -> dict[str, object]:
    return {"notice": delivery.notice.notice_id, "to": delivery.target}


def _delivery(row: Row) -> Delivery:
    notice_id, account_id, alert_id, crossing, kind, body, at, channel, target, state, tries, next_at, note = row
    told = Notice(notice_id, account_id, alert_id, crossing, kind, body, from_micros(at))
    return Delivery(told, Channel(channel), target, DeliveryState(state), tries, from_micros(next_at), note)
