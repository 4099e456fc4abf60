"""Where the charges of shipped requests come from: the hold, the lease, else what the wallet has free.

A till works on figures in memory that nobody else can change, since it locks every wallet first, and writes each
wallet, lease and counter once.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import select

from monkey_coder_server.adapters.storage import caps, counting, grant_rows, holds, idempotency, leases
from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.several import Several
from monkey_coder_server.adapters.storage.spending import NOTHING_USED, Spender, Used, read_models, spender
from monkey_coder_server.adapters.storage.tables import holds as holds_table
from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.domain.ledger import HoldState
from monkey_coder_server.domain.limits import Need, room
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.ledger import HOUSE, FailedRequest
from monkey_coder_server.ports.record import Record

_ENDED = {HoldState.SETTLED.value, HoldState.VOIDED.value}
_KNOWN = Several(
    lambda ids: select(
        holds_table.c.request_id,
        holds_table.c.account_id,
        holds_table.c.key_id,
        holds_table.c.amount,
        holds_table.c.day,
        holds_table.c.month,
        holds_table.c.state,
        holds_table.c.resolved_at,
        holds_table.c.idempotency_key,
        holds_table.c.tokens,
        holds_table.c.models,
    ).where(holds_table.c.request_id.in_(ids))
)


class Known(NamedTuple):
    """A hold that was placed in the books."""

    request_id: str
    account_id: str
    key_id: str
    amount: int
    day: str
    month: str
    state: str
    resolved_at: int | None
    idempotency_key: str | None
    tokens: int | None
    models: str | None

    @property
    def need(self) -> Need:
        """What it holds of every limit."""
        return Need(self.amount, self.tokens or 0, read_models(self.models))

    @property
    def spender(self) -> Spender:
        """What it counts for."""
        return Spender(self.account_id, self.key_id, self.day, self.month)


class Taken(Record, frozen=True):
    """An ending whose charge has been taken. `balance` is the wallet's after it; `known` its hold, if it had a row.

    `ended_at` is its end in microseconds; `answers` is the idempotency key it has the claim of.
    """

    resolved: Resolved
    ended_at: int
    spender: Spender
    hold: int
    charged: int
    balance: int
    lease_id: str | None = None
    known: Known | None = None
    answers: str | None = None


@dataclass(slots=True)
class _Purse:
    """The figures of a wallet as they run, and how far they have moved."""

    balance: int
    held: int
    limited: bool
    more: int = 0
    holding: int = 0

    @property
    def free(self) -> int:
        return self.balance - self.held

    def pay(self, amount: int) -> None:
        self.balance -= amount
        self.more -= amount

    def let_go(self, amount: int) -> None:
        self.held -= amount
        self.holding -= amount


@dataclass(slots=True)
class _Drawer:
    """A lease, what it has left, and what endings took of it: `late` is what it had not."""

    lease: leases.Slice
    spender: Spender
    left: int
    charged: int = 0
    late: int = 0


@dataclass(slots=True)
class _Moved:
    """What the endings of a key let go of and spent; each of them where limits count."""

    let_go: int = 0
    spent: int = 0
    counted: list[counting.Counted] = field(default_factory=list)


@dataclass(slots=True)
class Till:
    """Takes the charges of one batch inside its transaction. `settle_up` when all are taken."""

    transaction: Transaction
    _purses: dict[str, _Purse]
    _known: dict[str, Known]
    _drawers: dict[str, _Drawer]
    _moved: defaultdict[Spender, _Moved] = field(default_factory=lambda: defaultdict(_Moved))

    @classmethod
    def open(cls, transaction: Transaction, batch: Sequence[Resolved]) -> "Till":
        """Lock the wallets, then read what the batch is about. The house's is made when something is booked on it."""
        accounts = {each.hold.account_id for each in batch}
        if HOUSE in accounts:
            holds.open_wallet(transaction, HOUSE)
        wallets = holds.lock_wallets(transaction, accounts)
        lease_ids = sorted({each.lease_id for each in batch if each.lease_id is not None})
        known = _KNOWN.rows(transaction, [each.hold.request_id for each in batch])
        found = leases.find(transaction, lease_ids) if lease_ids else {}
        return cls(
            transaction,
            {name: _Purse(wallet.balance, wallet.held, limited) for name, (wallet, limited, _) in wallets.items()},
            {row[0]: Known(*row) for row in known},
            {lease_id: _Drawer(lease, lease.spender, lease.left) for lease_id, lease in found.items()},
        )

    def take(self, resolved: Resolved) -> Taken | None:
        """Take the charge of an ending; None when the request has ended in the books before.

        Raises `ValueError` when the account has no wallet, or hold or lease are another's.
        """
        asked = resolved.hold
        known, drawer = self._known.get(asked.request_id), self._drawers.get(resolved.lease_id or "")
        if known is not None and known.state in _ENDED:
            return None
        for owned in (known, None if drawer is None else drawer.lease):
            if owned is not None and (owned.account_id, owned.key_id) != (asked.account_id, asked.key_id):
                message = f"{asked.request_id}: ended for another account or key than it was held for"
                raise ValueError(message)
        if asked.account_id not in self._purses:
            message = f"{asked.request_id}: the account {asked.account_id} has no wallet"
            raise ValueError(message)
        if known is not None and known.state == HoldState.OPEN:
            return self._from_hold(resolved, known)
        if drawer is not None:
            return self._from_lease(resolved, drawer)
        return self._late(resolved, known)

    def settle_up(self) -> None:
        """Write what was taken: wallets in the order they were locked in, their grants, then leases, then counters.

        Limits are read first of all, since a counter that is missing begins with what the books tell.
        """
        moved = sorted(self._moved.items(), key=_order)
        limits = [(key, each, caps.counters(self.transaction, key)) for key, each in moved if each.counted]
        holds.move_each(
            self.transaction, [(name, purse.holding, purse.more) for name, purse in sorted(self._purses.items())]
        )
        grant_rows.spend_each(self.transaction, {name: -purse.more for name, purse in self._purses.items()})
        leases.write_charges(
            self.transaction,
            [each.lease.charge(each.charged, late=each.late) for each in self._drawers.values() if each.charged],
        )
        caps.resolve_keys(self.transaction, [(key, each.let_go, each.spent) for key, each in moved])
        for key, each, counters in limits:
            counting.resolve_each(self.transaction, key.account_id, counters, each.counted)

    def _from_hold(self, resolved: Resolved, known: Known) -> Taken:
        """The hold is still there: it covers the charge, and the rest of it is free again."""
        if resolved.charged > known.amount:
            message = f"{known.request_id}: charged {resolved.charged}, more than the {known.amount} held"
            raise ValueError(message)
        purse = self._purses[known.account_id]
        self._move(purse, known.spender, known.amount, resolved.charged)
        if purse.limited:
            self._count(known.spender, known.need, resolved, known.tokens or 0, resolved.charged)
        return Taken(
            resolved,
            to_micros(resolved.ending.at),
            known.spender,
            known.amount,
            resolved.charged,
            purse.balance,
            known=known,
            answers=known.idempotency_key,
        )

    def _from_lease(self, resolved: Resolved, drawer: _Drawer) -> Taken:
        """The lease covers what is left of it; a charge that comes too late adds to it what the wallet has free."""
        asked, owed = resolved.hold, resolved.charged
        purse, spending = self._purses[asked.account_id], drawer.spender
        covered, late = min(owed, drawer.left), 0
        drawer.left -= covered
        self._move(purse, spending, covered, covered)
        if purse.limited:
            self._count(spending, Need(covered), resolved, asked.tokens, covered)
        if covered < owed:
            late = self._pay_late(purse, spending, owed - covered, Used(_used(resolved, 0).model))
        drawer.charged += covered + late
        drawer.late += late
        return Taken(
            resolved,
            to_micros(resolved.ending.at),
            spending,
            asked.amount,
            covered + late,
            purse.balance,
            lease_id=resolved.lease_id,
        )

    def _late(self, resolved: Resolved, known: Known | None) -> Taken:
        """Nothing is held any more, or never was: the wallet pays what it has free, unless a repeat was paid."""
        asked = resolved.hold
        spending = known.spender if known else spender(asked.account_id, asked.key_id, asked.at)
        purse, answers = self._purses[asked.account_id], None
        if asked.idempotency is not None and idempotency.claim_late(
            self.transaction,
            asked.idempotency,
            account_id=asked.account_id,
            request_id=asked.request_id,
            at=to_micros(asked.at),
        ):
            answers = asked.idempotency.key
        owed = resolved.charged if asked.idempotency is None or answers else 0
        amount, tokens = (known.amount, known.tokens or 0) if known else (asked.amount, asked.tokens)
        charged = self._pay_late(purse, spending, min(owed, amount), _used(resolved, tokens))
        return Taken(
            resolved,
            to_micros(resolved.ending.at),
            spending,
            amount,
            charged,
            purse.balance,
            known=known,
            answers=answers,
        )

    def _move(self, purse: _Purse, spending: Spender, held: int, charged: int) -> None:
        """Turn what was held into a charge."""
        purse.let_go(held)
        purse.pay(charged)
        moved = self._moved[spending]
        moved.let_go += held
        moved.spent += charged

    def _count(self, spending: Spender, held: Need, resolved: Resolved, tokens: int, charged: int) -> None:
        """Note an ending for the limits that count it."""
        self._moved[spending].counted.append(counting.Counted(held, charged, _used(resolved, tokens)))

    def _pay_late(self, purse: _Purse, spending: Spender, owed: int, used: Used) -> int:
        """Pay of a late charge what is free in the wallet and in every limit."""
        known = caps.room(self.transaction, spending)
        left = room(known.standings, (used.model,))
        paid = max(min(owed, purse.free, owed if left is None else left), 0)
        purse.pay(paid)
        caps.resolve(self.transaction, spending, Need(0), charged=paid, used=used, limits=known.counters)
        return paid


def _used(resolved: Resolved, most: int) -> Used:
    """What a request came to beside its charge: nothing unless it was served, and of tokens at most what was held."""
    ending = resolved.ending
    if isinstance(ending, FailedRequest):
        return NOTHING_USED
    return Used(f"{ending.provider}/{ending.model}", min(ending.usage.total, most))


def _order(moved: tuple[Spender, _Moved]) -> tuple[str, str]:
    return moved[0].key_id, moved[0].day
