"""Alerts in SQL: who keeps what a look found is who found the alert as it stands still."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, insert, select, update

from monkey_coder_server.adapters.storage import alert_figures, holds, notices
from monkey_coder_server.adapters.storage.alert_tables import alerts
from monkey_coder_server.adapters.storage.bounded import refuse_full
from monkey_coder_server.adapters.storage.moments import from_micros, optional_from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction, change
from monkey_coder_server.domain.alerts import AlertKind, AlertRule, AlertStanding, Figures
from monkey_coder_server.ports.alerts import Alert
from monkey_coder_server.ports.notices import Notice

_ADDING = "alerts"
"""One is added at a time, so that of many added at once none is beyond the most."""
_FULL = "This account has {} alerts, which is the most; remove one first."
_COLUMNS = (
    *("alert_id", "account_id", "kind", "amount", "percent", "mail", "created_by", "created_at"),
    *("revision", "crossed", "fired_at"),
)
_ALERT: Select[Any] = select(*[alerts.c[name] for name in _COLUMNS])
_THIS = alerts.c.alert_id == bindparam("wanted")
_OF_ACCOUNT = alerts.c.account_id == bindparam("whose")
_LIST = Query(_ALERT.where(_OF_ACCOUNT).order_by(alerts.c.alert_id))
_HOW_MANY = Query(select(func.count()).where(_OF_ACCOUNT))
_ADD = Query(insert(alerts))
_REMOVE = Query(delete(alerts).where(_THIS, _OF_ACCOUNT))
_DUE = Query(
    _ALERT.where(alerts.c.next_at <= bindparam("now"))
    .order_by(alerts.c.next_at, alerts.c.account_id)
    .limit(bindparam("most"))
)
_TAKE = Query(update(alerts).where(_THIS, alerts.c.next_at <= bindparam("now")).values(next_at=bindparam("until")))
_AS_SEEN = and_(_THIS, alerts.c.revision == bindparam("seen"))
_KEEP = Query(
    update(alerts)
    .where(_AS_SEEN)
    .values(
        revision=bindparam("found"),
        crossed=bindparam("names"),
        fired_at=func.coalesce(bindparam("fired", type_=alerts.c.fired_at.type), alerts.c.fired_at),
    )
)


class SqlAlerts:
    """`ports.alerts.Alerts`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def add(self, alert: Alert, *, most: int) -> None:
        """Set an alert. Raises `NotFound`, `Conflict`."""
        await self._writer.perform(partial(_add, alert, most))

    async def of_account(self, account_id: str) -> Sequence[Alert]:
        """An account's alerts, oldest first."""
        rows = await self._readers.read_of(account_id, lambda reader: reader.rows(_LIST, {"whose": account_id}))
        return [_alert(row) for row in rows]

    async def remove(self, account_id: str, alert_id: str) -> bool:
        """Take an alert away; False when there is none."""
        wanted = {"wanted": alert_id, "whose": account_id}
        return bool(await self._writer.perform(partial(change, _REMOVE, wanted)))

    async def take(self, now: datetime, until: datetime, *, most: int) -> Sequence[Alert]:
        """Some that are to be looked at."""
        wanted = {"now": to_micros(now), "most": most}
        due = await self._readers.read(lambda reader: [_alert(row) for row in reader.rows(_DUE, wanted)])
        return await self._writer.perform(partial(_take, due, now, until)) if due else ()

    async def figures(
        self, account_id: str, kinds: Collection[AlertKind], *, since: datetime, now: datetime
    ) -> Figures:
        """What alerts of these kinds look at. Raises `NotFound`."""
        looking = partial(alert_figures.of_account, account_id, kinds, since, now)
        return await self._readers.read_of(account_id, looking)

    async def keep(
        self, alert: Alert, standing: AlertStanding, told: Sequence[Notice], readers: Collection[str]
    ) -> bool:
        """Let an alert stand so, and store what is news."""
        return await self._writer.perform(partial(_keep, alert, standing, told, tuple(readers)))


def _add(alert: Alert, most: int, transaction: Transaction) -> None:
    transaction.alone(_ADDING)
    holds.read_wallet(transaction, alert.account_id)
    refuse_full(transaction, _HOW_MANY, {"whose": alert.account_id}, most=most, told=_FULL)
    at = to_micros(alert.created_at)
    transaction.change(
        _ADD,
        {
            "alert_id": alert.alert_id,
            "account_id": alert.account_id,
            "kind": alert.rule.kind.value,
            "amount": alert.rule.amount,
            "percent": alert.rule.percent,
            "mail": alert.mail,
            "created_by": alert.created_by,
            "created_at": at,
            "revision": alert.standing.revision,
            "crossed": _names(alert.standing),
            "fired_at": None,
            "next_at": at,
        },
    )


def _take(due: Sequence[Alert], now: datetime, until: datetime, transaction: Transaction) -> list[Alert]:
    claim = {"now": to_micros(now), "until": to_micros(until)}
    return [each for each in due if transaction.change(_TAKE, {"wanted": each.alert_id, **claim})]


def _keep(
    alert: Alert,
    standing: AlertStanding,
    told: Sequence[Notice],
    readers: Sequence[str],
    transaction: Transaction,
) -> bool:
    found = {
        "wanted": alert.alert_id,
        "seen": alert.standing.revision,
        "found": standing.revision,
        "names": _names(standing),
        "fired": max([to_micros(each.at) for each in told], default=None),
    }
    if not transaction.change(_KEEP, found):
        return False
    for each in told:
        notices.store(transaction, each, readers)
    return True


def _names(standing: AlertStanding) -> str:
    return json.dumps(sorted(standing.crossed))


def _alert(row: Row) -> Alert:
    alert_id, account_id, kind, amount, percent, mail, created_by, created_at, revision, crossed, fired_at = row
    return Alert(
        alert_id=alert_id,
        account_id=account_id,
        rule=AlertRule(AlertKind(kind), amount, percent),
        mail=bool(mail),
        created_by=created_by,
        created_at=from_micros(created_at),
        standing=AlertStanding(revision, frozenset(json.loads(crossed))),
        fired_at=optional_from_micros(fired_at),
    )
