"""What counts against limits: a counter of each limit and period, begun with what the books tell of it so far.

Nothing here runs for an account without limits. Everything else runs after the account's wallet row was changed or
locked in the same transaction, so that no two transactions begin or move the same counters at once.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, case, insert, literal_column, select, union_all, update

from monkey_coder_server.adapters.storage.limit_tables import counters, limits
from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.recounting import recount
from monkey_coder_server.adapters.storage.spending import TOTAL, Spender, Used
from monkey_coder_server.adapters.storage.team_tables import held_by_what_is
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Need, Period, Standing, Unit, holders
from monkey_coder_server.ports.record import Record

SETTLED_EARLY = timedelta(days=1)
"""No clock is so wrong that a request admitted within a period ends longer than this before it."""

_PERIOD = case(
    (limits.c.period == literal_column("'day'"), bindparam("day")),
    (limits.c.period == literal_column("'month'"), bindparam("month")),
    else_=literal_column(f"'{TOTAL}'"),
)


_LIMITS: Select[Any] = (
    select(
        limits.c.holder,
        limits.c.model,
        limits.c.period,
        limits.c.unit,
        limits.c.allowed,
        limits.c.since,
        counters.c.spent,
        counters.c.held,
    )
    .select_from(limits)
    .outerjoin(
        counters,
        and_(
            counters.c.account_id == limits.c.account_id,
            counters.c.holder == limits.c.holder,
            counters.c.model == limits.c.model,
            counters.c.unit == limits.c.unit,
            counters.c.period == _PERIOD,
        ),
    )
    .where(limits.c.account_id == bindparam("account"))
)
"""The limits of an account, each with its counter of the current period if that is begun."""
_HOLDERS = {kind: f"of_{kind.value}" for kind in HolderKind}
_CURRENT = Query(union_all(*[_LIMITS.where(limits.c.holder == bindparam(name)) for name in _HOLDERS.values()]))
_ALL = Query(_LIMITS.where(held_by_what_is(limits.c.account_id, limits.c.holder)))
_BEGIN = Query(insert(counters))
_PROJECT = HolderKind.PROJECT.value
_SINCE_THEN = frozenset({HolderKind.ORGANIZATION, HolderKind.TEAM})
_MOVE = Query(
    update(counters)
    .where(
        counters.c.account_id == bindparam("account"),
        counters.c.holder == bindparam("of"),
        counters.c.model == bindparam("on"),
        counters.c.unit == bindparam("counted"),
        counters.c.period == bindparam("within"),
    )
    .values(held=counters.c.held + bindparam("holding"), spent=counters.c.spent + bindparam("spending"))
)


class Counter(Record, frozen=True):
    """How a limit stands, and the name of the period that is counted."""

    standing: Standing
    period: str


class Counted(NamedTuple):
    """What a request held, and what came of it. Of `used` no more tokens may count than it was to use at most."""

    held: Need
    charged: int
    used: Used

    def spent(self, limit: Limit) -> int:
        """What a limit counts of it."""
        if limit.model not in {"", self.used.model}:
            return 0
        return self.charged if limit.unit is Unit.MONEY else self.used.tokens


def stored(holder: Holder) -> str:
    """A holder as the tables name it.

    The release before knows no organizations and no teams: it reads them as projects, of names that no project has.
    """
    if holder.kind is HolderKind.ACCOUNT:
        return holder.kind.value
    name = f"{holder.kind.value}:{holder.id}"
    return f"{_PROJECT}:{name}" if holder.kind in _SINCE_THEN else name


def read_holder(name: str, account_id: str) -> Holder:
    """A holder the tables name."""
    kind, _, identity = name.partition(":")
    if kind == _PROJECT and ":" in identity:
        kind, _, identity = identity.partition(":")
    return Holder(HolderKind(kind), identity or account_id)


def current(transaction: Transaction, spender: Spender, project_id: str | None, team_id: str | None) -> list[Counter]:
    """The limits that count for a key, with their counters of the spender's periods; missing ones are begun."""
    counting = holders(spender.account_id, spender.key_id, project_id, team_id)
    named = {holder.kind: stored(holder) for holder in counting}
    rows = transaction.rows(
        _CURRENT,
        {
            "account": spender.account_id,
            "day": spender.day,
            "month": spender.month,
            **{name: named.get(kind, "") for kind, name in _HOLDERS.items()},
        },
    )
    found = []
    for row in rows:
        limit, within, since, standing = read(row, spender)
        if standing is None:
            found.append(begin(transaction, spender.account_id, limit, within, since))
        else:
            found.append(Counter(standing, within))
    return found


def all_of(transaction: Transaction, spender: Spender) -> list[Standing]:
    """Every limit of the spender's account, whoever holds it, as it stands in the spender's periods."""
    rows = transaction.rows(_ALL, {"account": spender.account_id, "day": spender.day, "month": spender.month})
    found = []
    for row in rows:
        limit, within, since, standing = read(row, spender)
        found.append(standing or first(transaction, spender.account_id, limit, within, since))
    return found


def read(row: Row, spender: Spender) -> tuple[Limit, str, int, Standing | None]:
    """A limit, its period's name, since when it stands, and how, if it has a counter."""
    holder, model, period, unit, allowed, since, spent, held = row
    limit = Limit(read_holder(holder, spender.account_id), Period(period), Unit(unit), allowed, model)
    within = dict(zip(Period, spender.periods, strict=True))[limit.period]
    return limit, within, since, None if spent is None else Standing(limit, spent, held)


def reserve(transaction: Transaction, account_id: str, counting: Sequence[Counter], need: Need) -> None:
    """Count what a request can take as held."""
    _move(transaction, account_id, [(counter, need.of(counter.standing.limit), 0) for counter in counting])


def resolve_each(
    transaction: Transaction, account_id: str, counting: Sequence[Counter], ended: Sequence[Counted]
) -> None:
    """Turn what requests held into what they spent; a limit on one model counts those that this model served."""
    moves = []
    for counter in counting:
        limit = counter.standing.limit
        held = sum([each.held.of(limit) for each in ended])
        moves.append((counter, -held, sum([each.spent(limit) for each in ended])))
    _move(transaction, account_id, moves)


def begin(transaction: Transaction, account_id: str, limit: Limit, within: str, since: int) -> Counter:
    """Store the counter of a limit in a period that has none."""
    standing = first(transaction, account_id, limit, within, since)
    transaction.change(
        _BEGIN,
        {
            "account_id": account_id,
            "holder": stored(limit.holder),
            "model": limit.model,
            "unit": limit.unit.value,
            "period": within,
            "spent": standing.spent,
            "held": standing.held,
        },
    )
    return Counter(standing, within)


def first(transaction: Transaction, account_id: str, limit: Limit, within: str, since: int) -> Standing:
    """How a limit without a counter stands.

    One that stood before the period began has counted all there is in it: nothing yet.
    """
    start = begins(within)
    return recount(transaction, account_id, limit, within, start) if since >= start else Standing(limit)


def begins(within: str) -> int:
    """From when on requests of a period can have ended, in microseconds, clocks being what they are."""
    if within == TOTAL:
        return 0
    first_day = within if len(within) == len("2026-11-22") else f"{within}-01"
    return to_micros(datetime.fromisoformat(first_day).replace(tzinfo=UTC) - SETTLED_EARLY)


def _move(transaction: Transaction, account_id: str, moves: Iterable[tuple[Counter, int, int]]) -> None:
    """Change counters by what is held and what is spent."""
    changes = [
        {
            "account": account_id,
            "of": stored(counter.standing.limit.holder),
            "on": counter.standing.limit.model,
            "counted": counter.standing.limit.unit.value,
            "within": counter.period,
            "holding": holding,
            "spending": spending,
        }
        for counter, holding, spending in moves
        if holding or spending
    ]
    if changes:
        transaction.change_each(_MOVE, changes)
