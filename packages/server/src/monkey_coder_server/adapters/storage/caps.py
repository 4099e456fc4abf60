"""What a key may spend: its own caps by UTC day, UTC month and in total, and every limit that counts for it.

They are read before they are raised, which is safe because both happen behind the lock of the wallet: see `holds`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnClause, and_, bindparam, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage import counting
from monkey_coder_server.adapters.storage.people import api_keys
from monkey_coder_server.adapters.storage.spending import NOTHING_USED, TOTAL, Spender, Used
from monkey_coder_server.adapters.storage.tables import caps, wallets
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.limits import (
    Holder,
    HolderKind,
    Limit,
    LimitReached,
    Need,
    Period,
    Standing,
    Unit,
    refusing,
)
from monkey_coder_server.ports.record import Record

_TOTAL: ColumnClause[str] = literal_column(f"'{TOTAL}'")
_ZERO: ColumnClause[int] = literal_column("0")

_day, _month, _total = (caps.alias(name) for name in ("of_day", "of_month", "in_total"))
_FIGURES = (
    _day.c.settled,
    _day.c.held,
    api_keys.c.cap_day,
    _month.c.settled,
    _month.c.held,
    api_keys.c.cap_month,
    _total.c.settled,
    _total.c.held,
    api_keys.c.cap_total,
)
_ROOM = Query(
    select(*_FIGURES, wallets.c.limited, api_keys.c.project_id, api_keys.c.team_id)
    .select_from(_total)
    .join(_month, and_(_month.c.key_id == _total.c.key_id, _month.c.period == bindparam("month")))
    .join(_day, and_(_day.c.key_id == _total.c.key_id, _day.c.period == bindparam("day")))
    .outerjoin(api_keys, api_keys.c.key_id == _total.c.key_id)
    .outerjoin(wallets, wallets.c.account_id == bindparam("account"))
    .where(_total.c.key_id == bindparam("key"), _total.c.period == _TOTAL)
)
_OF_KEY = Query(
    select(*_FIGURES)
    .select_from(api_keys)
    .outerjoin(_day, and_(_day.c.key_id == api_keys.c.key_id, _day.c.period == bindparam("day")))
    .outerjoin(_month, and_(_month.c.key_id == api_keys.c.key_id, _month.c.period == bindparam("month")))
    .outerjoin(_total, and_(_total.c.key_id == api_keys.c.key_id, _total.c.period == _TOTAL))
    .where(api_keys.c.key_id == bindparam("key"))
)
_BEGIN = Query(
    insert_or_not(caps)
    .values(key_id=bindparam("key"), period=bindparam("period"), settled=_ZERO, held=_ZERO)
    .on_conflict_do_nothing()
)
_MOVE = Query(
    update(caps)
    .where(caps.c.key_id == bindparam("key"), caps.c.period == bindparam("period"))
    .values(held=caps.c.held + bindparam("holding"), settled=caps.c.settled + bindparam("spending"))
)
_PLACE = Query(select(api_keys.c.project_id, api_keys.c.team_id).where(api_keys.c.key_id == bindparam("key")))


class Room(Record, frozen=True):
    """How everything that limits a key stands: the caps it has, and the counters of its limits."""

    caps: tuple[Standing, ...]
    counters: Sequence[counting.Counter]

    @property
    def standings(self) -> tuple[Standing, ...]:
        """All of them."""
        return (*self.caps, *(counter.standing for counter in self.counters))


def room(transaction: Transaction, spender: Spender) -> Room:
    """How the caps and limits of a key stand; counters that are missing are begun."""
    wanted = {
        "account": spender.account_id,
        "key": spender.key_id,
        "day": spender.day,
        "month": spender.month,
    }
    found = transaction.row(_ROOM, wanted)
    if found is None:
        for period in spender.periods:
            transaction.change(_BEGIN, {"key": spender.key_id, "period": period})
        [found] = transaction.rows(_ROOM, wanted)
    *figures, limited, project_id, team_id = found
    counters = counting.current(transaction, spender, project_id, team_id) if limited else ()
    return Room(_key_caps(spender.key_id, figures), counters)


def of_key(transaction: Transaction, spender: Spender) -> tuple[Standing, ...]:
    """How the caps of a key stand, of those it has; changes nothing."""
    wanted = {"key": spender.key_id, "day": spender.day, "month": spender.month}
    found = transaction.row(_OF_KEY, wanted)
    return () if found is None else _key_caps(spender.key_id, found)


def reserve(transaction: Transaction, spender: Spender, need: Need) -> None:
    """Count what a request can take as held, in every period of every limit. Raises `LimitReached`."""
    known = room(transaction, spender)
    short = refusing(known.standings, need)
    if short is not None:
        raise LimitReached(short, need.of(short.limit), spender.midnight)
    _move(transaction, spender, holding=need.money, spending=0)
    counting.reserve(transaction, spender.account_id, known.counters, need)


def counters(transaction: Transaction, spender: Spender) -> Sequence[counting.Counter]:
    """The counters of an account that has limits, for `resolve`; to be read before the hold changes its state."""
    project_id, team_id = transaction.row(_PLACE, {"key": spender.key_id}) or (None, None)
    return counting.current(transaction, spender, project_id, team_id)


def resolve(  # noqa: PLR0913 - what was held and what came of it
    transaction: Transaction,
    spender: Spender,
    held: Need,
    *,
    charged: int,
    used: Used = NOTHING_USED,
    limits: Sequence[counting.Counter] = (),
) -> None:
    """Turn what was held into a spend of `charged` in the periods it was reserved in; `limits` are its `counters`."""
    _move(transaction, spender, holding=-held.money, spending=charged)
    if limits:
        ended = counting.Counted(held, charged, used)
        counting.resolve_each(transaction, spender.account_id, limits, [ended])


def resolve_keys(transaction: Transaction, resolved: Iterable[tuple[Spender, int, int]]) -> None:
    """Turn what keys held into spends: of each what was held, and what was charged. Limits are left to the caller."""
    _move_each(transaction, [(spender, -held, charged) for spender, held, charged in resolved])


def _key_caps(key_id: str, figures: Sequence[int | None]) -> tuple[Standing, ...]:
    """The caps a key has, from spent, held and allowed of each period."""
    holder = Holder(HolderKind.KEY, key_id)
    return tuple(
        Standing(Limit(holder, period, Unit.MONEY, allowed), spent or 0, held or 0)
        for period, spent, held, allowed in zip(Period, figures[::3], figures[1::3], figures[2::3], strict=True)
        if allowed is not None
    )


def _move(transaction: Transaction, spender: Spender, *, holding: int, spending: int) -> None:
    """Change the counters of all three periods of the key."""
    _move_each(transaction, [(spender, holding, spending)])


def _move_each(transaction: Transaction, moves: Sequence[tuple[Spender, int, int]]) -> None:
    """Change the counters of several; a key that spends on two days has one of the month, and one in total."""
    held, spent = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for spender, holding, spending in moves:
        for period in spender.periods:
            held[spender.key_id, period] += holding
            spent[spender.key_id, period] += spending
    transaction.change_each(
        _MOVE,
        [
            {"key": key_id, "period": period, "holding": held[key_id, period], "spending": spent[key_id, period]}
            for key_id, period in held
        ],
    )
