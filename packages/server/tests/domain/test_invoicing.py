"""Invoices for what was used of a credit line: months, cents, residues, states."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.invoicing import (
    DAYS_UNTIL_DUE,
    FREEZE_AFTER,
    FROM_CREDIT,
    LATE,
    LINE_PRIORITY,
    SETTLING,
    Charged,
    InvoiceState,
    Month,
    apportion,
    draw_up,
    issue_entries,
    later,
    lower_entries,
    months_due,
    state_entries,
    used_before,
)
from monkey_coder_server.domain.ledger import AccountKind
from monkey_coder_server.domain.money import NANO_PER_CENT

JULY = datetime(2026, 7, 15, tzinfo=UTC)
AMOUNTS = st.integers(0, 10**12)
LIVE = (InvoiceState.OPEN, InvoiceState.UNCOLLECTIBLE, InvoiceState.VOID, InvoiceState.PAID)


def charged(amount: int, model: str = "openai/gpt-5", project_id: str = "web") -> Charged:
    return Charged(project_id=project_id, model=model, amount=amount)


def due(since: datetime, last: str | None, now: datetime) -> list[str]:
    return [month.name for month in months_due(since, last, now)]


@pytest.mark.parametrize(
    ("name", "days"), [("2026-02", 28), ("2028-02", 29), ("2026-12", 31), ("2026-11", 30), ("2026-01", 31)]
)
def test_a_month_is_of_utc_and_ends_where_the_next_begins(name: str, days: int) -> None:
    month = Month(name)
    assert month.end - month.start == timedelta(days=days)
    assert (month.start.tzinfo, month.end.day, month.name) == (UTC, 1, name)
    assert (month.before.end, Month(f"{month.end:%Y-%m}").before.name) == (month.start, name)


@pytest.mark.parametrize("name", ["2026-13", "2026-1", "26-01", "", "2026-01-01"])
def test_what_is_no_month_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"month|match|format|unconverted"):
        Month(name)


def test_a_month_is_invoiced_once_it_has_settled() -> None:
    end = Month("2026-07").end
    assert due(JULY, None, end) == due(JULY, None, end + SETTLING - timedelta(microseconds=1)) == []
    assert due(JULY, None, end + SETTLING) == ["2026-07"]
    assert due(JULY, "2026-07", end + SETTLING) == []


def test_months_nobody_invoiced_come_one_after_another() -> None:
    assert due(JULY, "2026-10", datetime(2027, 2, 3, tzinfo=UTC)) == ["2026-11", "2026-12", "2027-01"]


def test_a_clock_that_runs_ahead_or_goes_back_gives_no_month_twice() -> None:
    """Even where summer time ends: months are of UTC whatever zone a moment is told in."""
    end = Month("2026-10").end
    told = (end + SETTLING).astimezone(timezone(timedelta(hours=-11)))
    assert due(JULY, "2026-09", told) == ["2026-10"]
    assert due(JULY, "2026-10", told + timedelta(hours=1)) == []
    assert due(JULY, "2026-10", end - timedelta(hours=1)) == []


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_what_was_used_before_and_since_is_what_is_missing(extended: int, left: int, since: int) -> None:
    left = min(left, extended)
    before = used_before(extended=extended, remaining=left, charged_since=since)
    assert 0 <= before <= extended - left
    assert before + min(since, extended - left) == extended - left


def test_an_invoice_lists_models_by_project_and_what_credit_paid() -> None:
    charges = [charged(30_000_000), charged(25_000_000, "xai/grok-4", "")]
    drawn = draw_up(charges, used=45_000_000, carried=6_000_000)
    assert [(line.description, line.amount, line.cents) for line in drawn.lines] == [
        ("openai/gpt-5, project web", 30_000_000, 3),
        ("xai/grok-4, no project", 25_000_000, 3),
        (FROM_CREDIT, -10_000_000, -1),
    ]
    assert (drawn.cents, drawn.residue) == (5, 1_000_000)


def test_what_was_booked_late_has_a_line_of_its_own() -> None:
    drawn = draw_up([charged(10_000_000)], used=50_000_000, late=30_000_000)
    assert [(line.description, line.cents) for line in drawn.lines][1:] == [(LATE, 4)]
    assert drawn.cents == 5


def test_a_month_paid_from_credit_is_a_statement_with_nothing_due() -> None:
    drawn = draw_up([charged(12_345_678), charged(7, "xai/grok-4")], used=0)
    assert (drawn.cents, drawn.residue) == (0, 0)
    assert [line.cents for line in drawn.lines] == [1, 0, -1]
    assert draw_up([], used=0).lines == ()


@pytest.mark.parametrize(
    ("charges", "figures"),
    [([], {"used": -1}), ([], {"used": 0, "late": -1}), ([charged(-1)], {"used": 0})]
    + [([], {"used": 0, "carried": carried}) for carried in (-1, NANO_PER_CENT)],
)
def test_amounts_that_cannot_be_are_refused(charges: Sequence[Charged], figures: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="zero or more"):
        draw_up(charges, **figures)


@given(
    st.lists(st.integers(-(10**10), 10**12), max_size=12).filter(lambda each: sum(each) >= 0),
    st.integers(0, NANO_PER_CENT - 1),
)
def test_cents_of_lines_sum_to_the_total_and_none_is_a_cent_off(amounts: Sequence[int], carried: int) -> None:
    total = (sum(amounts) + carried) // NANO_PER_CENT
    parts = apportion(amounts, total) if amounts else []
    assert sum(parts) == (total if amounts else 0)
    assert all(
        -NANO_PER_CENT < part * NANO_PER_CENT - amount <= NANO_PER_CENT
        for part, amount in zip(parts, amounts, strict=True)
    )


@given(st.lists(st.tuples(st.lists(AMOUNTS, max_size=5), st.integers(0, 100), AMOUNTS), min_size=1, max_size=24))
def test_over_many_months_invoices_and_what_is_carried_are_what_was_used(
    months: Sequence[tuple[Sequence[int], int, int]],
) -> None:
    carried = cents = used = 0
    for amounts, percent, late in months:
        part = sum(amounts) * percent // 100
        drawn = draw_up([charged(amount) for amount in amounts], used=part, carried=carried, late=late)
        assert sum(line.cents for line in drawn.lines) == drawn.cents
        assert sum(line.amount for line in drawn.lines) == part
        assert sum(entry.amount for entry in issue_entries("acc", drawn)) == 0
        carried, cents, used = drawn.residue, cents + drawn.cents, used + part
    assert cents * NANO_PER_CENT + carried == used
    assert 0 <= carried < NANO_PER_CENT


def test_an_invoice_moves_what_was_used_to_what_is_owed() -> None:
    drawn = draw_up([charged(25_000_000)], used=25_000_000)
    assert {(entry.account.kind, entry.amount) for entry in issue_entries("acc", drawn)} == {
        (AccountKind.CREDIT_LINE, 25_000_000),
        (AccountKind.CUSTOMER_RECEIVABLE, -20_000_000),
        (AccountKind.ROUNDING, -5_000_000),
    }


def test_any_order_of_sights_comes_to_the_last_state() -> None:
    for states in ((InvoiceState.OPEN, InvoiceState.UNCOLLECTIBLE, final) for final in LIVE[2:]):
        for order in permutations(states):
            known = InvoiceState.DRAFT
            for seen in order:
                known = later(known, seen)
            assert known is states[-1]
    assert later(InvoiceState.PAID, InvoiceState.VOID) is InvoiceState.PAID
    assert later(InvoiceState.DRAFT, InvoiceState.OPEN) is InvoiceState.OPEN
    assert later(InvoiceState.OPEN, InvoiceState.UNCOLLECTIBLE) is InvoiceState.UNCOLLECTIBLE


@given(st.lists(st.sampled_from(LIVE), max_size=6), st.integers(0, 10**9))
def test_the_way_an_invoice_comes_to_its_state_leaves_no_trace(seen: Sequence[InvoiceState], cents: int) -> None:
    known, booked = InvoiceState.DRAFT, dict.fromkeys(AccountKind, 0)
    for each in seen:
        after = later(known, each)
        entries = state_entries("acc", cents, known, after)
        assert sum(entry.amount for entry in entries) == 0
        for entry in entries:
            booked[entry.account.kind] += entry.amount
        known = after
    owed = cents * NANO_PER_CENT
    expected = {
        InvoiceState.VOID: {AccountKind.CREDIT_LINE: -owed, AccountKind.CUSTOMER_RECEIVABLE: owed},
        InvoiceState.UNCOLLECTIBLE: {AccountKind.HOUSE_LOSS: -owed, AccountKind.CUSTOMER_RECEIVABLE: owed},
    }.get(known, {})
    assert {kind: amount for kind, amount in booked.items() if amount} == {k: a for k, a in expected.items() if a}


def test_a_line_is_taken_back_as_it_was_given() -> None:
    assert [entry.amount for entry in lower_entries("acc", 7)] == [-7, 7]
    assert [entry.amount for entry in lower_entries("acc", 1)] == [-1, 1]
    with pytest.raises(ValueError, match="more than zero"):
        lower_entries("acc", 0)


def test_the_terms_of_invoices_are_those_customers_are_told() -> None:
    assert (timedelta(hours=6), timedelta(days=14), 30) == (SETTLING, FREEZE_AFTER, DAYS_UNTIL_DUE)
    assert LINE_PRIORITY == 2_000_000_000
