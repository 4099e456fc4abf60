"""The audit of the books: every figure that is kept twice is compared, and every receipt is checked."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import groupby

from sqlalchemy import text

from monkey_coder_server.adapters.storage import freeze_checks, invoice_checks, payment_checks
from monkey_coder_server.adapters.storage.freezing import LATE
from monkey_coder_server.adapters.storage.limit_checks import differing_counters
from monkey_coder_server.adapters.storage.moments import MICROSECOND, from_micros
from monkey_coder_server.adapters.storage.owned_checks import differing_accounts
from monkey_coder_server.adapters.storage.promotion_checks import PROMOTION_CHECKS
from monkey_coder_server.adapters.storage.receipt_keys import known_keys
from monkey_coder_server.adapters.storage.retention import counted_from, kept_from
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.ledger import AccountKind
from monkey_coder_server.domain.money import NANO_PER_CENT
from monkey_coder_server.domain.receipts import verify_chain
from monkey_coder_server.ports.ledger import LedgerReport
from monkey_coder_server.ports.signing import ReceiptSigner

EXAMPLES = 5
SWEPT_WITHIN = timedelta(minutes=3)
"""How long what is past its time may stand: gateways look for it once a minute."""
TOLD_WITHIN = timedelta(days=2)
"""How long an invoice and its payment may tell differently: what a lost webhook left out is found once a day."""
PAGE = 1_000

_CHECKS: Mapping[str, Query] = {
    "transactions_not_summing_to_zero": Query(
        text("SELECT transaction_id FROM entries GROUP BY transaction_id HAVING SUM(amount) <> 0")
    ),
    "balance_differs_from_entries": Query(
        text("""
        SELECT account_id FROM (
            SELECT account_id, balance FROM wallets
            UNION ALL SELECT owner, -amount FROM entries WHERE kind = 'customer_credit'
        ) AS both_sides GROUP BY account_id HAVING SUM(balance) <> 0
        """)
    ),
    "balance_differs_from_grants": Query(
        text("""
        SELECT account_id FROM (
            SELECT account_id, balance FROM wallets
            UNION ALL SELECT account_id, -remaining FROM grants
        ) AS both_sides GROUP BY account_id HAVING SUM(balance) <> 0
        """)
    ),
    "grants_differing_from_entries": Query(
        text("""
        SELECT grant_id FROM grants g WHERE grant_id NOT LIKE 'carried:%' AND NOT EXISTS (
            SELECT 1 FROM entries e WHERE e.transaction_id = g.grant_id AND e.kind = 'customer_credit'
            AND e.owner = g.account_id AND e.amount = g.amount
        )
        """)
    ),
    "refunds_beyond_what_they_undo": Query(
        text("""
        SELECT undoes FROM (
            SELECT t.undoes AS undoes, SUM(e.amount) AS refunded
            FROM transactions t JOIN entries e USING (transaction_id)
            WHERE t.undoes IS NOT NULL AND e.kind = 'customer_credit' GROUP BY t.undoes
        ) AS refunds WHERE NOT EXISTS (
            SELECT 1 FROM entries o WHERE o.transaction_id = refunds.undoes AND o.kind = 'customer_credit'
            AND ABS(o.amount) >= ABS(refunded) AND o.amount * refunded < 0
        )
        """)
    ),
    "held_differs_from_open_holds_and_leases": Query(
        text("""
        SELECT account_id FROM (
            SELECT account_id, held FROM wallets
            UNION ALL SELECT account_id, -amount FROM holds WHERE state = 'open'
            UNION ALL SELECT account_id, -(amount - charged - returned) FROM leases
        ) AS both_sides GROUP BY account_id HAVING SUM(held) <> 0
        """)
    ),
    "negative_or_overcommitted_wallets": Query(
        text("SELECT account_id FROM wallets WHERE balance < 0 OR held < 0 OR held > balance")
    ),
    "cap_counters_differ_from_holds_and_leases": Query(
        text("""
        WITH moved AS (
            SELECT key_id, day, month, charged, CASE state WHEN 'open' THEN amount ELSE 0 END AS held FROM holds
            UNION ALL SELECT key_id, day, month, 0, amount - charged - returned FROM leases
        )
        SELECT key_id || ' ' || period FROM (
            SELECT key_id, day AS period, charged AS settled, held FROM moved
            UNION ALL SELECT key_id, month, charged, held FROM moved
            UNION ALL SELECT key_id, 'total', charged, held FROM moved
            UNION ALL SELECT key_id, period, -settled, -held FROM caps
        ) AS both_sides WHERE period >= :counted
        GROUP BY key_id, period HAVING SUM(settled) <> 0 OR SUM(held) <> 0
        """)
    ),
    "settled_holds_without_settlement": Query(
        text("""
        SELECT request_id FROM holds h WHERE state = 'settled' AND NOT (
            EXISTS (SELECT 1 FROM transactions t WHERE t.transaction_id = 'settle:' || h.request_id)
            AND (h.resolved_at < :kept OR EXISTS (
                SELECT 1 FROM usage u JOIN receipts r ON r.receipt_id = u.receipt_id
                WHERE u.account_id = h.account_id AND u.at = h.resolved_at
                AND u.request_id = h.request_id AND r.request_id = h.request_id
                AND u.status = 'served' AND u.price = h.charged))
        )
        """)
    ),
    "settlements_without_settled_hold": Query(
        text("""
        SELECT request_id FROM (
            SELECT request_id FROM transactions WHERE kind = 'settle'
            UNION ALL SELECT request_id FROM receipts
            UNION ALL SELECT request_id FROM usage WHERE status = 'served'
        ) AS settled WHERE NOT EXISTS (
            SELECT 1 FROM holds h WHERE h.request_id = settled.request_id AND h.state = 'settled'
        )
        """)
    ),
    "charges_differing_from_entries": Query(
        text("""
        SELECT request_id FROM (
            SELECT request_id, account_id, charged AS amount FROM holds WHERE state = 'settled'
            UNION ALL SELECT t.request_id, e.owner, e.amount FROM transactions t JOIN entries e USING (transaction_id)
            WHERE t.kind = 'settle' AND e.kind = 'customer_credit'
        ) AS both_sides GROUP BY request_id, account_id HAVING SUM(amount) <> 0
        """)
    ),
    "costs_differing_from_entries": Query(
        text("""
        SELECT request_id FROM (
            SELECT request_id, provider_cost AS amount FROM usage
            UNION ALL SELECT t.request_id, -e.amount FROM transactions t JOIN entries e USING (transaction_id)
            JOIN holds h ON h.request_id = t.request_id
            WHERE e.kind = 'provider_payable' AND t.kind <> 'correct' AND h.resolved_at >= :kept
        ) AS both_sides GROUP BY request_id HAVING SUM(amount) <> 0
        """)
    ),
    "provider_costs_differing_from_entries": Query(
        text("""
        SELECT transaction_id || ' ' || provider FROM (
            SELECT transaction_id, provider, cost AS amount FROM provider_costs
            UNION ALL SELECT e.transaction_id, e.owner, -e.amount
            FROM entries e JOIN transactions t ON t.transaction_id = e.transaction_id
            WHERE e.kind = 'provider_payable' AND t.kind <> 'correct'
        ) AS both_sides GROUP BY transaction_id, provider HAVING SUM(amount) <> 0
        """)
    ),
    "losses_differing_from_entries": Query(
        text("""
        SELECT request_id FROM (
            SELECT request_id, loss AS amount FROM usage WHERE status = 'served'
            UNION ALL SELECT t.request_id, e.amount FROM transactions t JOIN entries e USING (transaction_id)
            JOIN holds h ON h.request_id = t.request_id
            WHERE t.kind = 'settle' AND e.kind = 'house_loss' AND h.resolved_at >= :kept
        ) AS both_sides GROUP BY request_id HAVING SUM(amount) <> 0
        """)
    ),
    "entries_without_transaction": Query(
        text("""
        SELECT DISTINCT transaction_id FROM entries e
        WHERE NOT EXISTS (SELECT 1 FROM transactions t WHERE t.transaction_id = e.transaction_id)
        """)
    ),
    "resolved_holds_without_usage_row": Query(
        text("""
        SELECT request_id FROM holds h WHERE state <> 'open' AND h.resolved_at >= :kept
        AND NOT EXISTS (SELECT 1 FROM usage u WHERE u.account_id = h.account_id AND u.at = h.resolved_at
                        AND u.request_id = h.request_id)
        """)
    ),
    "usage_rows_without_resolved_hold": Query(
        text("""
        SELECT request_id FROM usage u WHERE NOT EXISTS (
            SELECT 1 FROM holds h WHERE h.request_id = u.request_id AND h.state <> 'open'
            AND h.account_id = u.account_id AND h.key_id = u.key_id AND h.resolved_at = u.at
        )
        """)
    ),
    "sums_differing_from_usage": Query(
        text("""
        SELECT account_id || ' ' || day FROM (
            SELECT account_id, day, key_id, provider, model, persona, requests, failed, input_tokens, cached_tokens,
                output_tokens, reasoning_tokens, price, provider_cost, latency_ms, estimated, cache_saving
            FROM usage_daily WHERE day >= :kept / 86400000000
            UNION ALL SELECT account_id, at / 86400000000, key_id, provider, model, persona, -1,
                CASE status WHEN 'served' THEN 0 ELSE -1 END, -input_tokens, -cached_tokens, -output_tokens,
                -reasoning_tokens, -price, -provider_cost, -latency_ms, CASE WHEN estimated THEN -1 ELSE 0 END,
                -cache_saving
            FROM usage WHERE at >= :kept
        ) AS both_sides GROUP BY account_id, day, key_id, provider, model, persona
        HAVING SUM(requests) <> 0 OR SUM(failed) <> 0 OR SUM(input_tokens) <> 0 OR SUM(cached_tokens) <> 0
            OR SUM(output_tokens) <> 0 OR SUM(reasoning_tokens) <> 0 OR SUM(price) <> 0
            OR SUM(provider_cost) <> 0 OR SUM(latency_ms) <> 0 OR SUM(estimated) <> 0
            OR SUM(cache_saving) <> 0
        """)
    ),
    "unfinished_idempotency_keys_without_open_hold": Query(
        text("""
        SELECT account_id || ' ' || key FROM idempotency i WHERE body IS NULL AND NOT EXISTS (
            SELECT 1 FROM holds h WHERE h.request_id = i.request_id AND h.state = 'open'
        )
        """)
    ),
    "chain_heads_differing_from_receipts": Query(
        text("""
        SELECT key_id FROM receipt_chains c WHERE NOT EXISTS (
            SELECT 1 FROM receipts r
            WHERE r.key_id = c.key_id AND r.sequence = c.sequence AND r.chain_hash = c.chain_hash
        ) OR c.sequence <> (SELECT COUNT(*) FROM receipts r WHERE r.key_id = c.key_id)
        UNION SELECT key_id FROM receipts WHERE key_id NOT IN (SELECT key_id FROM receipt_chains)
        """)
    ),
    "open_holds_past_expiry": Query(text("SELECT request_id FROM holds WHERE state = 'open' AND expires_at < :due")),
    "lease_figures_differing_from_holds": Query(
        text("""
        SELECT lease_id FROM (
            SELECT lease_id, account_id, key_id, day, month, charged FROM leases
            UNION ALL SELECT lease_id, account_id, key_id, day, month, -charged FROM holds WHERE lease_id IS NOT NULL
        ) AS both_sides GROUP BY lease_id, account_id, key_id, day, month HAVING SUM(charged) <> 0
        """)
    ),
    "holds_on_unknown_leases": Query(
        text("""
        SELECT request_id FROM holds h WHERE lease_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.lease_id = h.lease_id)
        """)
    ),
    "ended_leases_with_something_left": Query(
        text("SELECT lease_id FROM leases WHERE state <> 'open' AND charged + returned <> amount")
    ),
    "open_leases_past_expiry": Query(text("SELECT lease_id FROM leases WHERE state = 'open' AND expires_at < :due")),
    "rounding_of_a_cent_or_more": Query(
        text(f"""
        SELECT owner FROM entries WHERE kind = '{AccountKind.ROUNDING}'
        GROUP BY owner HAVING ABS(SUM(amount)) >= {NANO_PER_CENT}
        """)  # noqa: S608 - words of our own
    ),
    "endings_that_could_not_be_booked": Query(text("SELECT request_id FROM unbooked")),
    **payment_checks.CHECKS,
    **invoice_checks.CHECKS,
    **freeze_checks.CHECKS,
    **PROMOTION_CHECKS,
}
_OF_THE_HOLD = ("request_id", "account_id", "key_id", "hold_nano", "charge_nano")
_TOTALS = Query(text("SELECT kind, SUM(amount) FROM entries GROUP BY kind ORDER BY kind"))
_RECEIPTS = Query(
    text("""
    SELECT r.key_id, r.sequence, r.receipt_id, r.body, r.chain_hash, r.signature, r.signing_key_id, r.account_id,
           h.request_id, h.account_id, h.key_id, h.amount, h.charged
    FROM receipts r LEFT JOIN holds h ON h.request_id = r.request_id
    WHERE r.key_id > :key OR (r.key_id = :key AND r.sequence > :sequence)
    ORDER BY r.key_id, r.sequence LIMIT :page
    """)
)


def audit(signer: ReceiptSigner, now: int, transaction: Transaction) -> LedgerReport:
    """Run every check on one view of the database; `now` in microseconds decides which holds and leases are overdue.

    Usage rows and counters older than they are kept are not missed; sums and entries are checked all the same.
    """
    swept = SWEPT_WITHIN // MICROSECOND
    moments: dict[str, int | str] = {
        "due": now - swept,
        "overdue": now - LATE - swept,
        "overdue_soon": now - LATE + swept,
        "told": now - TOLD_WITHIN // MICROSECOND,
        "kept": kept_from(transaction),
        "counted": counted_from(from_micros(now)),
    }
    found = {name: _offenders(transaction, query, moments) for name, query in _CHECKS.items()}
    found["limit_counters_differ_from_requests"] = differing_counters(transaction)
    found |= differing_accounts(transaction) | invoice_checks.of_months(transaction)
    found |= _receipt_checks(transaction, signer)
    totals = totals_by_kind(transaction)
    found["books_not_summing_to_zero"] = [f"{sum(totals.values())} nano-dollars"] if sum(totals.values()) else []
    details = [
        f"{name}: {', '.join(offenders[:EXAMPLES])}" + (" …" if len(offenders) > EXAMPLES else "")
        for name, offenders in found.items()
        if offenders
    ]
    return LedgerReport({name: len(offenders) for name, offenders in found.items()}, totals, details)


def totals_by_kind(transaction: Transaction) -> dict[str, int]:
    """Nano-dollars booked by kind of account."""
    return {row[0]: row[1] for row in transaction.rows(_TOTALS, {})}


def _offenders(transaction: Transaction, query: Query, moments: Mapping[str, int | str]) -> list[str]:
    return [str(row[0]) for row in transaction.rows(query, moments)]


def _receipt_checks(transaction: Transaction, signer: ReceiptSigner) -> dict[str, list[str]]:
    """Check each key's chain from its beginning, and every signature."""
    keys = known_keys(transaction, signer)
    forged: list[str] = []
    unknown: list[str] = []
    broken: list[str] = []
    differing: list[str] = []
    for key_id, chain in groupby(_all_receipts(transaction), key=lambda row: row[0]):
        links = _links(_signed(chain, signer, keys, forged, unknown), differing)
        breach = verify_chain(links)
        if breach is not None:
            broken.append(f"{key_id} at receipt {breach.position + 1}: {breach.problem}")
        deque(links, maxlen=0)  # the signatures behind a breach are checked too
    return {
        "receipts_with_bad_signature": forged,
        "receipts_signed_with_unpublished_key": unknown,
        "broken_receipt_chains": broken,
        "receipts_differing_from_holds": differing,
    }


def _signed(
    chain: Iterator[Row], signer: ReceiptSigner, keys: Mapping[str, str], forged: list[str], unknown: list[str]
) -> Iterator[Row]:
    """The receipts of one chain as they are; with a wrong signature added to `forged`, without a key to `unknown`."""
    for row in chain:
        _, _, receipt_id, body, _, signature, signing_key_id, *_ = row
        public_key = keys.get(signing_key_id)
        if public_key is None:
            unknown.append(f"{receipt_id} ({signing_key_id})")
        elif not signer.valid(body, signature=signature, public_key=public_key):
            forged.append(receipt_id)
        yield row


def _links(chain: Iterator[Row], differing: list[str]) -> Iterator[tuple[str, str]]:
    """The (body, chain hash) pairs of one chain.

    Receipts that tell of another charge than their hold does, or stand under another account or key, are added to
    `differing`.
    """
    for key_id, _, receipt_id, body, chain_hash, _, _, account_id, *held in chain:
        if held[1:3] != [account_id, key_id] or _told(body) != held:
            differing.append(receipt_id)
        yield body, chain_hash


def _told(body: str) -> list[object]:
    """What a receipt says of its hold, in the order of `_RECEIPTS`; nothing of what cannot be read."""
    try:
        facts = json.loads(body)
    except ValueError:
        return []
    return [facts.get(name) for name in _OF_THE_HOLD] if isinstance(facts, dict) else []


def _all_receipts(transaction: Transaction) -> Iterator[Row]:
    """Every receipt by key and sequence, a page at a time."""
    key, sequence = "", 0
    while page := transaction.rows(_RECEIPTS, {"key": key, "sequence": sequence, "page": PAGE}):
        yield from page
        key, sequence = page[-1][0], page[-1][1]
