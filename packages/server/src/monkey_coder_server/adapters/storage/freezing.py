"""Frozen accounts: why nothing may be spent of one, which follows from its payments and invoices.

A frozen wallet is refused where credit is reserved, by the statements that reserve; leases that are out are recalled.
"""

from sqlalchemy import and_, bindparam, func, literal_column, or_, select, update

from monkey_coder_server.adapters.storage import recalls
from monkey_coder_server.adapters.storage.invoice_tables import invoices
from monkey_coder_server.adapters.storage.moments import MICROSECOND
from monkey_coder_server.adapters.storage.payment_tables import payments
from monkey_coder_server.adapters.storage.tables import wallets
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.invoicing import FREEZE_AFTER
from monkey_coder_server.domain.payment_books import gravest
from monkey_coder_server.domain.payments import Freeze
from monkey_coder_server.ports.payment_books import Standing

LATE = FREEZE_AFTER // MICROSECOND
EVERYBODY = ""
"""No process is called so: leases of all are recalled."""
_REASONS = Query(
    select(payments.c.freezes)
    .where(payments.c.account_id == bindparam("account"), payments.c.freezes != literal_column("''"))
    .distinct()
)
_OVERDUE = Query(
    select(invoices.c.invoice_id)
    .where(
        invoices.c.account_id == bindparam("account"),
        or_(
            invoices.c.state == literal_column("'uncollectible'"),
            and_(invoices.c.state == literal_column("'open'"), invoices.c.due_at <= bindparam("late")),
        ),
    )
    .limit(literal_column("1"))
)
_FREEZE = Query(update(wallets).where(wallets.c.account_id == bindparam("account")).values(frozen=bindparam("reason")))
_STANDING = Query(
    select(
        wallets.c.frozen,
        select(func.coalesce(func.sum(payments.c.debt), literal_column("0")))
        .where(payments.c.account_id == bindparam("account"), payments.c.debt > literal_column("0"))
        .scalar_subquery(),
    ).where(wallets.c.account_id == bindparam("account"))
)


def bring(transaction: Transaction, account_id: str, now: int) -> Standing:
    """Freeze or thaw an account as its payments and invoices say; its standing. Only behind the wallet's lock."""
    before = standing(transaction, account_id)
    reasons = [row[0] for row in transaction.rows(_REASONS, {"account": account_id})]
    if transaction.row(_OVERDUE, {"account": account_id, "late": now - LATE}) is not None:
        reasons.append(Freeze.OVERDUE)
    frozen = gravest(reasons)
    if frozen == before.frozen:
        return before
    transaction.change(_FREEZE, {"account": account_id, "reason": frozen})
    if frozen:
        recalls.recall(account_id, EVERYBODY, now, transaction)
    return Standing(account_id, before.debt, frozen)


def standing(transaction: Transaction, account_id: str) -> Standing:
    """Debt and freeze; of an account without a wallet nothing."""
    row = transaction.row(_STANDING, {"account": account_id})
    return Standing(account_id, 0, "") if row is None else Standing(account_id, int(row[1]), row[0])
