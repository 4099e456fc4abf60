"""Spending caps of a key: counters by UTC day, UTC month and in total.

They are read before they are raised, which is safe because both happen behind the lock of the wallet: see `holds`.
"""

from datetime import datetime

from sqlalchemy import ColumnClause, and_, bindparam, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.people import api_keys
from monkey_coder_server.adapters.storage.tables import caps
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.errors import BudgetExceeded
from monkey_coder_server.domain.ledger import cap_periods
from monkey_coder_server.domain.money import usd
from monkey_coder_server.ports.record import Record

TOTAL = "total"
_ANY = 2**63 - 1
"""What a key without a cap may spend."""
_TOTAL: ColumnClause[str] = literal_column(f"'{TOTAL}'")
_ZERO: ColumnClause[int] = literal_column("0")

_day, _month, _total = (caps.alias(name) for name in ("of_day", "of_month", "in_total"))
_ROOM = Query(
    select(
        _day.c.settled + _day.c.held,
        api_keys.c.cap_day,
        _month.c.settled + _month.c.held,
        api_keys.c.cap_month,
        _total.c.settled + _total.c.held,
        api_keys.c.cap_total,
    )
    .select_from(_total)
    .join(_month, and_(_month.c.key_id == _total.c.key_id, _month.c.period == bindparam("month")))
    .join(_day, and_(_day.c.key_id == _total.c.key_id, _day.c.period == bindparam("day")))
    .outerjoin(api_keys, api_keys.c.key_id == _total.c.key_id)
    .where(_total.c.key_id == bindparam("key"), _total.c.period == _TOTAL)
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


class Spender(Record, frozen=True):
    """A key and the UTC day and month its spending counts for."""

    key_id: str
    day: str
    month: str

    @property
    def periods(self) -> tuple[str, str, str]:
        """What the key's counters are kept by."""
        return self.day, self.month, TOTAL


def spender(key_id: str, at: datetime) -> Spender:
    """A key spending at a moment."""
    return Spender(key_id, *cap_periods(at))


def reserve(transaction: Transaction, spender: Spender, amount: int) -> None:
    """Count `amount` as held in all three periods. Raises `BudgetExceeded`."""
    room = _room(transaction, spender)
    if any(used + amount > limit for used, limit in room):
        raise _exceeded(room, amount)
    _move(transaction, spender, holding=amount, spending=0)


def resolve(transaction: Transaction, spender: Spender, amount: int, *, charged: int) -> None:
    """Turn a hold of `amount` into a spend of `charged` in the periods it was reserved in."""
    _move(transaction, spender, holding=-amount, spending=charged)


def _room(transaction: Transaction, spender: Spender) -> list[tuple[int, int]]:
    """What is spent and held, and its limit, for each period; counters that are missing are begun."""
    wanted = {"key": spender.key_id, "day": spender.day, "month": spender.month}
    found = transaction.row(_ROOM, wanted)
    if found is None:
        for period in spender.periods:
            transaction.change(_BEGIN, {"key": spender.key_id, "period": period})
        [found] = transaction.rows(_ROOM, wanted)
    day, day_cap, month, month_cap, total, total_cap = found
    limits = (day_cap, month_cap, total_cap)
    return [(used, _ANY if limit is None else limit) for used, limit in zip((day, month, total), limits, strict=True)]


def _move(transaction: Transaction, spender: Spender, *, holding: int, spending: int) -> None:
    """Change the counters of all three periods."""
    key = spender.key_id
    transaction.change_each(
        _MOVE,
        [{"key": key, "period": period, "holding": holding, "spending": spending} for period in spender.periods],
    )


def _exceeded(room: list[tuple[int, int]], amount: int) -> BudgetExceeded:
    """The error of the tightest cap that refuses, with its figures."""
    name, used, limit = min(
        (
            (name, used, limit)
            for name, (used, limit) in zip(("day", "month", TOTAL), room, strict=True)
            if used + amount > limit
        ),
        key=lambda cap: cap[2] - cap[1],
    )
    left = max(limit - used, 0)
    message = (
        f"This request may cost up to {usd(amount)} USD, but the API key's {name} cap of {usd(limit)} USD "
        f"has {usd(left)} USD left. Raise the cap, or send a smaller request."
    )
    facts = {
        "limit": f"key_{name}_cap",
        "limit_usd": usd(limit),
        "spent_usd": usd(used),
        "available_usd": usd(left),
        "needed_usd": usd(amount),
    }
    return BudgetExceeded(message, facts=facts)
