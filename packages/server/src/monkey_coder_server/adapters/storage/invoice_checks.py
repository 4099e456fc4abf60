"""The audit of invoices and automatic top-ups: each against its entries, its lines, its payment, and what was used."""

from collections.abc import Iterator, Mapping

from sqlalchemy import text

from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.rollups import DAY
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.invoicing import Month
from monkey_coder_server.domain.ledger import AccountKind
from monkey_coder_server.domain.money import NANO_PER_CENT
from monkey_coder_server.domain.payments import Purpose

CHECKS: Mapping[str, Query] = {
    "invoices_differing_from_entries": Query(
        text(f"""
        SELECT invoice_id FROM (
            SELECT invoice_id, account_id AS owner, '{AccountKind.CREDIT_LINE}' AS kind, -used AS amount FROM invoices
            UNION ALL SELECT invoice_id, account_id, '{AccountKind.CUSTOMER_RECEIVABLE}', cents * {NANO_PER_CENT}
            FROM invoices
            UNION ALL SELECT invoice_id, account_id, '{AccountKind.ROUNDING}', used - cents * {NANO_PER_CENT}
            FROM invoices
            UNION ALL SELECT i.invoice_id, e.owner, e.kind, e.amount
            FROM invoices i JOIN entries e ON e.transaction_id = 'invoice:' || i.invoice_id
        ) AS both_sides GROUP BY invoice_id, owner, kind HAVING SUM(amount) <> 0
        """)  # noqa: S608 - words of our own
    ),
    "invoices_differing_from_lines": Query(
        text("""
        SELECT invoice_id FROM (
            SELECT invoice_id, cents, used, charged FROM invoices
            UNION ALL SELECT invoice_id, -cents, -amount, CASE model WHEN '' THEN 0 ELSE -amount END FROM invoice_lines
        ) AS both_sides GROUP BY invoice_id HAVING SUM(cents) <> 0 OR SUM(used) <> 0 OR SUM(charged) <> 0
        """)
    ),
    "invoices_differing_from_payments": Query(
        text(f"""
        SELECT i.invoice_id FROM invoices i LEFT JOIN (
            SELECT reference, SUM(settled) AS settled, MAX(paid_at) AS paid_at FROM payments
            WHERE purpose = '{Purpose.INVOICE}' AND state = 'succeeded' GROUP BY reference
        ) AS paid ON paid.reference = i.invoice_id
        WHERE i.cents > 0 AND (
            i.state = 'paid' AND i.paid_at < :told AND paid.reference IS NULL
            OR i.state <> 'paid' AND paid.paid_at < :told AND paid.settled >= i.cents * {NANO_PER_CENT}
        )
        """)  # noqa: S608 - as above
    ),
    "top_up_charges_without_payment": Query(
        text("""
        SELECT account_id || ' ' || sequence FROM top_up_charges c WHERE state = 'succeeded' AND NOT EXISTS (
            SELECT 1 FROM payments p
            WHERE p.payment_id = c.payment_id AND p.account_id = c.account_id AND p.state = 'succeeded'
        )
        """)
    ),
}
OF_MONTHS = ("invoice_lines_beyond_usage", "top_ups_differing_from_charges")
_PERIODS = Query(text("SELECT DISTINCT period FROM invoices"))
_BEYOND_USAGE = Query(
    text("""
    SELECT invoice_id || ' ' || model FROM (
        SELECT i.invoice_id AS invoice_id, l.model AS model, l.amount AS amount
        FROM invoices i JOIN invoice_lines l ON l.invoice_id = i.invoice_id WHERE i.period = :period AND l.model <> ''
        UNION ALL SELECT i.invoice_id, u.provider || '/' || u.model, -u.price
        FROM invoices i JOIN usage_daily u ON u.account_id = i.account_id AND u.day >= :first AND u.day < :last
        WHERE i.period = :period
    ) AS both_sides GROUP BY invoice_id, model HAVING SUM(amount) > 0
    """)
)
_MONTHS = Query(text("SELECT DISTINCT month FROM top_ups WHERE month <> ''"))
_CHARGED = Query(
    text("""
    SELECT account_id FROM (
        SELECT account_id, charged AS amount FROM top_ups WHERE month = :period
        UNION ALL SELECT c.account_id, -c.cents FROM top_ups t JOIN top_up_charges c ON c.account_id = t.account_id
        WHERE t.month = :period AND c.at >= :start AND c.state <> 'failed'
    ) AS both_sides GROUP BY account_id HAVING SUM(amount) <> 0
    """)
)
_COUNTED = Query(
    text("""
    SELECT t.account_id FROM top_ups t LEFT JOIN top_up_charges c ON c.account_id = t.account_id
    GROUP BY t.account_id, t.sequence, t.under_way
    HAVING COUNT(c.sequence) <> t.sequence OR COALESCE(MAX(c.sequence), 0) <> t.sequence
        OR SUM(CASE c.state WHEN 'open' THEN 1 ELSE 0 END) <> CASE WHEN t.under_way THEN 1 ELSE 0 END
    """)
)


def of_months(transaction: Transaction) -> dict[str, list[str]]:
    """What is looked for month by month.

    Lines of an invoice are never more than was used of their model in its month; what is booked late makes it more, and
    is on the next invoice.
    """
    counted = [str(row[0]) for row in transaction.rows(_COUNTED, {})]
    billed, charged = (
        list(_each_month(transaction, _PERIODS, _BEYOND_USAGE)),
        _each_month(transaction, _MONTHS, _CHARGED),
    )
    return dict(zip(OF_MONTHS, (billed, [*counted, *charged]), strict=True))


def _each_month(transaction: Transaction, named: Query, query: Query) -> Iterator[str]:
    for (name,) in transaction.rows(named, {}):
        try:
            month = Month(name)
        except ValueError as wrong:
            yield str(wrong)
            continue
        start, end = to_micros(month.start), to_micros(month.end)
        wanted = {"period": name, "start": start, "first": start // DAY, "last": end // DAY}
        yield from [str(row[0]) for row in transaction.rows(query, wanted)]
