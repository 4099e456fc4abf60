"""Holds: reserve the most a request can cost.

Lock order: an operation that moves an account's money changes or locks its wallet's row before anything else of the
account. Whatever else it reads then (caps, the receipt chain, the hold) nobody can change before it ends, and no two
operations wait for each other. SQLite, where one transaction at a time writes, leaves `FOR UPDATE` out.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ColumnClause, bindparam, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage import caps, idempotency
from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.several import Several
from monkey_coder_server.adapters.storage.spending import (
    kept_models,
    spender,
)
from monkey_coder_server.adapters.storage.tables import holds, wallets
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.errors import Conflict, InsufficientCredit, NotFound
from monkey_coder_server.domain.limits import Need
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.payments import FROZEN, WHY_FROZEN, Freeze
from monkey_coder_server.ports.ledger import Hold, HoldRequest, Replay, Wallet

_NOTHING: ColumnClause[int] = literal_column("0")

_OPEN_WALLET = Query(
    insert_or_not(wallets)
    .values(account_id=bindparam("account"), balance=_NOTHING, held=_NOTHING)
    .on_conflict_do_nothing()
)
_WALLET = Query(select(wallets.c.balance, wallets.c.held).where(wallets.c.account_id == bindparam("account")))
_FROZEN = Query(select(wallets.c.frozen).where(wallets.c.account_id == bindparam("account")))
_LOCK = Several(
    lambda ids: (
        select(wallets.c.account_id, wallets.c.balance, wallets.c.held, wallets.c.limited, wallets.c.frozen)
        .where(wallets.c.account_id.in_(ids))
        .order_by(wallets.c.account_id)
        .with_for_update()
    )
)
_RESERVE = Query(
    update(wallets)
    .where(
        wallets.c.account_id == bindparam("account"),
        wallets.c.balance - wallets.c.held >= bindparam("amount"),
        wallets.c.frozen == literal_column("''"),
    )
    .values(held=wallets.c.held + bindparam("amount"))
)
_CREDIT = Query(
    update(wallets)
    .where(wallets.c.account_id == bindparam("account"))
    .values(balance=wallets.c.balance + bindparam("amount"))
    .returning(wallets.c.balance, wallets.c.held)
)
_MOVE = Query(
    update(wallets)
    .where(wallets.c.account_id == bindparam("account"))
    .values(balance=wallets.c.balance + bindparam("more"), held=wallets.c.held + bindparam("holding"))
)
_OPEN = Query(
    insert_or_not(holds)
    .values(
        {
            column.name: bindparam(column.name)
            for column in holds.columns
            if column.name not in {"state", "charged", "resolved_at", "lease_id"}
        }
        | {"state": literal_column("'open'"), "charged": _NOTHING}
    )
    .on_conflict_do_nothing()
)
_OPEN_ONE = Query(
    select(holds.c.account_id, holds.c.key_id, holds.c.amount).where(
        holds.c.request_id == bindparam("request"), holds.c.state == literal_column("'open'")
    )
)


class Locked(NamedTuple):
    """A wallet nobody else changes now, whether limits count for its account beside its keys' caps, and its freeze."""

    wallet: Wallet
    limited: bool
    frozen: str = ""


def open_wallet(transaction: Transaction, account_id: str) -> None:
    """Make an empty wallet unless there is one."""
    transaction.change(_OPEN_WALLET, {"account": account_id})


def read_wallet(transaction: Transaction, account_id: str) -> Wallet:
    """Balance and holds. Raises `NotFound`."""
    found = transaction.row(_WALLET, {"account": account_id})
    if found is None:
        raise _no_wallet(account_id)
    return Wallet(account_id, balance=found[0], held=found[1])


def lock_wallets(transaction: Transaction, account_ids: Iterable[str]) -> dict[str, Locked]:
    """Wallets that nobody else changes before this transaction ends, by account; locked in the order of their ids."""
    return {
        account_id: Locked(Wallet(account_id, balance=balance, held=held), bool(limited), frozen)
        for account_id, balance, held, limited, frozen in _LOCK.rows(transaction, sorted(set(account_ids)))
    }


def lock_wallet(transaction: Transaction, account_id: str) -> Wallet:
    """Balance and holds, which nobody else changes before this transaction ends. Raises `NotFound`."""
    return lock(transaction, account_id).wallet


def lock(transaction: Transaction, account_id: str) -> Locked:
    """As `lock_wallet`, with what else is known of it. Raises `NotFound`."""
    found = lock_wallets(transaction, [account_id])
    if not found:
        raise _no_wallet(account_id)
    return found[account_id]


def move(transaction: Transaction, account_id: str, *, held: int, balance: int = 0) -> None:
    """Change what a wallet holds, and its balance, by so much."""
    move_each(transaction, [(account_id, held, balance)])


def move_each(transaction: Transaction, moves: Iterable[tuple[str, int, int]]) -> None:
    """Change what wallets hold, and their balances, by so much: accounts with both figures."""
    transaction.change_each(
        _MOVE, [{"account": account, "holding": held, "more": balance} for account, held, balance in moves]
    )


def credit(transaction: Transaction, account_id: str, amount: int) -> Wallet:
    """Add to a balance. Raises `NotFound`."""
    found = transaction.row(_CREDIT, {"account": account_id, "amount": amount})
    if found is None:
        raise _no_wallet(account_id)
    return Wallet(account_id, balance=found[0], held=found[1])


def place(request: HoldRequest, transaction: Transaction) -> Hold | Replay:
    """Reserve within wallet and caps, or raise; the errors are those of `Ledger.hold`."""
    at = to_micros(request.at)
    given = request.idempotency
    if given is not None:
        lock_wallet(transaction, request.account_id)
        replay = idempotency.claim(
            transaction, given, account_id=request.account_id, request_id=request.request_id, at=at
        )
        if replay is not None:
            return replay
    if not transaction.change(_RESERVE, {"account": request.account_id, "amount": request.amount}):
        raise _refused(transaction, request)
    spending = spender(request.account_id, request.key_id, request.at)
    caps.reserve(transaction, spending, Need(request.amount, request.tokens, request.models))
    opened = transaction.change(
        _OPEN,
        {
            "request_id": request.request_id,
            "account_id": request.account_id,
            "key_id": request.key_id,
            "amount": request.amount,
            "day": spending.day,
            "month": spending.month,
            "at": at,
            "expires_at": to_micros(request.expires_at),
            "idempotency_key": given.key if given else None,
            "tokens": request.tokens,
            "models": kept_models(request.models),
        },
    )
    if not opened:
        message = f"The request {request.request_id} was held before; a request id is used once."
        raise Conflict(message)
    return Hold(request.request_id, request.account_id, request.amount)


def is_open(request: HoldRequest, transaction: Transaction) -> bool:
    """Whether this very request is held."""
    found = transaction.row(_OPEN_ONE, {"request": request.request_id})
    return found is not None and tuple(found) == (request.account_id, request.key_id, request.amount)


def _no_wallet(account_id: str) -> NotFound:
    message = f"The account {account_id} has no wallet."
    return NotFound(message)


def _refused(transaction: Transaction, request: HoldRequest) -> InsufficientCredit:
    wallet, amount = read_wallet(transaction, request.account_id), request.amount
    row = transaction.row(_FROZEN, {"account": request.account_id})
    if row is not None and row[0]:
        facts = {"balance_usd": usd(wallet.balance), "available_usd": usd(0), "limit": FROZEN, "frozen": str(row[0])}
        return InsufficientCredit(WHY_FROZEN[Freeze(row[0])], facts=facts)
    message = (
        f"This request may cost up to {usd(amount)} USD, but only {usd(wallet.available)} USD of the balance of "
        f"{usd(wallet.balance)} USD is free. Add credit, or send a smaller request."
    )
    facts = {
        "balance_usd": usd(wallet.balance),
        "available_usd": usd(wallet.available),
        "needed_usd": usd(amount),
        "limit": "balance",
    }
    return InsufficientCredit(message, facts=facts)
