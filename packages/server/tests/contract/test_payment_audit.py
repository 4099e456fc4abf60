"""The audit sees every mistake in the books of payments and invoices, on both databases."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.adapters.storage import freeze_checks, invoice_checks, owned_checks, payment_checks
from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.adapters.storage.payment_tables import FIGURES, payments
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.adapters.storage.verification import SWEPT_WITHIN, TOLD_WITHIN, audit
from monkey_coder_server.domain.invoicing import FREEZE_AFTER, InvoiceState
from monkey_coder_server.ports.invoicing import Sent
from monkey_coder_server.ports.ledger import LedgerReport
from monkey_coder_server.ports.signing import ReceiptSigner
from packages.server.tests.contract.booking import ACCOUNT, StillClock
from packages.server.tests.contract.payment_business import DECEMBER, DUE, all_kinds


def _booked(kind: str, owner: str, name: str = "hand:1", reason: str = "invoice") -> str:
    """A movement of a nano-dollar on an account, by hand."""
    return f"""
        INSERT INTO transactions VALUES ('{name}', '{reason}', 'acc_1', NULL, '', 1, NULL);
        INSERT INTO entries VALUES ('{name}', 0, '{kind}', '{owner}', 1);
        INSERT INTO entries VALUES ('{name}', 1, 'revenue', '', -1)
    """  # noqa: S608 - words of our own


def _set(change: str, payment: str = "pay_fee") -> str:
    return f"UPDATE payments SET {change} WHERE payment_id = '{payment}'"  # noqa: S608 - as above


GRANTED_TWICE = """
    INSERT INTO transactions VALUES ('grant:acc_1:payment:pay_twice', 'purchase', 'acc_1', NULL, '', 1, NULL);
    INSERT INTO entries VALUES ('grant:acc_1:payment:pay_twice', 0, 'customer_credit', 'acc_1', 5);
    INSERT INTO entries VALUES ('grant:acc_1:payment:pay_twice', 1, 'cash', '', -5);
    INSERT INTO grants VALUES ('grant:acc_1:payment:pay_twice', 'acc_1', 'purchase', 100, 5, 5, 1, 9);
    UPDATE wallets SET balance = balance + 5 WHERE account_id = 'acc_1'
"""
"""All older checks agree: the entries, the grant and the balance are there; no payment is."""
_COLUMNS = ", ".join([column.name for column in payments.columns if column.name != "payment_id"])
PAID_TWICE = f"""
    INSERT INTO payments (payment_id, {_COLUMNS}) SELECT payment_id || '_again', {_COLUMNS} FROM payments
    WHERE payment_id = '{{}}'
"""  # noqa: S608 - as above
PLANTED = [
    *[
        (_set(f"{figure} = {figure} + 1"), "payments_differing_from_entries")
        for figure in (*FIGURES, "aside", "debt")
        if figure != "taken"
    ],
    (_set("movements = movements + 1", "pay_bought"), "payments_differing_from_entries"),
    ("UPDATE payment_takings SET amount = amount + 1", "payments_differing_from_entries"),
    ("DELETE FROM payment_takings", "payments_differing_from_entries"),
    (_set("account_id = 'acc_1'"), "payments_differing_from_entries"),
    (_booked("revenue", "x", "payment:pay_fee:9", "purchase"), "payments_differing_from_entries"),
    (_booked("promotions", "", "payment:", "purchase"), "payments_differing_from_entries"),
    *[
        (_set(f"{figure} = {figure} + 1"), "payments_differing_from_what_was_seen")
        for figure in ("received", "refunding", "refunded", "claimed", "lost")
    ],
    (_set("cents = cents + 1"), "payments_differing_from_what_was_seen"),
    (
        "UPDATE payments SET state = 'pending' WHERE payment_id = 'pay_lost'",
        "payments_differing_from_what_was_seen",
    ),
    ("UPDATE payments SET currency = 'usd'", "payments_differing_from_what_was_seen"),
    ("UPDATE payment_refunds SET state = 'failed' WHERE state = 'pending'", "payments_differing_from_what_was_seen"),
    ("UPDATE payment_refunds SET cents = cents + 1", "payments_differing_from_what_was_seen"),
    ("DELETE FROM payment_disputes WHERE state = 'lost'", "payments_differing_from_what_was_seen"),
    ("UPDATE payment_disputes SET withdrawn = 0", "payments_differing_from_what_was_seen"),
    (_set("taken = taken + 1", "pay_bought"), "payments_differing_from_takings"),
    ("UPDATE payment_takings SET amount = amount - 1", "payments_differing_from_takings"),
    ("UPDATE payments SET debt = debt + 1 WHERE debt > 0", "payments_differing_from_takings"),
    (GRANTED_TWICE, "payments_not_granted_once"),
    (_set("grant_id = NULL"), "payments_not_granted_once"),
    ("UPDATE payments SET grant_id = 'x' WHERE payment_id = 'pay_euros'", "payments_not_granted_once"),
    (_set("given = given + 1"), "payments_not_granted_once"),
    (
        _set("grant_id = (SELECT grant_id FROM payments WHERE payment_id = 'pay_bought')"),
        "payments_not_granted_once",
    ),
    (PAID_TWICE.format("pay_invoice"), "paid_more_than_once"),
    (PAID_TWICE.format("pay_topped"), "paid_more_than_once"),
    ("UPDATE payments SET freezes = '' WHERE freezes = 'dispute'", "payments_freezing_otherwise_than_seen"),
    ("UPDATE payments SET freezes = '' WHERE freezes = 'debt'", "payments_freezing_otherwise_than_seen"),
    ("UPDATE payments SET warning = 'lifted' WHERE warning = 'open'", "payments_freezing_otherwise_than_seen"),
    (_set("freezes = 'debt'"), "payments_freezing_otherwise_than_seen"),
    ("UPDATE payments SET freezes = 'debt' WHERE currency = 'eur'", "payments_freezing_otherwise_than_seen"),
    (_booked("cash", "pay_bought"), "cash_differing_from_payments"),
    (_booked("cash", "pay_unknown"), "cash_differing_from_payments"),
    (_set("refunded = refunded + 1", "pay_bought"), "cash_differing_from_payments"),
    (_booked("tax_payable", "pay_bought"), "tax_differing_from_payments"),
    (_booked("refund_payable", "pay_bought"), "refunds_payable_differing_from_open_refunds"),
    (
        "UPDATE payment_refunds SET state = 'succeeded' WHERE order_id = 'ord_2'",
        "refunds_payable_differing_from_open_refunds",
    ),
    ("UPDATE payment_disputes SET state = 'won' WHERE state = 'open'", "disputed_differing_from_open_disputes"),
    ("UPDATE payments SET aside = aside - 1 WHERE aside > 0", "disputed_differing_from_open_disputes"),
    ("UPDATE payments SET debt = debt - 1 WHERE debt > 0", "debts_differing_from_entries"),
    (_booked("customer_debt", "acc_owing"), "debts_differing_from_entries"),
    ("UPDATE invoices SET state = 'void' WHERE state = 'open'", "receivables_differing_from_invoices"),
    ("UPDATE invoices SET state = 'uncollectible' WHERE state = 'open'", "receivables_differing_from_invoices"),
    ("UPDATE invoices SET state = 'open' WHERE state = 'void'", "receivables_differing_from_invoices"),
    (_booked("customer_receivable", ""), "receivables_differing_from_invoices"),
    ("UPDATE credit_lines SET amount = amount + 1", "credit_lines_differing_from_entries"),
    ("UPDATE payments SET gifted = gifted + 1 WHERE settled > 0", "credit_lines_differing_from_entries"),
    ("UPDATE invoices SET residue = residue - 1 WHERE period = '2026-12'", "rounding_differing_from_residue"),
    (_booked("rounding", "acc_1"), "rounding_differing_from_residue"),
    ("UPDATE invoices SET cents = cents + 1 WHERE period = '2026-12'", "invoices_differing_from_entries"),
    ("UPDATE invoices SET used = used + 1 WHERE period = '2026-11'", "invoices_differing_from_entries"),
    ("UPDATE invoices SET account_id = 'acc_buyer'", "invoices_differing_from_entries"),
    ("UPDATE invoices SET charged = charged + 1 WHERE period = '2026-11'", "invoices_differing_from_lines"),
    ("UPDATE invoice_lines SET cents = cents + 1", "invoices_differing_from_lines"),
    ("UPDATE invoice_lines SET amount = amount + 1 WHERE model = ''", "invoices_differing_from_lines"),
    ("DELETE FROM invoice_lines WHERE model = 'openai/gpt-5-mini'", "invoices_differing_from_lines"),
    ("UPDATE invoice_lines SET amount = amount + 1 WHERE model = 'openai/gpt-5'", "invoice_lines_beyond_usage"),
    ("UPDATE invoice_lines SET model = 'xai/grok-4' WHERE model = 'openai/gpt-5'", "invoice_lines_beyond_usage"),
    ("UPDATE usage_daily SET price = price - 1 WHERE model = 'gpt-5-mini'", "invoice_lines_beyond_usage"),
    ("UPDATE invoices SET period = 'never' WHERE period = '2026-12'", "invoice_lines_beyond_usage"),
    ("UPDATE payments SET reference = 'inv_other' WHERE purpose = 'invoice'", "invoices_differing_from_payments"),
    ("UPDATE invoices SET state = 'open' WHERE period = '2026-10'", "invoices_differing_from_payments"),
    ("UPDATE top_up_charges SET payment_id = 'pay_x' WHERE state = 'succeeded'", "top_up_charges_without_payment"),
    ("UPDATE top_up_charges SET state = 'succeeded' WHERE state = 'open'", "top_up_charges_without_payment"),
    ("UPDATE top_ups SET charged = charged - 1", "top_ups_differing_from_charges"),
    ("UPDATE top_up_charges SET cents = cents + 1 WHERE state = 'open'", "top_ups_differing_from_charges"),
    ("UPDATE top_up_charges SET state = 'succeeded' WHERE state = 'failed'", "top_ups_differing_from_charges"),
    ("UPDATE top_ups SET under_way = (1 = 0)", "top_ups_differing_from_charges"),
    ("UPDATE top_ups SET sequence = sequence + 1", "top_ups_differing_from_charges"),
    ("UPDATE wallets SET frozen = '' WHERE account_id = 'acc_disputing'", "accounts_not_frozen_for_a_reason"),
    ("UPDATE wallets SET frozen = 'debt' WHERE account_id = 'acc_disputing'", "accounts_not_frozen_for_a_reason"),
    ("UPDATE wallets SET frozen = '' WHERE account_id = 'acc_owing'", "accounts_not_frozen_for_a_reason"),
    ("UPDATE invoices SET state = 'uncollectible' WHERE state = 'void'", "accounts_not_frozen_for_a_reason"),
    ("UPDATE wallets SET frozen = 'overdue' WHERE account_id = 'acc_1'", "accounts_frozen_without_reason"),
    ("UPDATE wallets SET frozen = 'dispute' WHERE account_id = 'acc_buyer'", "accounts_frozen_without_reason"),
]


class _Undone(Exception):
    """Takes back what was planted."""


@pytest.fixture
async def business(store: Storage, clock: StillClock) -> Storage:
    await all_kinds(store, clock)
    clock.forward(TOLD_WITHIN + timedelta(seconds=1))
    return store


async def found_after(store: Storage, script: str, signer: ReceiptSigner, now: datetime) -> set[str]:
    """The checks that fail after a script, which is undone."""
    seen: set[str] = set()

    def body(transaction: Transaction) -> None:
        for statement in script.split(";"):
            transaction.change(Query(text(statement)), {})
        seen.update(failing(audit(signer, to_micros(now), transaction)))
        raise _Undone

    with pytest.raises(_Undone):
        await store.writer.perform(body)
    return seen


def failing(report: LedgerReport) -> set[str]:
    return {name for name, count in report.checks.items() if count}


async def test_the_audit_sees_every_mistake_and_none_where_there_is_none(
    business: Storage, signer: Ed25519Signer, clock: StillClock
) -> None:
    assert failing(await business.ledger.verify()) == set()
    missed = [
        (script, check)
        for script, check in PLANTED
        if check not in await found_after(business, script, signer, clock.now())
    ]
    assert missed == []
    assert failing(await business.ledger.verify()) == set()


async def test_what_is_overdue_is_frozen_within_minutes_and_not_before(business: Storage, clock: StillClock) -> None:
    """December's invoice, sent when it was drawn up."""
    sent_at = clock.now() - TOLD_WITHIN - timedelta(seconds=1)
    clock.moment = sent_at + DUE + FREEZE_AFTER + SWEPT_WITHIN - timedelta(seconds=1)
    assert failing(await business.ledger.verify()) == set()
    clock.forward(timedelta(seconds=1))
    assert failing(await business.ledger.verify()) == {"accounts_not_frozen_for_a_reason"}
    assert await business.invoices.freeze_overdue(clock.now()) == [ACCOUNT]
    assert failing(await business.ledger.verify()) == set()
    clock.moment -= 2 * SWEPT_WITHIN
    assert failing(await business.ledger.verify()) == set()
    clock.moment -= timedelta(seconds=1)
    assert failing(await business.ledger.verify()) == {"accounts_frozen_without_reason"}


async def test_an_invoice_and_its_payment_may_come_days_apart(business: Storage, clock: StillClock) -> None:
    name, now = f"inv_{DECEMBER.name}_{ACCOUNT}", clock.now()
    await business.invoices.bring(name, Sent(InvoiceState.PAID, "in_1", ""), now)
    clock.forward(TOLD_WITHIN)
    assert failing(await business.ledger.verify()) == set()
    clock.forward(timedelta(microseconds=1))
    assert failing(await business.ledger.verify()) == {"invoices_differing_from_payments"}


def test_every_check_of_payments_is_shown_to_fail() -> None:
    queries = {**payment_checks.CHECKS, **invoice_checks.CHECKS, **freeze_checks.CHECKS}
    assert {check for _, check in PLANTED} == {*queries, *owned_checks.NAMES.values(), *invoice_checks.OF_MONTHS}
