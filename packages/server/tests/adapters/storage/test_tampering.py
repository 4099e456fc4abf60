"""History cannot be changed through the database, and the audit sees what was changed in spite of it."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.immutability import APPEND_ONLY
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Period, Unit
from monkey_coder_server.ports.promotions import RedeemWish
from packages.server.tests.adapters.storage.stores import Books
from packages.server.tests.contract.booking import (
    ACCOUNT,
    NOON,
    fail,
    hold_request,
    lease_wish,
    resolved,
    settle,
)
from packages.server.tests.contract.test_payment_audit import PLANTED
from packages.server.tests.contract.test_promotions import CODE, SPRING


async def some_business(books: Books) -> None:
    await books.promotions.add(replace(SPRING, amount=9_000), by="operator", at=NOON)
    await books.promotions.redeem(RedeemWish(CODE, ACCOUNT, "user_1", NOON))
    for name, wanted in (("lease_1", 2_000), ("lease_2", 1_000)):
        await books.books.lease(lease_wish(wanted, lease_id=name))
    for unit in Unit:
        limit = Limit(Holder(HolderKind.ACCOUNT, ACCOUNT), Period.DAY, unit, 10_000)
        await books.limits.put(ACCOUNT, limit, NOON)
    served = [hold_request() for _ in range(3)]
    failed, running = hold_request(), hold_request()
    for request in (*served, failed, running):
        await books.books.place(request)
    for request in served:
        await settle(books.books, request)
    await fail(books.books, failed, provider="openai", provider_cost=5)
    await books.books.ship([resolved(hold_request(), "lease_1") for _ in range(2)])
    await books.books.give_back("lease_1", 800)


def run(books: Books, script: str) -> None:
    with closing(sqlite3.connect(books.path)) as connection:
        connection.executescript(script)


@pytest.mark.parametrize("table", [table.name for table in APPEND_ONLY])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
async def test_what_was_written_stays_as_it_was_written(books: Books, table: str, statement: str) -> None:
    await some_business(books)
    with closing(sqlite3.connect(books.path)) as connection:
        connection.execute("INSERT INTO audit (at, actor, action, target, details) VALUES (1, 'a', 'b', 'c', 'd')")
        connection.execute("INSERT INTO receipt_keys VALUES ('k', 'ed25519', '', 1)")
        connection.execute("INSERT INTO reconciliations VALUES ('r', 'xai', 'd', 'd', 1, 's', 1, 1, 0, 0, '[]')")
        connection.execute("INSERT INTO price_books VALUES ('b', '{}', 's', 1)")
        connection.execute("INSERT INTO price_activations VALUES (1, 1, 'b', 1, 'operator', 'r')")
        column = connection.execute("SELECT name FROM pragma_table_info(?)", [table]).fetchone()[0]
        with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
            connection.execute(statement.format(table, column, column))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE wallets SET held = -1",
        "UPDATE wallets SET balance = held - 1",
        "UPDATE wallets SET balance = 9200000000000000000",
        "UPDATE holds SET charged = amount + 1",
        "UPDATE holds SET state = 'lost'",
        "UPDATE caps SET held = -1",
        "UPDATE counters SET held = -1",
        "UPDATE counters SET spent = -1",
        "UPDATE limits SET allowed = -1",
        "UPDATE grants SET remaining = amount + 1",
        "UPDATE grants SET remaining = -1",
        "UPDATE promotions SET redeemed = -1",
        "UPDATE promotions SET most = 0",
        "UPDATE promotions SET ends_at = starts_at - 1",
        "UPDATE leases SET returned = amount + 1",
        "UPDATE leases SET state = 'expired' WHERE charged + returned < amount",
        "UPDATE leases SET recalled_at = 1",
        "INSERT INTO entries VALUES ('grant:acc_1:first', 9, 'revenue', '', 0)",
        "UPDATE usage SET price = 1 WHERE status = 'failed'",
    ],
)
async def test_the_database_itself_refuses_figures_that_cannot_be(books: Books, statement: str) -> None:
    await some_business(books)
    with closing(sqlite3.connect(books.path)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)


RAISED_RECEIPT = """
    DROP TRIGGER receipts_refuses_update;
    UPDATE receipts SET body = replace(body, '"charge_nano":600', '"charge_nano":601') WHERE sequence = 2
"""
CHARGED_TO_ANOTHER = """
    DROP TRIGGER entries_refuses_update;
    INSERT INTO wallets (account_id, balance, held) VALUES ('acc_2', 0, 0);
    INSERT INTO transactions VALUES ('grant:acc_2:first', 'grant', 'acc_2', NULL, '', 1, NULL);
    INSERT INTO entries VALUES ('grant:acc_2:first', 0, 'customer_credit', 'acc_2', 1800);
    INSERT INTO entries VALUES ('grant:acc_2:first', 1, 'promotions', '', -1800);
    UPDATE entries SET owner = 'acc_2' WHERE kind = 'customer_credit' AND transaction_id LIKE 'settle:%';
    UPDATE wallets SET balance = balance + 1800 WHERE account_id = 'acc_1'
"""
CHARGED_LESS_THAN_RECEIPTED = """
    DROP TRIGGER entries_refuses_update;
    UPDATE entries SET amount = amount + 1 WHERE kind = 'customer_credit' AND transaction_id LIKE 'settle:%';
    UPDATE entries SET amount = amount - 1 WHERE kind = 'revenue' AND transaction_id LIKE 'settle:%';
    UPDATE holds SET charged = charged - 1 WHERE state = 'settled';
    UPDATE usage SET price = price - 1 WHERE status = 'served';
    UPDATE caps SET settled = settled - 3;
    UPDATE wallets SET balance = balance + 3
"""
"""Every table agrees; only the signed receipts remember."""
REFUNDED_TWICE = """
    INSERT INTO transactions SELECT 'refund:' || transaction_id, 'refund', account_id, request_id, '', 1, transaction_id
    FROM transactions WHERE kind = 'settle' LIMIT 1;
    INSERT INTO entries SELECT transaction_id, 0, 'customer_credit', account_id, 601
    FROM transactions WHERE kind = 'refund';
    INSERT INTO entries SELECT transaction_id, 1, 'revenue', '', -601 FROM transactions WHERE kind = 'refund'
"""
CHARGED_BY_REFUND = REFUNDED_TWICE.replace("-601", "1").replace("601", "-1")
"""A refund of a charge that charges again."""
A_CENT_OF_RESIDUE = """
    INSERT INTO transactions VALUES ('invoice:1', 'invoice', 'acc_1', NULL, '', 1, NULL);
    INSERT INTO entries VALUES ('invoice:1', 0, 'rounding', 'acc_1', -10000000);
    INSERT INTO entries VALUES ('invoice:1', 1, 'customer_receivable', 'acc_1', 10000000)
"""
REDEEMED_WITHOUT_CREDIT = """
    INSERT INTO wallets (account_id, balance, held) VALUES ('acc_2', 0, 0);
    UPDATE promotions SET redeemed = redeemed + 1;
    INSERT INTO promotion_redemptions SELECT promotion_id, 'acc_2', 'grant:acc_2:promotion:promo_1', campaign, amount,
    'user_2', at, expires_at FROM promotion_redemptions
"""
REDEMPTION_FORGOTTEN = """
    DROP TRIGGER promotion_redemptions_refuses_delete; DELETE FROM promotion_redemptions;
    UPDATE promotions SET redeemed = 0
"""
DISHONESTIES = [
    (REDEEMED_WITHOUT_CREDIT, "promotion_redemptions_without_their_grant"),
    ("UPDATE grants SET expires_at = expires_at + 1", "promotion_redemptions_without_their_grant"),
    (REDEMPTION_FORGOTTEN, "promotion_grants_without_redemption"),
    ("UPDATE promotions SET redeemed = redeemed + 1", "promotions_differing_from_redemptions"),
    ("UPDATE promotions SET amount = amount + 1", "promotions_differing_from_redemptions"),
    (A_CENT_OF_RESIDUE, "rounding_of_a_cent_or_more"),
    ("INSERT INTO entries VALUES ('grant:acc_1:first', 9, 'revenue', '', 5)", "transactions_not_summing_to_zero"),
    ("INSERT INTO entries VALUES ('grant:acc_1:first', 9, 'revenue', '', 5)", "books_not_summing_to_zero"),
    ("UPDATE wallets SET balance = balance + 1", "balance_differs_from_entries"),
    ("DELETE FROM wallets", "balance_differs_from_entries"),
    ("UPDATE grants SET remaining = remaining - 1", "balance_differs_from_grants"),
    ("DELETE FROM grants", "balance_differs_from_grants"),
    ("UPDATE wallets SET balance = balance + 1", "balance_differs_from_grants"),
    ("UPDATE grants SET amount = amount + 1", "grants_differing_from_entries"),
    ("UPDATE grants SET account_id = 'acc_2'", "grants_differing_from_entries"),
    (REFUNDED_TWICE, "refunds_beyond_what_they_undo"),
    (CHARGED_BY_REFUND, "refunds_beyond_what_they_undo"),
    ("UPDATE counters SET spent = spent - 1 WHERE unit = 'money'", "limit_counters_differ_from_requests"),
    ("UPDATE counters SET held = held + 1 WHERE unit = 'tokens'", "limit_counters_differ_from_requests"),
    ("UPDATE holds SET tokens = tokens + 1 WHERE state = 'open'", "limit_counters_differ_from_requests"),
    ("UPDATE wallets SET held = held + 1", "held_differs_from_open_holds_and_leases"),
    ("UPDATE caps SET settled = settled + 1 WHERE period = '2026-11'", "cap_counters_differ_from_holds_and_leases"),
    ("UPDATE caps SET held = 0 WHERE period = 'total'", "cap_counters_differ_from_holds_and_leases"),
    ("DELETE FROM caps WHERE period = 'total'", "cap_counters_differ_from_holds_and_leases"),
    ("UPDATE usage SET price = price - 1 WHERE status = 'served'", "settled_holds_without_settlement"),
    ("DELETE FROM usage WHERE status = 'served'", "settled_holds_without_settlement"),
    (
        "DROP TRIGGER receipts_refuses_delete; DELETE FROM receipts WHERE sequence = 3",
        "settled_holds_without_settlement",
    ),
    (
        "DROP TRIGGER transactions_refuses_delete; DELETE FROM transactions WHERE kind = 'settle'",
        "settled_holds_without_settlement",
    ),
    (
        "UPDATE holds SET state = 'voided', charged = 0 WHERE state = 'settled'",
        "settlements_without_settled_hold",
    ),
    ("UPDATE holds SET charged = 1 WHERE state = 'settled'", "charges_differing_from_entries"),
    ("DELETE FROM usage WHERE status = 'failed'", "resolved_holds_without_usage_row"),
    (
        "UPDATE holds SET state = 'open', resolved_at = NULL WHERE state = 'voided'",
        "usage_rows_without_resolved_hold",
    ),
    ("UPDATE receipt_chains SET sequence = 2", "chain_heads_differing_from_receipts"),
    (RAISED_RECEIPT, "receipts_with_bad_signature"),
    (RAISED_RECEIPT, "broken_receipt_chains"),
    ("DROP TRIGGER receipts_refuses_delete; DELETE FROM receipts WHERE sequence = 2", "broken_receipt_chains"),
    ("DROP TRIGGER receipts_refuses_update; UPDATE receipts SET signature = 'AAAA'", "receipts_with_bad_signature"),
    (
        "DROP TRIGGER receipts_refuses_update; UPDATE receipts SET signing_key_id = '0123456789abcdef'",
        "receipts_signed_with_unpublished_key",
    ),
    ("DELETE FROM receipt_chains", "chain_heads_differing_from_receipts"),
    ("UPDATE usage SET provider_cost = provider_cost - 1 WHERE status = 'served'", "costs_differing_from_entries"),
    ("UPDATE usage SET provider_cost = 0 WHERE status = 'failed'", "costs_differing_from_entries"),
    ("UPDATE usage SET loss = loss + 1 WHERE status = 'served'", "losses_differing_from_entries"),
    (
        "DROP TRIGGER entries_refuses_delete; DELETE FROM entries WHERE transaction_id LIKE 'void:%'",
        "costs_differing_from_entries",
    ),
    (
        "DROP TRIGGER transactions_refuses_delete; DELETE FROM transactions WHERE kind = 'grant'",
        "entries_without_transaction",
    ),
    ("UPDATE provider_costs SET cost = cost + 1", "provider_costs_differing_from_entries"),
    ("DELETE FROM provider_costs WHERE transaction_id LIKE 'void:%'", "provider_costs_differing_from_entries"),
    ("UPDATE usage_daily SET latency_ms = latency_ms + 1", "sums_differing_from_usage"),
    ("DELETE FROM usage_daily WHERE provider = 'openai'", "sums_differing_from_usage"),
    (CHARGED_TO_ANOTHER, "charges_differing_from_entries"),
    ("UPDATE usage SET account_id = 'acc_2' WHERE status = 'served'", "usage_rows_without_resolved_hold"),
    ("UPDATE usage SET key_id = 'key_2' WHERE status = 'failed'", "usage_rows_without_resolved_hold"),
    ("UPDATE usage SET at = at + 1 WHERE status = 'served'", "usage_rows_without_resolved_hold"),
    (
        "DROP TRIGGER receipts_refuses_update; UPDATE receipts SET account_id = 'acc_2'",
        "receipts_differing_from_holds",
    ),
    ("UPDATE holds SET amount = amount + 1 WHERE state = 'settled'", "receipts_differing_from_holds"),
    (CHARGED_LESS_THAN_RECEIPTED, "receipts_differing_from_holds"),
    (
        "INSERT INTO idempotency VALUES ('acc_1', 'task:9', x'00', 'req_none', NULL, 1)",
        "unfinished_idempotency_keys_without_open_hold",
    ),
    (
        "UPDATE leases SET charged = charged + 1, returned = returned - 1 WHERE returned > 0",
        "lease_figures_differing_from_holds",
    ),
    ("UPDATE holds SET lease_id = 'lease_2' WHERE lease_id = 'lease_1'", "lease_figures_differing_from_holds"),
    ("UPDATE leases SET day = '2026-11-23' WHERE lease_id = 'lease_1'", "lease_figures_differing_from_holds"),
    ("UPDATE leases SET amount = amount - 1 WHERE state = 'open'", "held_differs_from_open_holds_and_leases"),
    ("UPDATE leases SET amount = amount - 1 WHERE state = 'open'", "cap_counters_differ_from_holds_and_leases"),
    ("DELETE FROM leases WHERE state = 'closed'", "holds_on_unknown_leases"),
    (
        "PRAGMA ignore_check_constraints = ON; UPDATE leases SET state = 'expired' WHERE state = 'open'",
        "ended_leases_with_something_left",
    ),
    ("INSERT INTO unbooked VALUES ('req_x', 'acc_1', 'no wallet', x'7b7d', 1)", "endings_that_could_not_be_booked"),
]


@pytest.mark.parametrize(("script", "check"), DISHONESTIES)
async def test_the_audit_sees_it(books: Books, script: str, check: str) -> None:
    await some_business(books)
    assert (await books.ledger.verify()).sound
    await asyncio.to_thread(run, books, script)
    report = await books.ledger.verify()
    assert report.checks[check] > 0
    assert any(detail.startswith(check) for detail in report.details)
    assert not report.sound


async def test_the_audit_sees_holds_past_their_time(books: Books) -> None:
    await some_business(books)
    books.clock.forward(timedelta(minutes=11))
    assert (await books.ledger.verify()).sound  # the sweeper comes within a minute
    books.clock.forward(timedelta(minutes=3))
    checks = (await books.ledger.verify()).checks
    assert (checks["open_holds_past_expiry"], checks["open_leases_past_expiry"]) == (1, 0)


async def test_the_audit_sees_leases_past_their_time(books: Books) -> None:
    await some_business(books)
    books.clock.forward(timedelta(minutes=19))
    assert (await books.ledger.verify()).checks["open_leases_past_expiry"] == 1


async def test_every_check_of_the_audit_is_shown_to_fail(books: Books) -> None:
    """Here, or with payments, whose checks are shown on both databases."""
    shown = {check for _, check in (*DISHONESTIES, *PLANTED)} | {
        "open_holds_past_expiry",
        "open_leases_past_expiry",
        "negative_or_overcommitted_wallets",
    }
    assert shown == set((await books.ledger.verify()).checks)


async def test_the_audit_sees_a_wallet_below_zero_that_got_past_the_database(books: Books) -> None:
    await asyncio.to_thread(run, books, "PRAGMA ignore_check_constraints = ON; UPDATE wallets SET balance = -1")
    assert (await books.ledger.verify()).checks["negative_or_overcommitted_wallets"] == 1
