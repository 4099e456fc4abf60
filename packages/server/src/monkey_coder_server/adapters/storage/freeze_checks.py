"""The audit of frozen accounts, both ways: none without a reason, and none with a reason that is not frozen for it."""

from collections.abc import Mapping

from sqlalchemy import text

from monkey_coder_server.adapters.storage.transaction import Query
from monkey_coder_server.domain.payments import Freeze

_GRAVITY = " ".join([f"WHEN '{reason}' THEN {place}" for place, reason in enumerate(Freeze)])
_OVERDUE = list(Freeze).index(Freeze.OVERDUE)

CHECKS: Mapping[str, Query] = {
    "accounts_not_frozen_for_a_reason": Query(
        text(f"""
        SELECT w.account_id FROM wallets w JOIN (
            SELECT account_id, MIN(gravity) AS gravity FROM (
                SELECT account_id, CASE freezes {_GRAVITY} END AS gravity FROM payments WHERE freezes <> ''
                UNION ALL SELECT account_id, {_OVERDUE} FROM invoices
                WHERE state = 'uncollectible' OR state = 'open' AND due_at <= :overdue
            ) AS reasons GROUP BY account_id
        ) AS gravest ON gravest.account_id = w.account_id
        WHERE gravest.gravity <> CASE w.frozen {_GRAVITY} ELSE -1 END
        """)  # noqa: S608 - words of our own
    ),
    "accounts_frozen_without_reason": Query(
        text(f"""
        SELECT account_id FROM wallets w WHERE frozen <> ''
        AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.account_id = w.account_id AND p.freezes = w.frozen)
        AND NOT (frozen = '{Freeze.OVERDUE}' AND EXISTS (
            SELECT 1 FROM invoices i WHERE i.account_id = w.account_id
            AND (i.state = 'uncollectible' OR i.state = 'open' AND i.due_at <= :overdue_soon)
        ))
        """)  # noqa: S608 - as above
    ),
}
"""`:overdue` leaves gateways their minute to freeze; `:overdue_soon` allows for clocks that are ahead of this one."""
