"""How long single usage rows and counters of past days are kept: whole months are dropped at the old end.

Sums, entries and receipts stay, and counters in total.

Works alike on every database. Rows go a few thousand at a time, so that no transaction holds others up for long.
"""

from datetime import UTC, datetime

from sqlalchemy import text

from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.transaction import Query, Transaction

DROPPED_AT_ONCE = 2_000
COUNTED_MONTHS = 2
"""Whole months of counters that are kept before the current one: no request runs or is booked as late as that."""
_KEPT_FROM = Query(text("SELECT kept_from FROM usage_horizon WHERE number = 1"))
_MOVE = Query(
    text("""
    INSERT INTO usage_horizon (number, kept_from) VALUES (1, :kept)
    ON CONFLICT (number) DO UPDATE SET kept_from = :kept WHERE usage_horizon.kept_from < :kept
    """)
)
_DROP = Query(
    text("""
    DELETE FROM usage WHERE (account_id, at, request_id) IN (
        SELECT account_id, at, request_id FROM usage WHERE account_id = :account AND at < :kept LIMIT :most
    )
    """)
)
_DROP_CAPS = Query(
    text("""
    DELETE FROM caps WHERE (key_id, period) IN (
        SELECT c.key_id, c.period FROM api_keys k JOIN caps c ON c.key_id = k.key_id AND c.period < :counted
        WHERE k.account_id = :account LIMIT :most
    )
    """)
)
_DROP_COUNTERS = Query(
    text("""
    DELETE FROM counters WHERE (account_id, holder, model, unit, period) IN (
        SELECT account_id, holder, model, unit, period FROM counters
        WHERE account_id = :account AND period < :counted LIMIT :most
    )
    """)
)
_OWNERS = Query(text("SELECT account_id FROM wallets WHERE account_id > :after ORDER BY account_id LIMIT 500"))


def kept_from(transaction: Transaction) -> int:
    """Since when usage rows are complete, in microseconds; 0 when none was ever dropped."""
    row = transaction.row(_KEPT_FROM, {})
    return int(row[0]) if row else 0


def horizon(now: datetime, months: int) -> int:
    """The beginning (microseconds) of the oldest month that is kept: `months` whole ones before the current one."""
    number = now.year * 12 + now.month - 1 - months
    return to_micros(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC))


def announce(kept: int, transaction: Transaction) -> None:
    """Say that rows before `kept` are no longer complete; it never moves back."""
    transaction.change(_MOVE, {"kept": kept})


def drop(account_id: str, kept: int, transaction: Transaction) -> int:
    """Delete some of an account's rows from before `kept`; how many."""
    return transaction.change(_DROP, {"account": account_id, "kept": kept, "most": DROPPED_AT_ONCE})


def counted_from(now: datetime) -> str:
    """The oldest month whose counters are kept, as periods are named: every older day and month sorts before it."""
    number = now.year * 12 + now.month - 1 - COUNTED_MONTHS
    return f"{number // 12:04}-{number % 12 + 1:02}"


def drop_counters(account_id: str, counted: str, transaction: Transaction) -> int:
    """Delete some of an account's counters of days and months before `counted`; how many. Totals sort behind all."""
    dropped = {"account": account_id, "counted": counted, "most": DROPPED_AT_ONCE}
    return transaction.change(_DROP_CAPS, dropped) + transaction.change(_DROP_COUNTERS, dropped)


def owners(after: str, transaction: Transaction) -> list[str]:
    """The next accounts by id."""
    return [str(row[0]) for row in transaction.rows(_OWNERS, {"after": after})]
