"""Markups from memory: they cost a request no I/O."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, func, insert, literal_column, select, update

from monkey_coder_server.adapters.storage.following import MARKUPS, Following, News, change_followed
from monkey_coder_server.adapters.storage.moments import (
    from_micros,
    optional_from_micros,
    optional_to_micros,
    to_micros,
)
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.price_tables import markups
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Row, Transaction
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.domain.markup import MarkupRule
from monkey_coder_server.ports.markups import Markup

_NEXT = select(func.coalesce(func.max(markups.c.revision), literal_column("0")) + literal_column("1")).scalar_subquery()
_SET = Query(
    insert(markups).values({each.name: bindparam(each.name) for each in markups.columns} | {"revision": _NEXT})
)
_RULE = (
    markups.c.basis_points,
    markups.c.plan,
    markups.c.provider,
    markups.c.model,
    markups.c.starts_at,
    markups.c.ends_at,
    markups.c.markup_id,
)
_CHANGED = Query(
    select(*_RULE, markups.c.revision).where(markups.c.revision > bindparam("seen")).order_by(markups.c.revision)
)
_ALL = Query(
    select(*_RULE, markups.c.reason, markups.c.set_by, markups.c.set_at).order_by(
        markups.c.set_at.desc(), markups.c.markup_id.desc()
    )
)
_ONE = Query(select(*_RULE).where(markups.c.markup_id == bindparam("wanted")))
_END = Query(
    update(markups).where(markups.c.markup_id == bindparam("wanted")).values(ends_at=bindparam("ends"), revision=_NEXT)
)
_FIELDS = len(_RULE)


class SqlMarkups:
    """`ports.markups.Markups` over a snapshot of all rules."""

    def __init__(self, writer: Writing, readers: Reading, news: News) -> None:
        self._writer = writer
        self._readers = readers
        self._known: tuple[MarkupRule, ...] = ()
        self._revision = 0
        self._following = Following(self.refresh, "Markups")
        news.follow(MARKUPS, self._following.wake)

    async def start(self) -> None:
        """Load all rules and begin to follow changes."""
        await self._following.start()

    async def close(self) -> None:
        """Stop following."""
        await self._following.close()

    @property
    def known(self) -> tuple[MarkupRule, ...]:
        """Every rule as known here: the same object until one changes."""
        return self._known

    async def list(self) -> Sequence[Markup]:
        """Every markup that was ever set, the newest first."""
        rows = await self._readers.read(lambda reading: reading.rows(_ALL, {}))
        return [_markup(row) for row in rows]

    async def set(self, markup: Markup) -> None:
        """Keep a markup; it is known here on return."""
        await self._writer.perform(partial(_set, markup))
        await self.refresh()

    async def end(self, name: str, at: datetime) -> MarkupRule:
        """End a rule. Raises `NotFound`, and `Conflict` when it is over by then."""
        ended = await self._writer.perform(partial(_end, name, at))
        await self.refresh()
        return ended

    async def refresh(self) -> None:
        """Take in what was changed until now, by whatever process."""
        seen = {"seen": self._revision}
        rows = await self._readers.read(lambda reading: reading.rows(_CHANGED, seen))
        if rows and rows[-1][-1] > self._revision:  # another look may have come first
            known = {rule.name: rule for rule in self._known} | {rule.name: rule for rule in map(_rule, rows)}
            self._known = tuple(known.values())
            self._revision = max(self._revision, rows[-1][-1])


def _set(markup: Markup, transaction: Transaction) -> None:
    change_followed(transaction, MARKUPS)
    rule = markup.rule
    row: Parameters = {
        "markup_id": rule.name,
        "basis_points": rule.basis_points,
        "plan": rule.plan,
        "provider": rule.provider,
        "model": rule.model,
        "starts_at": to_micros(rule.starts_at),
        "ends_at": optional_to_micros(rule.ends_at),
        "reason": markup.reason,
        "set_by": markup.set_by,
        "set_at": to_micros(markup.set_at),
    }
    transaction.change(_SET, row)


def _end(name: str, at: datetime, transaction: Transaction) -> MarkupRule:
    change_followed(transaction, MARKUPS)
    row = transaction.row(_ONE, {"wanted": name})
    if row is None:
        message = f"There is no markup {name!r}; `monkey-server admin markups list` shows them."
        raise NotFound(message)
    rule = _rule(row)
    if rule.ends_at is not None and rule.ends_at <= at:
        message = f"The markup {name} ends on {rule.ends_at.isoformat()} already."
        raise Conflict(message)
    ended = replace(rule, ends_at=max(at, rule.starts_at))
    transaction.change(_END, {"wanted": name, "ends": optional_to_micros(ended.ends_at)})
    return ended


def _markup(row: Row) -> Markup:
    reason, set_by, set_at = row[_FIELDS:]
    return Markup(_rule(row), reason, set_by, from_micros(set_at))


def _rule(row: Row) -> MarkupRule:
    basis_points, plan, provider, model, starts_at, ends_at, name = row[:_FIELDS]
    return MarkupRule(
        basis_points=basis_points,
        plan=plan,
        provider=provider,
        model=model,
        starts_at=from_micros(starts_at),
        ends_at=optional_from_micros(ends_at),
        name=name,
    )
