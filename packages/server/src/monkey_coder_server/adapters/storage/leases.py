"""Leases: slices of a wallet that processes admit requests against by themselves.

Whatever changes what a lease holds changes or locks its wallet's row first, as `holds` does.
"""

from collections.abc import Iterator

from msgspec.structs import replace
from sqlalchemy import ColumnClause, bindparam, func, insert, literal_column, select, update

from monkey_coder_server.adapters.storage import caps, holds
from monkey_coder_server.adapters.storage.lease_tables import leases
from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.several import Several
from monkey_coder_server.adapters.storage.spending import Spender, spender
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.ledger import fair_share
from monkey_coder_server.domain.limits import Need, leasable, room
from monkey_coder_server.ports.books import Lease, LeaseWish
from monkey_coder_server.ports.record import Record

ENDED_AT_ONCE = 20
OPEN, CLOSED, EXPIRED = "open", "closed", "expired"
_OPEN: ColumnClause[str] = literal_column("'open'")
_NOTHING: ColumnClause[int] = literal_column("0")
_NEVER: ColumnClause[int] = literal_column("NULL")

_COLUMNS = (
    leases.c.lease_id,
    leases.c.account_id,
    leases.c.key_id,
    leases.c.day,
    leases.c.month,
    leases.c.amount,
    leases.c.charged,
    leases.c.returned,
    leases.c.state,
    leases.c.taken_at,
    leases.c.expires_at,
)
_FIND = Several(lambda ids: select(*_COLUMNS).where(leases.c.lease_id.in_(ids)))
_OTHERS = Query(
    select(func.count(leases.c.instance.distinct())).where(
        leases.c.account_id == bindparam("account"),
        leases.c.state == _OPEN,
        leases.c.instance != bindparam("this"),
    )
)
_TAKE = Query(
    insert(leases).values(
        {
            column.name: bindparam(column.name)
            for column in leases.columns
            if column.name not in {"charged", "returned", "state", "recalled_at"}
        }
        | {"charged": _NOTHING, "returned": _NOTHING, "state": _OPEN}
    )
)
_RETURN = Query(
    update(leases)
    .where(leases.c.lease_id == bindparam("lease"))
    .values(returned=bindparam("back"), recalled_at=_NEVER, state=bindparam("becomes"))
)
_CHARGE = Query(
    update(leases)
    .where(leases.c.lease_id == bindparam("lease"))
    .values(amount=bindparam("size"), charged=bindparam("spent"))
)
_USE_UP = Query(
    update(leases)
    .where(leases.c.lease_id == bindparam("lease"))
    .values(amount=bindparam("size"), charged=bindparam("spent"), state=literal_column("'closed'"), recalled_at=_NEVER)
)
_OF_INSTANCE = Query(
    select(leases.c.lease_id, leases.c.account_id).where(
        leases.c.state == _OPEN, leases.c.instance == bindparam("this")
    )
)
_OVERDUE = Query(
    select(leases.c.lease_id, leases.c.account_id)
    .where(leases.c.state == _OPEN, leases.c.expires_at < bindparam("now"))
    .order_by(leases.c.expires_at)
    .limit(bindparam("most"))
)


class Slice(Record, frozen=True):
    """A row of `leases`."""

    lease_id: str
    account_id: str
    key_id: str
    day: str
    month: str
    amount: int
    charged: int
    returned: int
    state: str
    taken_at: int
    expires_at: int

    @property
    def left(self) -> int:
        """What the wallet and the counters hold for it."""
        return self.amount - self.charged - self.returned

    def charge(self, amount: int, *, late: int = 0) -> "Slice":
        """The lease after a charge, `late` of it not covered by what was left."""
        return replace(self, amount=self.amount + late, charged=self.charged + amount)

    @property
    def spender(self) -> Spender:
        """What it counts for."""
        return Spender(self.account_id, self.key_id, self.day, self.month)


def find(transaction: Transaction, lease_ids: list[str]) -> dict[str, Slice]:
    """Leases by their ids; to be relied on only while their wallets are locked."""
    return {row[0]: Slice(*row) for row in _FIND.rows(transaction, lease_ids)}


def take(wish: LeaseWish, transaction: Transaction) -> Lease | None:
    """Reserve a slice in the wallet and in every limit; None below `wish.least`. A repeat returns the same slice.

    None as well of a frozen wallet, and under a limit that no slice taken beforehand can honour: see
    `domain.limits.leasable`.

    Raises `NotFound` without a wallet, `ValueError` when the id is another's.
    """
    wallet, _, frozen = holds.lock(transaction, wish.account_id)
    taken = find(transaction, [wish.lease_id]).get(wish.lease_id)
    if taken is not None:
        return _told(taken, wish, balance=wallet.balance, available=wallet.available)
    spending = spender(wish.account_id, wish.key_id, wish.at)
    amount = min(wish.wanted, _share(transaction, wish, spending, wallet.available))
    if amount < wish.least or amount <= 0 or frozen:
        return None
    holds.move(transaction, wish.account_id, held=amount)
    caps.reserve(transaction, spending, Need(amount))
    made = Slice(
        wish.lease_id,
        wish.account_id,
        wish.key_id,
        spending.day,
        spending.month,
        amount,
        charged=0,
        returned=0,
        state=OPEN,
        taken_at=to_micros(wish.at),
        expires_at=to_micros(wish.expires_at),
    )
    transaction.change(
        _TAKE,
        {
            "lease_id": made.lease_id,
            "account_id": made.account_id,
            "key_id": made.key_id,
            "instance": wish.instance,
            "day": made.day,
            "month": made.month,
            "amount": amount,
            "taken_at": made.taken_at,
            "expires_at": made.expires_at,
        },
    )
    return _told(made, wish, balance=wallet.balance, available=wallet.available - amount)


def give_back(lease_id: str, returned: int, transaction: Transaction) -> None:
    """Take back unused credit, `returned` in all, but never what is charged already. Nothing when it is not open."""
    known = find(transaction, [lease_id]).get(lease_id)
    if known is not None and known.state == OPEN:
        holds.lock_wallet(transaction, known.account_id)
        [held] = find(transaction, [lease_id]).values()
        if held.state == OPEN:
            back = min(max(returned - held.returned, 0), held.left)
            _release(transaction, held, back, CLOSED if back == held.left else OPEN)


def expire(now: int, transaction: Transaction) -> int:
    """Take back what is left of some leases whose time is over; how many."""
    overdue = transaction.rows(_OVERDUE, {"now": now, "most": ENDED_AT_ONCE})
    return sum(held.expires_at < now and _end(transaction, held, EXPIRED) for held in _locked(transaction, overdue))


def end_all(instance: str, transaction: Transaction) -> int:
    """Take back what is left of some leases of a process that is gone; how many."""
    left = transaction.rows(_OF_INSTANCE, {"this": instance})
    return sum(_end(transaction, held, CLOSED) for held in _locked(transaction, left[:ENDED_AT_ONCE]))


def write_charges(transaction: Transaction, charged: list[Slice]) -> None:
    """Store the new figures of leases; those with nothing left are closed."""
    for query, wanted in ((_CHARGE, False), (_USE_UP, True)):
        changes = [
            {"lease": each.lease_id, "size": each.amount, "spent": each.charged}
            for each in sorted(charged, key=_id)
            if (each.state == OPEN and not each.left) is wanted
        ]
        if changes:
            transaction.change_each(query, changes)


def _share(transaction: Transaction, wish: LeaseWish, spending: Spender, available: int) -> int:
    """The most the lease may be: a fair share of what is free in the wallet and in the tightest limit."""
    standings = caps.room(transaction, spending).standings
    if not all(leasable(standing.limit) for standing in standings):
        return 0
    left = room(standings)
    [[others]] = transaction.rows(_OTHERS, {"account": wish.account_id, "this": wish.instance})
    return fair_share(available if left is None else min(available, left), others + 1)


def _locked(transaction: Transaction, found: list[Row]) -> Iterator[Slice]:
    """Leases as they stand once their wallets are locked, in the order of those."""
    for lease_id, account_id in sorted(found, key=_account):
        holds.lock_wallet(transaction, account_id)
        yield from find(transaction, [lease_id]).values()


def _end(transaction: Transaction, held: Slice, state: str) -> bool:
    """Take back all that is left, unless that was done meanwhile."""
    if held.state != OPEN:
        return False
    _release(transaction, held, held.left, state)
    return True


def _release(transaction: Transaction, held: Slice, back: int, state: str) -> None:
    """Give `back` to the wallet and the limits."""
    limits = caps.counters(transaction, held.spender) if back else ()
    transaction.change(_RETURN, {"lease": held.lease_id, "back": held.returned + back, "becomes": state})
    if back:
        holds.move(transaction, held.account_id, held=-back)
        caps.resolve(transaction, held.spender, Need(back), charged=0, limits=limits)


def _told(taken: Slice, wish: LeaseWish, *, balance: int, available: int) -> Lease:
    if (taken.account_id, taken.key_id) != (wish.account_id, wish.key_id):
        message = f"The lease {wish.lease_id} was taken for another account or key."
        raise ValueError(message)
    return Lease(
        taken.lease_id,
        taken.account_id,
        taken.key_id,
        taken.amount,
        at=from_micros(taken.taken_at),
        expires_at=from_micros(taken.expires_at),
        balance=balance,
        available=available,
    )


def _account(row: Row) -> str:
    """What wallets are locked in the order of, so that two sweepers never wait for each other."""
    return str(row[1])


def _id(held: Slice) -> str:
    return held.lease_id
