"""Automatic top-ups: who begins a payment holds the rule's row, so that of many at once one does."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnClause, and_, bindparam, insert, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage import holds
from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.tables import wallets
from monkey_coder_server.adapters.storage.top_up_tables import top_up_charges, top_ups
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction, change
from monkey_coder_server.domain import top_ups as rules
from monkey_coder_server.domain.money import NANO_PER_CENT
from monkey_coder_server.domain.top_ups import TopUpRule, TopUpStanding, TopUpState
from monkey_coder_server.ports.top_ups import TopUpCharge

CLAIM = timedelta(minutes=1)
"""For so long a payment is its caller's: longer than one waits for the processor."""

_STANDING = (
    "threshold",
    "amount",
    "monthly_maximum",
    "state",
    "sequence",
    "under_way",
    "strikes",
    "month",
    "charged",
    "not_before",
    "last_failure",
)
_columns = [top_ups.c[name] for name in _STANDING]
_OF_ACCOUNT = top_ups.c.account_id == bindparam("whose")
_FIND = Query(select(*_columns).where(_OF_ACCOUNT))
_LOCK = Query(select(*_columns).where(_OF_ACCOUNT).with_for_update())
_MEET = Query(
    insert_or_not(top_ups)
    .values({name: bindparam(f"new_{name}") for name in (*_STANDING, "account_id", "set_by", "set_at")})
    .on_conflict_do_nothing()
)
_KEEP = Query(update(top_ups).where(_OF_ACCOUNT).values({name: bindparam(f"new_{name}") for name in _STANDING}))
_SIGN = Query(update(top_ups).where(_OF_ACCOUNT).values(set_by=bindparam("by"), set_at=bindparam("now")))
_ON: ColumnClause[str] = literal_column("'on'")
_OPEN: ColumnClause[str] = literal_column("'open'")
_CENT: ColumnClause[int] = literal_column(str(NANO_PER_CENT))
_ROOM = or_(
    and_(top_ups.c.month != bindparam("month"), top_ups.c.amount <= top_ups.c.monthly_maximum),
    and_(top_ups.c.month == bindparam("month"), top_ups.c.charged + top_ups.c.amount <= top_ups.c.monthly_maximum),
)
_DUE = Query(
    select(top_ups.c.account_id)
    .join(wallets, wallets.c.account_id == top_ups.c.account_id)
    .where(
        top_ups.c.state == _ON,
        ~top_ups.c.under_way,
        top_ups.c.not_before <= bindparam("now"),
        wallets.c.balance < top_ups.c.threshold * _CENT,
        _ROOM,
    )
    .order_by(top_ups.c.not_before, top_ups.c.account_id)
    .limit(bindparam("most"))
)
_POSTPONE = Query(update(top_ups).where(_OF_ACCOUNT).values(not_before=bindparam("until")))
_BEGIN = Query(insert(top_up_charges))
_charge_columns = [top_up_charges.c[name] for name in ("account_id", "sequence", "cents", "at", "payment_id")]
_THIS_CHARGE = and_(
    top_up_charges.c.account_id == bindparam("whose"),
    top_up_charges.c.sequence == bindparam("number"),
    top_up_charges.c.state == _OPEN,
)
_WAITING = Query(
    select(*_charge_columns)
    .where(top_up_charges.c.state == _OPEN, top_up_charges.c.next_at <= bindparam("now"))
    .order_by(top_up_charges.c.next_at)
    .limit(bindparam("most"))
)
_TAKE = Query(
    update(top_up_charges)
    .where(_THIS_CHARGE, top_up_charges.c.next_at <= bindparam("now"))
    .values(next_at=bindparam("until"))
)
_NAME = Query(update(top_up_charges).where(_THIS_CHARGE).values(payment_id=bindparam("named")))
_END = Query(update(top_up_charges).where(_THIS_CHARGE).values(state=bindparam("ended")))


class SqlTopUps:
    """`ports.top_ups.TopUps`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def find(self, account_id: str) -> TopUpStanding | None:
        """An account's rule, also one that was removed."""
        row = await self._readers.read_of(account_id, lambda reader: reader.row(_FIND, {"whose": account_id}))
        return None if row is None else _standing(row)

    async def set(self, account_id: str, rule: TopUpRule, *, by: str, now: datetime) -> TopUpStanding:
        """Set a rule. Raises `NotFound`."""
        return await self._writer.perform(partial(_set, account_id, rule, by, now))

    async def remove(self, account_id: str, *, by: str, now: datetime) -> bool:
        """Take the rule away; False when there was none."""
        return await self._writer.perform(partial(_remove, account_id, by, now))

    async def due(self, now: datetime, *, most: int) -> Sequence[str]:
        """Accounts that are to be charged, as far as one look can tell."""
        wanted = {"now": to_micros(now), "month": rules.month_of(now), "most": most}
        return await self._readers.read(lambda reader: [str(row[0]) for row in reader.rows(_DUE, wanted)])

    async def begin(self, account_id: str, now: datetime) -> TopUpCharge | None:
        """Begin a payment if it is due still."""
        return await self._writer.perform(partial(_begin, account_id, now))

    async def postpone(self, account_id: str, until: datetime) -> None:
        """Begin nothing before then."""
        wanted = {"whose": account_id, "until": to_micros(until)}
        await self._writer.perform(partial(change, _POSTPONE, wanted))

    async def take_open(self, now: datetime, *, most: int) -> Sequence[TopUpCharge]:
        """Payments whose end is to be asked for now."""
        wanted = {"now": to_micros(now), "most": most}
        waiting = await self._readers.read(lambda reader: [_charge(row) for row in reader.rows(_WAITING, wanted)])
        return await self._writer.perform(partial(_take, waiting, now)) if waiting else ()

    async def name(self, charge: TopUpCharge, payment_id: str) -> None:
        """Note what the processor calls a payment."""
        await self._writer.perform(partial(change, _NAME, {**_of(charge), "named": payment_id}))

    async def succeed(self, charge: TopUpCharge) -> TopUpStanding | None:
        """The payment was received."""
        return await self._writer.perform(partial(_end, charge, "succeeded", rules.succeeded))

    async def fail(self, charge: TopUpCharge, why: str, now: datetime) -> TopUpStanding | None:
        """The payment came to nothing."""
        after = partial(rules.failed, cents=charge.cents, why=why, now=now)
        return await self._writer.perform(partial(_end, charge, "failed", after))


def _set(account_id: str, rule: TopUpRule, by: str, now: datetime, transaction: Transaction) -> TopUpStanding:
    holds.read_wallet(transaction, account_id)
    signed = {"by": by, "now": to_micros(now)}
    first = {"new_account_id": account_id, "new_set_by": by, "new_set_at": to_micros(now)}
    transaction.change(_MEET, {**_values(rules.set_anew(None, rule, now)), **first})
    standing = rules.set_anew(_locked(transaction, account_id), rule, now)
    _keep(transaction, account_id, standing)
    transaction.change(_SIGN, {"whose": account_id, **signed})
    return standing


def _remove(account_id: str, by: str, now: datetime, transaction: Transaction) -> bool:
    standing = _locked(transaction, account_id)
    if standing is None or standing.state is TopUpState.REMOVED:
        return False
    _keep(transaction, account_id, rules.removed(standing))
    transaction.change(_SIGN, {"whose": account_id, "by": by, "now": to_micros(now)})
    return True


def _begin(account_id: str, now: datetime, transaction: Transaction) -> TopUpCharge | None:
    """The balance is read by a statement after the one that waited for the row, so it knows all that came before."""
    standing = _locked(transaction, account_id)
    balance = holds.read_wallet(transaction, account_id).balance
    if standing is None or not rules.is_due(standing, balance=balance, now=now):
        return None
    standing = rules.begun(standing, now)
    _keep(transaction, account_id, standing)
    charge = TopUpCharge(account_id, standing.sequence, standing.rule.amount, now)
    transaction.change(
        _BEGIN,
        {
            "account_id": account_id,
            "sequence": charge.sequence,
            "cents": charge.cents,
            "state": "open",
            "payment_id": "",
            "at": to_micros(now),
            "next_at": to_micros(now + CLAIM),
        },
    )
    return charge


def _take(waiting: Sequence[TopUpCharge], now: datetime, transaction: Transaction) -> list[TopUpCharge]:
    claim = {"now": to_micros(now), "until": to_micros(now + CLAIM)}
    return [charge for charge in waiting if transaction.change(_TAKE, {**_of(charge), **claim})]


def _end(
    charge: TopUpCharge, ended: str, after: Callable[[TopUpStanding], TopUpStanding], transaction: Transaction
) -> TopUpStanding | None:
    standing = _locked(transaction, charge.account_id)
    if standing is None or not transaction.change(_END, {**_of(charge), "ended": ended}):
        return None
    standing = after(standing)
    _keep(transaction, charge.account_id, standing)
    return standing


def _locked(transaction: Transaction, account_id: str) -> TopUpStanding | None:
    row = transaction.row(_LOCK, {"whose": account_id})
    return None if row is None else _standing(row)


def _keep(transaction: Transaction, account_id: str, standing: TopUpStanding) -> None:
    transaction.change(_KEEP, {"whose": account_id, **_values(standing)})


def _of(charge: TopUpCharge) -> dict[str, object]:
    return {"whose": charge.account_id, "number": charge.sequence}


def _values(standing: TopUpStanding) -> dict[str, object]:
    rule = standing.rule
    given = (
        rule.threshold,
        rule.amount,
        rule.monthly_maximum,
        standing.state.value,
        standing.sequence,
        standing.under_way,
        standing.strikes,
        standing.month,
        standing.charged,
        to_micros(standing.not_before),
        standing.last_failure,
    )
    return {f"new_{name}": value for name, value in zip(_STANDING, given, strict=True)}


def _standing(row: Row) -> TopUpStanding:
    threshold, amount, maximum, state, sequence, under_way, strikes, month, charged, not_before, failure = row
    return TopUpStanding(
        rule=TopUpRule(threshold=threshold, amount=amount, monthly_maximum=maximum),
        state=TopUpState(state),
        sequence=sequence,
        under_way=bool(under_way),
        strikes=strikes,
        month=month,
        charged=charged,
        not_before=from_micros(not_before),
        last_failure=failure,
    )


def _charge(row: Row) -> TopUpCharge:
    account_id, sequence, cents, at, payment_id = row
    return TopUpCharge(account_id, sequence, cents, from_micros(at), payment_id)
