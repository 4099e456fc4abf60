"""What became of an account's credit in a period: reckoned back from its balance by what moved it since.

Charges come from the sums of days, which are kept for good; all else from the index of transactions that are no charge.
"""

from collections.abc import Mapping

from sqlalchemy import ColumnClause, bindparam, case, func, literal_column, or_, select

from monkey_coder_server.adapters.storage import holds
from monkey_coder_server.adapters.storage.moments import LAST_MOMENT, from_micros
from monkey_coder_server.adapters.storage.promotion_tables import promotion_redemptions
from monkey_coder_server.adapters.storage.reporting_tables import usage_daily
from monkey_coder_server.adapters.storage.rollups import DAY
from monkey_coder_server.adapters.storage.tables import CREDIT_MOVING, entries, transactions
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.ledger import AccountKind
from monkey_coder_server.ports.statements import GAINED, LOST, CreditMoved, CreditSums

_NOTHING: ColumnClause[int] = literal_column("0")
_MOVED = (
    transactions.c.account_id == bindparam("account"),
    transactions.c.at >= bindparam("start"),
    transactions.c.at < bindparam("end"),
    or_(*[transactions.c.kind == literal_column(f"'{kind}'") for kind in CREDIT_MOVING]),
    entries.c.kind == literal_column(f"'{AccountKind.CUSTOMER_CREDIT.value}'"),
)
_OF_TRANSACTION = entries.c.transaction_id == transactions.c.transaction_id
_LIST = Query(
    select(
        transactions.c.at,
        transactions.c.kind,
        entries.c.amount,
        transactions.c.request_id,
        promotion_redemptions.c.promotion_id,
    )
    .join(entries, _OF_TRANSACTION)
    .outerjoin(promotion_redemptions, promotion_redemptions.c.grant_id == transactions.c.transaction_id)
    .where(*_MOVED)
    .order_by(transactions.c.at, transactions.c.transaction_id)
    .limit(bindparam("most"))
)
_SUMS = Query(
    select(
        transactions.c.kind,
        func.sum(case((entries.c.amount > _NOTHING, entries.c.amount), else_=_NOTHING)),
        func.sum(case((entries.c.amount < _NOTHING, -entries.c.amount), else_=_NOTHING)),
    )
    .join(entries, _OF_TRANSACTION)
    .where(*_MOVED)
    .group_by(transactions.c.kind)
)
_CHARGED = Query(
    select(func.coalesce(func.sum(usage_daily.c.price), _NOTHING)).where(
        usage_daily.c.account_id == bindparam("account"),
        usage_daily.c.day >= bindparam("first"),
        usage_daily.c.day < bindparam("last"),
    )
)
_TOLD = {
    "grant": ("grant", "taken_back"),
    "refund": ("refund", "taken_back"),
    "expire": ("restored", "expired"),
    "purchase": ("purchase", "debt_paid"),
    "plan": ("plan", "debt_paid"),
    "credit_line": ("credit_line", "debt_paid"),
    "pay_back": ("restored", "paid_back"),
    "dispute": ("restored", "disputed"),
    "debt": ("restored", "debt_paid"),
}
"""What a movement is called that adds to credit, and one that takes from it, by the transaction's kind.

A payment that is seen again may find credit for what was owed, and takes it then: a purchase that takes.
"""
_PROMOTION = "promotion"
"""A grant that came of a code. In the sums it is among what was granted."""
_FIGURES = {
    "grant": "granted",
    "purchase": "purchased",
    "plan": "included",
    "credit_line": "renewed",
    "refund": "refunded",
}
"""The sums of movements that are called otherwise than these."""


def between(account_id: str, start: int, end: int, most: int, transaction: Transaction) -> CreditSums:
    """Of start ≤ t < end, both in microseconds and midnights in UTC. Raises `NotFound` without a wallet."""
    balance = holds.read_wallet(transaction, account_id).balance
    then, later = _sums(transaction, account_id, start, end), _sums(transaction, account_id, end, LAST_MOMENT)
    charged = _charged(transaction, account_id, start, end)
    closing = balance - _gain(later) + _charged(transaction, account_id, end, LAST_MOMENT)
    wanted = {"account": account_id, "start": start, "end": end, "most": most}
    return CreditSums(
        opening=closing - _gain(then) + charged,
        **then,
        charged=charged,
        closing=closing,
        moved=[_moved(row) for row in transaction.rows(_LIST, wanted)],
    )


def _sums(transaction: Transaction, account_id: str, start: int, end: int) -> dict[str, int]:
    sums = dict.fromkeys((*GAINED, *LOST), 0)
    for kind, gained, lost in transaction.rows(_SUMS, {"account": account_id, "start": start, "end": end}):
        for told, amount in zip(_TOLD[kind], (gained, lost), strict=True):
            sums[_FIGURES.get(told, told)] += int(amount)
    return sums


def _gain(sums: Mapping[str, int]) -> int:
    return sum(sums[name] for name in GAINED) - sum(sums[name] for name in LOST)


def _charged(transaction: Transaction, account_id: str, start: int, end: int) -> int:
    [(charged,)] = transaction.rows(_CHARGED, {"account": account_id, "first": start // DAY, "last": end // DAY})
    return int(charged)


def _moved(row: Row) -> CreditMoved:
    at, kind, amount, request_id, promotion_id = row
    gained, lost = _TOLD[kind]
    if promotion_id is not None:
        gained = _PROMOTION
    return CreditMoved(from_micros(at), gained if amount > 0 else lost, amount, request_id)
