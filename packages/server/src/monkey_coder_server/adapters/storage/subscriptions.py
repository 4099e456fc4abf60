"""Subscriptions as rows: see `ports.subscriptions`."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert as insert_or_change

from monkey_coder_server.adapters.storage.moments import (
    from_micros,
    optional_from_micros,
    optional_to_micros,
    to_micros,
)
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.plan_tables import subscriptions
from monkey_coder_server.adapters.storage.plans import change_history
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Row, Transaction
from monkey_coder_server.domain.plans import follow
from monkey_coder_server.domain.subscriptions import Subscription, merge

_NAMES = [column.name for column in subscriptions.columns]
_VALUES: dict[str, Any] = {name: bindparam(name) for name in _NAMES}
_PUT = Query(
    insert_or_change(subscriptions)
    .values(_VALUES)
    .on_conflict_do_update(
        index_elements=[subscriptions.c.subscription_id],
        set_={name: value for name, value in _VALUES.items() if name not in {"subscription_id", "account_id"}},
    )
)
_ONE = Query(select(*subscriptions.columns).where(subscriptions.c.subscription_id == bindparam("wanted")))
_OF_ACCOUNT = Query(
    select(*subscriptions.columns)
    .where(subscriptions.c.account_id == bindparam("account"))
    .order_by(subscriptions.c.period_start.desc(), subscriptions.c.subscription_id)
)


class SqlSubscriptions:
    """`ports.subscriptions.Subscriptions`. `plans_changed` lets this process see at once who is on which plan."""

    def __init__(self, writer: Writing, readers: Reading, *, plans_changed: Callable[[], Awaitable[None]]) -> None:
        self._writer = writer
        self._readers = readers
        self._plans_changed = plans_changed

    async def bring(self, seen: Subscription, at: datetime) -> Subscription:
        """Bring a subscription and its account's plan to one more sight. Raises `NotFound`."""
        after = await self._writer.perform(partial(_bring, seen, at))
        await self._plans_changed()
        return after

    async def of_account(self, account_id: str) -> Sequence[Subscription]:
        """An account's subscriptions, the newest period first."""
        rows = await self._readers.read_of(
            account_id, lambda reading: reading.rows(_OF_ACCOUNT, {"account": account_id})
        )
        return [_subscription(row) for row in rows]


def _bring(seen: Subscription, at: datetime, transaction: Transaction) -> Subscription:
    """Whose it is never changes."""
    transaction.alone("subscriptions")
    row = transaction.row(_ONE, {"wanted": seen.subscription_id})
    if row is None:
        after = seen
    else:
        known = _subscription(row)
        after = merge(known, replace(seen, account_id=known.account_id))
    change_history(after.account_id, lambda history: follow(history, after.span(at)), transaction)
    transaction.change(_PUT, _row(after))
    return after


def _row(each: Subscription) -> Parameters:
    return {
        "subscription_id": each.subscription_id,
        "account_id": each.account_id,
        "plan_id": each.plan_id,
        "state": each.state,
        "period_start": to_micros(each.period_start),
        "period_end": to_micros(each.period_end),
        "ends_with_period": each.ends_with_period,
        "paid_until": optional_to_micros(each.paid_until),
    }


def _subscription(row: Row) -> Subscription:
    named = dict(zip(_NAMES, row, strict=True))
    return Subscription(
        **{
            **named,
            "period_start": from_micros(named["period_start"]),
            "period_end": from_micros(named["period_end"]),
            "ends_with_period": bool(named["ends_with_period"]),
            "paid_until": optional_from_micros(named["paid_until"]),
        }
    )
