"""Limits as rows: set, taken back, listed. A key's caps on money stand with the key, all others in `limits`.

The release before reads those caps there, so no cap binds one process and not another while they are exchanged.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, case, delete, func, insert, literal_column, select, update

from monkey_coder_server.adapters.storage import caps, counting, key_rows
from monkey_coder_server.adapters.storage.limit_tables import counters, limits
from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.spending import spender
from monkey_coder_server.adapters.storage.tables import wallets
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.limits import HolderKind, Limit, Standing, Unit, period_name

_OWN = (
    limits.c.account_id == bindparam("account"),
    limits.c.holder == bindparam("of"),
    limits.c.model == bindparam("on"),
    limits.c.unit == bindparam("counted"),
    limits.c.period == bindparam("each"),
)
_KIND = case(
    (counters.c.period == literal_column("'total'"), literal_column("'total'")),
    (func.length(counters.c.period) == literal_column("10"), literal_column("'day'")),
    else_=literal_column("'month'"),
)
_CHANGE = Query(update(limits).where(*_OWN).values(allowed=bindparam("most")))
_ADD = Query(insert(limits))
_REMOVE = Query(delete(limits).where(*_OWN))
_FORGET = Query(
    delete(counters).where(
        counters.c.account_id == bindparam("account"),
        counters.c.holder == bindparam("of"),
        counters.c.model == bindparam("on"),
        counters.c.unit == bindparam("counted"),
        bindparam("each") == _KIND,
    )
)
_ANY = Query(select(limits.c.unit).where(limits.c.account_id == bindparam("account")).limit(literal_column("1")))
_MARK = Query(update(wallets).where(wallets.c.account_id == bindparam("account")).values(limited=bindparam("marked")))


class SqlLimits:
    """`ports.limits.Limits`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def put(self, account_id: str, limit: Limit, at: datetime) -> None:
        """Set a limit, or change what it allows. Raises `NotFound`."""
        await self._writer.perform(partial(_put, account_id, limit, at))

    async def remove(self, account_id: str, limit: Limit) -> bool:
        """Take a limit back, whatever it allows; False when there is none."""
        return await self._writer.perform(partial(_remove, account_id, limit))

    async def standings(self, account_id: str, at: datetime) -> Sequence[Standing]:
        """Every limit of an account with what is spent and held."""
        return await self._readers.read_of(account_id, partial(standings_of, account_id, at))


def _put(account_id: str, limit: Limit, at: datetime, transaction: Transaction) -> None:
    key_id = limit.holder.id if limit.holder.kind is HolderKind.KEY else None
    if key_id is not None and not key_rows.belongs(transaction, account_id, key_id):
        message = f"The account {account_id} has no API key {key_id}."
        raise NotFound(message)
    if key_id is not None and _stands_with_key(limit):
        key_rows.set_cap(transaction, account_id, key_id, limit.period.value, limit.allowed)
        return
    if not transaction.change(_MARK, {"account": account_id, "marked": True}):
        message = f"The account {account_id} has no wallet."
        raise NotFound(message)
    if not transaction.change(_CHANGE, _named(account_id, limit) | {"most": limit.allowed}):
        since = to_micros(at)
        row = {
            "account_id": account_id,
            "holder": counting.stored(limit.holder),
            "model": limit.model,
            "period": limit.period.value,
            "unit": limit.unit.value,
            "allowed": limit.allowed,
            "since": since,
        }
        transaction.change(_ADD, row)
        counting.begin(transaction, account_id, limit, period_name(limit.period, at), since)


def _remove(account_id: str, limit: Limit, transaction: Transaction) -> bool:
    if _stands_with_key(limit):
        return key_rows.clear_cap(transaction, account_id, limit.holder.id, limit.period.value)
    transaction.change(_MARK, {"account": account_id, "marked": True})
    removed = bool(transaction.change(_REMOVE, _named(account_id, limit)))
    transaction.change(_FORGET, _named(account_id, limit))
    if transaction.row(_ANY, {"account": account_id}) is None:
        transaction.change(_MARK, {"account": account_id, "marked": False})
    return removed


def standings_of(account_id: str, at: datetime, transaction: Transaction) -> list[Standing]:
    """As `SqlLimits.standings` tells them."""
    found = counting.all_of(transaction, spender(account_id, "", at))
    for key_id in key_rows.capped(transaction, account_id):
        found += caps.of_key(transaction, spender(account_id, key_id, at))
    return found


def _stands_with_key(limit: Limit) -> bool:
    """Whether it is a cap on a key's money, which the key's own row holds."""
    return limit.holder.kind is HolderKind.KEY and limit.unit is Unit.MONEY and not limit.model


def _named(account_id: str, limit: Limit) -> dict[str, str | int]:
    return {
        "account": account_id,
        "of": counting.stored(limit.holder),
        "on": limit.model,
        "counted": limit.unit.value,
        "each": limit.period.value,
    }
