"""Bringing the books to what was seen of a payment: movements, grants, the wallet, and whether it is frozen.

Everything behind the lock of the account's wallet: see `holds`.
"""

from collections import Counter
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import Integer, bindparam, func, literal_column, select

from monkey_coder_server.adapters.storage import books, freezing, grant_rows, holds, payment_rows
from monkey_coder_server.adapters.storage.moments import LAST_MOMENT, to_micros
from monkey_coder_server.adapters.storage.payment_rows import LIFTED, NO_WARNING, WARNED, Kept
from monkey_coder_server.adapters.storage.payment_tables import payments
from monkey_coder_server.adapters.storage.tables import entries, transactions
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain import payment_books as rules
from monkey_coder_server.domain.ledger import AccountKind, GrantKind, grant_id
from monkey_coder_server.domain.payment_books import LAPSED, Figures, Sources, Takings
from monkey_coder_server.domain.payments import PaymentSeen, PaymentState, Purpose
from monkey_coder_server.ports.payment_books import Entitlement, Standing

_PLAIN = Entitlement(0)
_KINDS = {Purpose.SUBSCRIPTION: GrantKind.PLAN, Purpose.INVOICE: GrantKind.CREDIT_LINE}
_REASONS = {
    Purpose.CREDIT: "credit bought",
    Purpose.TOP_UP: "automatic top-up",
    Purpose.SUBSCRIPTION: "credit of the plan",
    Purpose.INVOICE: "invoice paid",
}
_LAPSED = Query(
    select(func.coalesce(func.sum(-entries.c.amount), literal_column("0")))
    .join(transactions, transactions.c.transaction_id == entries.c.transaction_id)
    .where(
        transactions.c.account_id == bindparam("account"),
        transactions.c.kind == literal_column("'expire'"),
        func.substr(transactions.c.transaction_id, literal_column("1"), bindparam("length", type_=Integer))
        == bindparam("named"),
        entries.c.kind == literal_column(f"'{AccountKind.CUSTOMER_CREDIT.value}'"),
    )
)
_OWING = Query(
    select(payments.c.payment_id)
    .where(payments.c.account_id == bindparam("account"), payments.c.debt > literal_column("0"))
    .order_by(payments.c.at, payments.c.payment_id)
)


class Brought(NamedTuple):
    """What bringing the books to a sight came to."""

    granted: int
    changed: bool
    standing: Standing


def bring(  # noqa: PLR0913 - the payment, what it is brought to, and why
    transaction: Transaction,
    kept: Kept,
    seen: PaymentSeen,
    now: int,
    *,
    gives: Entitlement | None = None,
    reason: str = "",
) -> Brought:
    """Book the difference between what is kept of a payment and what was seen; pay debts from what is free by then."""
    given, movements = kept.booked.given, kept.movements
    credit = given or (gives.credit if gives is not None and not (kept.seen.refunds or kept.seen.disputes) else 0)
    for kind, stage in rules.stages(kept.seen, seen):
        after = rules.figures(stage, credit=credit)
        if after.given > kept.booked.given:
            kept = _give(transaction, kept, after, gives or _PLAIN, now)
        kept = _advance(transaction, replace(kept, seen=stage), after, kind, now=now, reason=reason)
    warning = WARNED if seen.early_fraud_warning and kept.warning == NO_WARNING else kept.warning
    paid_at = now if kept.paid_at is None and seen.state is PaymentState.SUCCEEDED else kept.paid_at
    _keep(transaction, replace(kept, warning=warning, paid_at=paid_at), now, reason=reason)
    collected = collect(transaction, seen.account_id, now)
    changed = bool(collected) or (kept.booked.given, kept.movements) != (given, movements)
    return Brought(kept.booked.given - given, changed, freezing.bring(transaction, seen.account_id, now))


def collect(transaction: Transaction, account_id: str, now: int) -> int:
    """Take debts of an account from credit that is free; of how many payments that was anything."""
    moved = 0
    for (payment_id,) in transaction.rows(_OWING, {"account": account_id}):
        owing = payment_rows.read(transaction, payment_id)
        paid = _advance(transaction, owing, owing.booked, "debt", now=now)
        if paid.movements > owing.movements:
            _keep(transaction, paid, now)
            moved += 1
    return moved


def lift(transaction: Transaction, account_id: str, now: int, *, forgive: bool) -> None:
    """Lift the warnings of an account's payments, and with `forgive` let the house bear their debts."""
    for kept in payment_rows.freezing(transaction, account_id):
        lifted = replace(kept, warning=LIFTED) if kept.warning == WARNED else kept
        if forgive and kept.takings.debt:
            movement = books.Movement("", "forgive", account_id, now)
            lifted = _book(transaction, lifted, lifted.booked, rules.forgive(lifted.takings), movement)
        _keep(transaction, lifted, now)


def _give(transaction: Transaction, kept: Kept, after: Figures, gives: Entitlement, now: int) -> Kept:
    """Book the payment's success with the credit it gives: a movement by itself, which the grant is named by."""
    seen = kept.seen
    kind = _KINDS.get(seen.purpose, GrantKind.PURCHASE)
    row = grant_rows.GrantRow(
        grant_id(seen.account_id, f"payment:{seen.payment_id}"),
        seen.account_id,
        kind.value,
        gives.priority,
        after.given,
        at=now,
        expires_at=LAST_MOMENT if gives.expires_at is None else to_micros(gives.expires_at),
    )
    movement = books.Movement(row.grant_id, kind.value, seen.account_id, now, reason=_REASONS[seen.purpose])
    lines = rules.movement(
        seen.payment_id, seen.account_id, before=kept.booked, after=after, had=kept.takings, has=kept.takings
    )
    books.post(transaction, movement, lines)
    grant_rows.add(transaction, row)
    holds.move(transaction, seen.account_id, held=0, balance=row.amount)
    return replace(kept, grant_id=row.grant_id, booked=after)


def _advance(  # noqa: PLR0913 - a payment, its figures to come, and what the movement is called
    transaction: Transaction, kept: Kept, after: Figures, kind: str, *, now: int, reason: str = ""
) -> Kept:
    """Bring what is booked of a payment to other figures, and take from the customer what follows from them."""
    seen, before, had = kept.seen, kept.booked, kept.takings
    has, stake = had, rules.at_stake(seen, after)
    if after.taken != before.taken or had.debt or had.aside or stake:
        has = rules.take(after.taken, stake, had, _sources(transaction, kept))
    return _book(transaction, kept, after, has, books.Movement("", kind, seen.account_id, now, reason=reason))


def _book(transaction: Transaction, kept: Kept, after: Figures, has: Takings, movement: books.Movement) -> Kept:
    """Post a movement of a payment under its next number, if it moves anything, in entries, grants and wallet.

    Nothing moves when a bank keeps what it held, and what was put aside is taken: the figures change all the same.
    """
    seen, had, number = kept.seen, kept.takings, kept.movements
    lines = rules.movement(seen.payment_id, seen.account_id, before=kept.booked, after=after, had=had, has=has)
    if lines:
        number += 1
        named = replace(movement, transaction_id=f"payment:{seen.payment_id}:{number}")
        books.post(transaction, named, lines)
    back: Counter[str] = Counter(had.parts)
    back.subtract(has.parts)
    back[kept.grant_id or ""] += had.aside - has.aside
    for source in set(back) - rules.NO_GRANTS.keys():
        if back[source]:
            grant_rows.shift(transaction, source, back[source])
    if had.credit != has.credit:
        holds.move(transaction, seen.account_id, held=0, balance=had.credit - has.credit)
    return replace(kept, booked=after, takings=has, movements=number)


def _keep(transaction: Transaction, kept: Kept, now: int, *, reason: str = "") -> None:
    """Write a payment, and whether it freezes its account."""
    frozen = rules.freeze(kept.seen, kept.takings.debt, lifted=kept.warning == LIFTED)
    payment_rows.write(transaction, replace(kept, freezes=frozen or ""), now, reason=reason)


def _sources(transaction: Transaction, kept: Kept) -> Sources:
    """What can be taken from. The credit of a line is not: what was invoiced is owed again."""
    seen = kept.seen
    own = (kept.grant_id or "") if seen.purpose is not Purpose.INVOICE else ""
    left, lapsed = grant_rows.bought(transaction, seen.account_id), 0
    if own and seen.purpose is Purpose.SUBSCRIPTION:
        left[own] = grant_rows.remaining(transaction, own)
        named = f"expire:{own}:"
        wanted = {"account": seen.account_id, "named": named, "length": len(named)}
        [(expired,)] = transaction.rows(_LAPSED, wanted)
        lapsed = int(expired) - kept.takings.parts.get(LAPSED, 0)
    free = holds.read_wallet(transaction, seen.account_id).available
    return Sources(own=own, grants=left, lapsed=lapsed, free=free)
