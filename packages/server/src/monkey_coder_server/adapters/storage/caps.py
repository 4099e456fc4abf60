"""Spending caps of a key: counters by UTC day, UTC month and in total, each checked by the statement that raises it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnClause, and_, bindparam, case, func, insert, literal_column, select, update

from monkey_coder_server.adapters.storage.people import api_keys
from monkey_coder_server.adapters.storage.tables import caps
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.errors import BudgetExceeded
from monkey_coder_server.domain.ledger import cap_periods
from monkey_coder_server.domain.money import usd

PERIODS = 3
TOTAL = "total"

_OWN = and_(
    caps.c.key_id == bindparam("key"),
    caps.c.period.in_([bindparam("day"), bindparam("month"), literal_column(f"'{TOTAL}'")]),
)
_LIMIT = (
    select(
        case(
            (caps.c.period == bindparam("day"), api_keys.c.cap_day),
            (caps.c.period == bindparam("month"), api_keys.c.cap_month),
            else_=api_keys.c.cap_total,
        )
    )
    .where(api_keys.c.key_id == bindparam("key"))
    .correlate(caps)
    .scalar_subquery()
)
_UNLIMITED: ColumnClause[int] = literal_column(str(2**63 - 1))
_ZERO: ColumnClause[int] = literal_column("0")

_RESERVE = Query(
    update(caps)
    .where(_OWN, caps.c.settled + caps.c.held + bindparam("amount") <= func.coalesce(_LIMIT, _UNLIMITED))
    .values(held=caps.c.held + bindparam("amount"))
    .returning(caps.c.period)
)
_RESERVE_ONE = Query(
    update(caps)
    .where(
        caps.c.key_id == bindparam("key"),
        caps.c.period == bindparam("period"),
        caps.c.settled + caps.c.held + bindparam("amount") <= func.coalesce(_LIMIT, _UNLIMITED),
    )
    .values(held=caps.c.held + bindparam("amount"))
)
_BEGIN = Query(insert(caps).values(key_id=bindparam("key"), period=bindparam("period"), settled=_ZERO, held=_ZERO))
_READ = Query(select(caps.c.period, caps.c.settled + caps.c.held, _LIMIT).where(_OWN))
_RESOLVE = Query(
    update(caps)
    .where(_OWN)
    .values(held=caps.c.held - bindparam("amount"), settled=caps.c.settled + bindparam("charged"))
)


@dataclass(frozen=True, slots=True)
class Spender:
    """A key and the UTC day and month its spending counts for."""

    key_id: str
    day: str
    month: str

    def parameters(self, amount: int) -> dict[str, object]:
        """What the statements are given."""
        return {"key": self.key_id, "day": self.day, "month": self.month, "amount": amount}


def spender(key_id: str, at: datetime) -> Spender:
    """A key spending at a moment."""
    return Spender(key_id, *cap_periods(at))


def reserve(transaction: Transaction, spender: Spender, amount: int) -> None:
    """Count `amount` as held in all three periods. Raises `BudgetExceeded`; the caller's savepoint then undoes all."""
    parameters = spender.parameters(amount)
    reserved = {row[0] for row in transaction.rows(_RESERVE, parameters)}
    if len(reserved) == PERIODS:
        return
    counted = {row[0] for row in transaction.rows(_READ, parameters)}
    for period in {spender.day, spender.month, TOTAL} - counted:
        transaction.change(_BEGIN, {"key": spender.key_id, "period": period})
        if transaction.change(_RESERVE_ONE, {**parameters, "period": period}):
            reserved.add(period)
    if len(reserved) < PERIODS:
        refusing = [row for row in transaction.rows(_READ, parameters) if row[0] not in reserved]
        raise _exceeded(refusing, spender, amount)


def resolve(transaction: Transaction, spender: Spender, amount: int, *, charged: int) -> None:
    """Turn a hold of `amount` into a spend of `charged` in the periods it was reserved in."""
    transaction.change(_RESOLVE, {**spender.parameters(amount), "charged": charged})


def _exceeded(refusing: list[Row], spender: Spender, amount: int) -> BudgetExceeded:
    """The error of the tightest cap that refused, with its figures."""
    period, used, limit = min(refusing, key=lambda row: row[2] - row[1])
    name = {spender.day: "day", spender.month: "month"}.get(period, TOTAL)
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
