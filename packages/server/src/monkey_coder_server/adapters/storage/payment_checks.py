"""The audit of payments: what is kept of each against its movements, what was seen of it, its grant, its freeze."""

from collections.abc import Mapping

from sqlalchemy import text

from monkey_coder_server.adapters.storage.transaction import Query
from monkey_coder_server.domain.ledger import AccountKind, GrantKind
from monkey_coder_server.domain.money import NANO_PER_CENT
from monkey_coder_server.domain.payment_books import CURRENCY, NO_GRANTS
from monkey_coder_server.domain.payments import Freeze, Purpose

CASH = "received - refunded - claimed - lost"
"""What is with us of a payment."""
BOOKED = f"p.state = 'succeeded' AND p.currency = '{CURRENCY}'"
"""Of payments that have not come, or came in another currency, nothing is booked."""
_BY_PAYMENT = {
    AccountKind.CASH: f"-({CASH})",
    AccountKind.TAX_PAYABLE: "tax",
    AccountKind.REFUND_PAYABLE: "refunding",
    AccountKind.DISPUTED: "aside - claimed",
}
_BY_ACCOUNT = {
    AccountKind.CUSTOMER_CREDIT: "given - aside",
    AccountKind.CREDIT_LINE: "CASE WHEN settled > 0 THEN -gifted ELSE 0 END",
    AccountKind.CUSTOMER_RECEIVABLE: "settled",
    AccountKind.CUSTOMER_DEBT: "-debt",
}
_OF_THE_HOUSE = {
    AccountKind.PROMOTIONS: "CASE WHEN settled > 0 THEN 0 ELSE -gifted END",
    AccountKind.REVENUE: "earned",
    AccountKind.HOUSE_LOSS: "-borne",
}
_OWNED = (("payment_id", _BY_PAYMENT), ("account_id", _BY_ACCOUNT), ("''", _OF_THE_HOUSE))
_FIGURES = " UNION ALL ".join(
    [
        f"SELECT payment_id, {owner} AS owner, '{kind}' AS kind, -({amount}) AS amount FROM payments"  # noqa: S608 - words of our own
        for owner, kinds in _OWNED
        for kind, amount in kinds.items()
    ]
)
_WHERE_TAKEN = " ".join([f"WHEN '{word}' THEN '{kind}'" for word, kind in NO_GRANTS.items()])
_WHOSE = " ".join([f"WHEN '{word}' THEN ''" for word in NO_GRANTS])
_TAKEN = f"""
    SELECT payment_id, CASE source {_WHOSE} ELSE account_id END,
        CASE source {_WHERE_TAKEN} ELSE '{AccountKind.CUSTOMER_CREDIT}' END,
        amount FROM payment_takings
"""  # noqa: S608 - as above
GIVING = f"kind IN ('{GrantKind.PURCHASE}', '{GrantKind.PLAN}', '{GrantKind.CREDIT_LINE}')"
"""What a payment's grant is booked as. All its other movements are numbered, and named by it."""
_MOVEMENTS = f"""
    SELECT substr(rtrim(rtrim(transaction_id, '0123456789'), ':'), 9) AS payment_id, transaction_id, 1 AS numbered
    FROM transactions WHERE substr(transaction_id, 1, 8) = 'payment:'
    UNION ALL SELECT substr(transaction_id, 16 + length(account_id)), transaction_id, 0
    FROM transactions WHERE {GIVING} AND substr(transaction_id, 1, 6) = 'grant:'
"""  # noqa: S608 - as above

CHECKS: Mapping[str, Query] = {
    "payments_differing_from_entries": Query(
        text(f"""
        WITH moved AS ({_MOVEMENTS})
        SELECT payment_id || ' ' || kind FROM (
            {_FIGURES} UNION ALL {_TAKEN}
            UNION ALL SELECT m.payment_id, e.owner, e.kind, e.amount
            FROM moved m JOIN entries e ON e.transaction_id = m.transaction_id
            UNION ALL SELECT payment_id, '', 'movements', -movements FROM payments
            UNION ALL SELECT payment_id, '', 'movements', numbered FROM moved
        ) AS both_sides GROUP BY payment_id, owner, kind HAVING SUM(amount) <> 0
        """)  # noqa: S608 - as above
    ),
    "payments_differing_from_what_was_seen": Query(
        text(f"""
        SELECT payment_id FROM (
            SELECT payment_id, received, refunding, refunded, claimed, lost FROM payments
            UNION ALL SELECT p.payment_id, -p.cents * {NANO_PER_CENT}, 0, 0, 0, 0 FROM payments p WHERE {BOOKED}
            UNION ALL SELECT p.payment_id, 0, CASE r.state WHEN 'pending' THEN -r.cents * {NANO_PER_CENT} ELSE 0 END,
                CASE r.state WHEN 'succeeded' THEN -r.cents * {NANO_PER_CENT} ELSE 0 END, 0, 0
            FROM payments p JOIN payment_refunds r ON r.payment_id = p.payment_id WHERE {BOOKED}
            UNION ALL SELECT p.payment_id, 0, 0, 0,
                CASE WHEN d.state = 'open' AND d.withdrawn <> 0 THEN -d.cents * {NANO_PER_CENT} ELSE 0 END,
                CASE d.state WHEN 'lost' THEN -d.cents * {NANO_PER_CENT} ELSE 0 END
            FROM payments p JOIN payment_disputes d ON d.payment_id = p.payment_id WHERE {BOOKED}
        ) AS both_sides GROUP BY payment_id
        HAVING SUM(received) <> 0 OR SUM(refunding) <> 0 OR SUM(refunded) <> 0 OR SUM(claimed) <> 0 OR SUM(lost) <> 0
        """)  # noqa: S608 - as above
    ),
    "payments_differing_from_takings": Query(
        text("""
        SELECT payment_id FROM (
            SELECT payment_id, taken - debt AS amount FROM payments
            UNION ALL SELECT payment_id, -amount FROM payment_takings
        ) AS both_sides GROUP BY payment_id HAVING SUM(amount) <> 0
        """)
    ),
    "payments_not_granted_once": Query(
        text(f"""
        SELECT payment_id FROM payments p WHERE (given > 0) <> (grant_id IS NOT NULL) OR given > 0 AND NOT EXISTS (
            SELECT 1 FROM grants g WHERE g.grant_id = p.grant_id AND g.account_id = p.account_id AND g.amount = p.given
            AND substr(g.grant_id, 16 + length(g.account_id)) = p.payment_id
        )
        UNION SELECT transaction_id FROM transactions t
        WHERE {GIVING} AND substr(t.transaction_id, 1, 6) = 'grant:' AND NOT EXISTS (
            SELECT 1 FROM payments p WHERE p.payment_id = substr(t.transaction_id, 16 + length(t.account_id))
            AND p.grant_id = t.transaction_id
        )
        """)  # noqa: S608 - as above
    ),
    "paid_more_than_once": Query(
        text(f"""
        SELECT reference FROM payments WHERE purpose = '{Purpose.INVOICE}' AND gifted > 0
        GROUP BY reference HAVING SUM(gifted) > (
            SELECT i.cents * {NANO_PER_CENT} FROM invoices i WHERE i.invoice_id = payments.reference
        )
        UNION SELECT reference FROM payments WHERE purpose = '{Purpose.TOP_UP}' AND reference <> '' AND given > 0
        GROUP BY reference HAVING COUNT(*) > 1
        """)  # noqa: S608 - as above
    ),
    "payments_freezing_otherwise_than_seen": Query(
        text(f"""
        SELECT payment_id FROM payments WHERE freezes <> CASE
            WHEN currency <> '{CURRENCY}' THEN '' WHEN claimed > 0 THEN '{Freeze.DISPUTE}'
            WHEN warning = 'open' THEN '{Freeze.FRAUD_WARNING}' WHEN debt > 0 THEN '{Freeze.DEBT}' ELSE '' END
        """)  # noqa: S608 - as above
    ),
}
