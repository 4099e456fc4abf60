"""The audit of the accounts that customers and payments own: what stands on each against what it stands for."""

from collections.abc import Mapping

from sqlalchemy import text

from monkey_coder_server.adapters.storage.payment_checks import BOOKED, CASH
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.ledger import AccountKind
from monkey_coder_server.domain.money import NANO_PER_CENT

NAMES: Mapping[str, str] = {
    AccountKind.CASH: "cash_differing_from_payments",
    AccountKind.TAX_PAYABLE: "tax_differing_from_payments",
    AccountKind.REFUND_PAYABLE: "refunds_payable_differing_from_open_refunds",
    AccountKind.DISPUTED: "disputed_differing_from_open_disputes",
    AccountKind.CUSTOMER_DEBT: "debts_differing_from_entries",
    AccountKind.CUSTOMER_RECEIVABLE: "receivables_differing_from_invoices",
    AccountKind.CREDIT_LINE: "credit_lines_differing_from_entries",
    AccountKind.ROUNDING: "rounding_differing_from_residue",
}
_KINDS = ", ".join([f"'{kind}'" for kind in NAMES])
_REFUNDS = "payments p JOIN payment_refunds r ON r.payment_id = p.payment_id"
_DISPUTES = "payments p JOIN payment_disputes d ON d.payment_id = p.payment_id"
_UNDOING = "transactions t JOIN entries e ON e.transaction_id = t.transaction_id"
_LAST = "NOT EXISTS (SELECT 1 FROM invoices l WHERE l.account_id = i.account_id AND l.period > i.period)"
_STANDS_FOR = (
    (AccountKind.CASH, "payment_id", CASH, "payments"),
    (AccountKind.TAX_PAYABLE, "payment_id", "-tax", "payments"),
    (
        AccountKind.REFUND_PAYABLE,
        "p.payment_id",
        f"-r.cents * {NANO_PER_CENT}",
        f"{_REFUNDS} WHERE r.state = 'pending' AND {BOOKED}",
    ),
    (AccountKind.DISPUTED, "payment_id", "-aside", "payments"),
    (
        AccountKind.DISPUTED,
        "p.payment_id",
        f"d.cents * {NANO_PER_CENT}",
        f"{_DISPUTES} WHERE d.state = 'open' AND d.withdrawn <> 0 AND {BOOKED}",
    ),
    (AccountKind.CUSTOMER_DEBT, "account_id", "debt", "payments"),
    (
        AccountKind.CUSTOMER_RECEIVABLE,
        "account_id",
        f"cents * {NANO_PER_CENT}",
        "invoices WHERE state <> 'void' AND state <> 'uncollectible'",
    ),
    (AccountKind.CUSTOMER_RECEIVABLE, "account_id", "-settled", "payments"),
    (AccountKind.CREDIT_LINE, "account_id", "amount", "credit_lines"),
    (AccountKind.CREDIT_LINE, "account_id", "-used", "invoices"),
    (AccountKind.CREDIT_LINE, "account_id", f"cents * {NANO_PER_CENT}", "invoices WHERE state = 'void'"),
    (AccountKind.CREDIT_LINE, "account_id", "gifted", "payments WHERE settled > 0"),
    (
        AccountKind.CREDIT_LINE,
        "e.owner",
        "-e.amount",
        f"{_UNDOING} WHERE t.undoes IS NOT NULL AND e.kind = '{AccountKind.CREDIT_LINE}'",
    ),
    (AccountKind.ROUNDING, "account_id", "residue", f"invoices i WHERE {_LAST}"),
)
"""By kind: whose, what is taken from its entries to leave nothing, and the rows that say so.

A line has extended what it allows, less what was invoiced of it, and again what was voided or paid. What an operator
took back of it as of any grant does not count: it is allowed still.
"""
_SIDES = " UNION ALL ".join(
    [
        f"SELECT '{kind}' AS kind, {owner} AS owner, {amount} AS amount FROM {rows}"  # noqa: S608 - words of our own
        for kind, owner, amount, rows in _STANDS_FOR
    ]
)
_DIFFERING = Query(
    text(f"""
    SELECT kind, owner FROM (
        SELECT kind, owner, amount FROM entries
        WHERE kind IN ({_KINDS}) AND (owner <> '' OR kind <> '{AccountKind.CASH}')
        UNION ALL {_SIDES}
    ) AS both_sides GROUP BY kind, owner HAVING SUM(amount) <> 0
    """)  # noqa: S608 - as above
)
"""Cash of nobody's payment is what operators booked as bought."""


def differing_accounts(transaction: Transaction) -> dict[str, list[str]]:
    """By check, the owners whose accounts do not stand as they should: in one look at all entries."""
    found: dict[str, list[str]] = {name: [] for name in NAMES.values()}
    for kind, owner in transaction.rows(_DIFFERING, {}):
        found[NAMES[kind]].append(str(owner))
    return found
