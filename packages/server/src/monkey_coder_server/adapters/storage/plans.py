"""Plans as rows, and who is on them from memory: it costs a request no I/O."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert as insert_or_change

from monkey_coder_server.adapters.storage.following import ACCOUNT_PLANS, Following, News, change_followed
from monkey_coder_server.adapters.storage.moments import (
    LAST_MOMENT,
    from_micros,
    optional_from_micros,
    optional_to_micros,
    to_micros,
)
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.people import accounts
from monkey_coder_server.adapters.storage.plan_tables import account_plans, plans
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Row, Transaction, change
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.plans import DEFAULT_PLAN, Plan, PlanKind, PlanSpan, plan_at, with_default

_PLANS = Query(select(*plans.columns).order_by(plans.c.plan_id))
_VALUES: dict[str, Any] = {column.name: bindparam(column.name) for column in plans.columns if not column.primary_key}
_PUT = Query(
    insert_or_change(plans)
    .values(plan_id=bindparam("plan_id"), **_VALUES)
    .on_conflict_do_update(index_elements=[plans.c.plan_id], set_=_VALUES)
)
_NEXT = select(
    func.coalesce(func.max(account_plans.c.revision), literal_column("0")) + literal_column("1")
).scalar_subquery()
_SPAN = {
    "ends_at": bindparam("ends_at"),
    "plan_id": bindparam("plan_id"),
    "source": bindparam("source"),
    "revision": _NEXT,
}
_WRITE = Query(
    insert_or_change(account_plans)
    .values(account_id=bindparam("account_id"), starts_at=bindparam("starts_at"), **_SPAN)
    .on_conflict_do_update(index_elements=[account_plans.c.account_id, account_plans.c.starts_at], set_=_SPAN)
)
_COLUMNS = select(
    account_plans.c.account_id,
    account_plans.c.starts_at,
    account_plans.c.ends_at,
    account_plans.c.plan_id,
    account_plans.c.source,
    account_plans.c.revision,
)
_CHANGED = Query(_COLUMNS.where(account_plans.c.revision > bindparam("seen")).order_by(account_plans.c.revision))
_OF_ACCOUNT = Query(
    _COLUMNS.where(account_plans.c.account_id == bindparam("account")).order_by(account_plans.c.starts_at)
)
_ACCOUNT = Query(select(accounts.c.account_id).where(accounts.c.account_id == bindparam("account")))


class SqlPlans:
    """`ports.plans.Plans`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def every(self) -> Sequence[Plan]:
        """All plans, the prepaid one first."""
        return with_default(map(_plan, await self._readers.read(lambda reading: reading.rows(_PLANS, {}))))

    async def put(self, plan: Plan) -> None:
        """Write a plan in place of the one of its id."""
        await self._writer.perform(partial(change, _PUT, _row(plan)))


class SqlAccountPlans:
    """`ports.plans.AccountPlans` over a snapshot. Writes are durable on return and seen at once here."""

    def __init__(self, writer: Writing, readers: Reading, news: News) -> None:
        self._writer = writer
        self._readers = readers
        self._known: defaultdict[str, dict[datetime, PlanSpan]] = defaultdict(dict)
        self._revision = 0
        self._following = Following(self.refresh, "Plans of accounts")
        news.follow(ACCOUNT_PLANS, self._following.wake)

    async def start(self) -> None:
        """Load who is on which plan and begin to follow changes."""
        await self._following.start()

    async def close(self) -> None:
        """Stop following."""
        await self._following.close()

    def standing(self, account_id: str, at: datetime) -> str:
        """The plan of an account at a moment."""
        known = self._known.get(account_id)
        return DEFAULT_PLAN if known is None else plan_at(known.values(), at)

    async def history(self, account_id: str) -> Sequence[PlanSpan]:
        """Every span of an account, oldest first."""
        return await self._readers.read_of(account_id, partial(history_of, account_id))

    async def change(
        self, account_id: str, edit: Callable[[Sequence[PlanSpan]], Sequence[PlanSpan]]
    ) -> Sequence[PlanSpan]:
        """Store what `edit` makes of an account's history. Raises `NotFound`."""
        after = await self._writer.perform(partial(change_history, account_id, edit))
        await self.refresh()
        return after

    async def refresh(self) -> None:
        """Take in what was changed until now, by whatever process."""
        rows = await self._readers.read(lambda reading: reading.rows(_CHANGED, {"seen": self._revision}))
        for row in [row for row in rows if row[-1] > self._revision]:  # another look may have come first
            span, known = _span(row), self._known[row[0]]
            if span.empty:
                known.pop(span.starts_at, None)
            else:
                known[span.starts_at] = span
            self._revision = max(self._revision, row[-1])


def history_of(account_id: str, transaction: Transaction) -> list[PlanSpan]:
    """Every span of an account that covers something, oldest first."""
    spans = map(_span, transaction.rows(_OF_ACCOUNT, {"account": account_id}))
    return [span for span in spans if not span.empty]


def change_history(
    account_id: str, edit: Callable[[Sequence[PlanSpan]], Sequence[PlanSpan]], transaction: Transaction
) -> Sequence[PlanSpan]:
    """Store what `edit` makes of a history, alone with it. Raises `NotFound` without such an account."""
    change_followed(transaction, ACCOUNT_PLANS)
    if transaction.row(_ACCOUNT, {"account": account_id}) is None:
        raise NotFound("There is no such account.")
    before = {span.starts_at: span for span in history_of(account_id, transaction)}
    after = tuple(edit(tuple(before.values())))
    kept = {span.starts_at: span for span in after}
    emptied = [_emptied(span) for start, span in before.items() if start not in kept]
    for span in (*emptied, *after):
        if before.get(span.starts_at) != span:
            transaction.change(_WRITE, _written(account_id, span))
    return after


def _emptied(span: PlanSpan) -> PlanSpan:
    return PlanSpan(plan_id=span.plan_id, starts_at=span.starts_at, ends_at=span.starts_at, source=span.source)


def _written(account_id: str, span: PlanSpan) -> Parameters:
    return {
        "account_id": account_id,
        "starts_at": to_micros(span.starts_at),
        "ends_at": LAST_MOMENT if span.ends_at is None else to_micros(span.ends_at),
        "plan_id": span.plan_id,
        "source": span.source,
    }


def _span(row: Row) -> PlanSpan:
    _account, starts_at, ends_at, plan_id, source, _revision = row
    end = None if ends_at == LAST_MOMENT else from_micros(ends_at)
    return PlanSpan(plan_id=plan_id, starts_at=from_micros(starts_at), ends_at=end, source=source)


def _row(plan: Plan) -> Parameters:
    return {
        "plan_id": plan.plan_id,
        "name": plan.name,
        "kind": plan.kind.value,
        "monthly_fee_cents": plan.monthly_fee_cents,
        "included_credit": plan.included_credit,
        "included_priority": plan.included_priority,
        "credit_line": plan.credit_line,
        "trial_credit": plan.trial_credit,
        "listed": plan.listed,
        "offered_from": optional_to_micros(plan.offered_from),
        "offered_until": optional_to_micros(plan.offered_until),
    }


def _plan(row: Row) -> Plan:
    named = dict(zip([column.name for column in plans.columns], row, strict=True))
    named |= {name: optional_from_micros(named[name]) for name in ("offered_from", "offered_until")}
    return Plan(**{**named, "kind": PlanKind(named["kind"]), "listed": bool(named["listed"])})
