"""In what one thing that both sides know can differ, and where the borders lie."""

from dataclasses import replace

import pytest

from monkey_coder_server.domain.discrepancies import SCALES, Both, Finding, FindingKind, judge
from monkey_coder_server.domain.invoices import Booked, Tokens

DAY = "2026-11-20"
TOKENS = Tokens(100, 50, 5, 7, 40, 30)
ROW = Booked("settle:1", 0, "req_1", DAY, "m", TOKENS, 1_000_000, "up_1")
GUESS = replace(ROW, transaction_id="settle:2", estimated=True, amount=1_000)


def both(amount: int | None = 1_000_000, *rows: Booked, tolerance: int = 2, **told: int) -> Both:
    return Both("it", DAY, "m", rows or (ROW,), told, amount, tolerance)


def found(compared: Both) -> Finding:
    finding = judge(compared)
    assert finding is not None
    return finding


@pytest.mark.parametrize("power", [1, 2, 3, 6, 9, 10])
def test_amounts_a_power_of_ten_apart_are_in_another_unit(power: int) -> None:
    larger = found(both(1_000_000 * 10**power))
    assert (larger.kind, larger.detail) == (FindingKind.WRONG_UNIT, f"the invoice's amount is ours times 10^{power}")
    ours = replace(ROW, amount=1_000_000 * 10**power)
    smaller = found(both(1_000_000, ours))
    assert (smaller.kind, smaller.detail) == (FindingKind.WRONG_UNIT, f"the invoice's amount is ours times 10^{-power}")


@pytest.mark.parametrize("power", [each for each in range(1, 12) if each not in SCALES])
def test_other_powers_of_ten_are_no_unit_anybody_bills_in(power: int) -> None:
    assert found(both(1_000_000 * 10**power)).kind is FindingKind.AMOUNT_DIFFERS


@pytest.mark.parametrize(
    ("amount", "kind"),
    [
        (100_000_200, FindingKind.WRONG_UNIT),
        (99_999_800, FindingKind.WRONG_UNIT),
        (100_000_201, FindingKind.AMOUNT_DIFFERS),
        (99_999_799, FindingKind.AMOUNT_DIFFERS),
    ],
)
def test_a_power_of_ten_may_be_off_by_as_much_as_rounding_was(amount: int, kind: FindingKind) -> None:
    assert found(both(amount)).kind is kind
    assert found(both(1_000_000, replace(ROW, amount=amount))).kind is kind


def test_what_is_billed_at_nothing_is_in_no_other_unit() -> None:
    assert found(both(0, replace(ROW, amount=1_000), tolerance=0)).kind is FindingKind.AMOUNT_DIFFERS


@pytest.mark.parametrize(("booked", "kind"), [(20, FindingKind.WRONG_UNIT), (19, FindingKind.AMOUNT_DIFFERS)])
def test_amounts_that_rounding_could_make_have_no_unit(booked: int, kind: FindingKind) -> None:
    small = replace(ROW, amount=booked)
    assert found(both(booked * 100, small)).kind is kind
    large = replace(ROW, amount=booked * 100)
    assert found(both(booked, large)).kind is kind


def test_an_invoice_that_tells_no_amount_differs_by_none() -> None:
    silent = both(None, output=40)
    assert (silent.delta, judge(silent)) == (0, None)
    assert both(1_000_007).delta == 7


def test_what_another_currency_bills_is_no_amount() -> None:
    euros = found(replace(both(1_000_000), currency="EUR"))
    assert (euros.kind, euros.invoiced, euros.unexplained) == (FindingKind.WRONG_UNIT, None, 1_000_000)


def test_by_how_much_two_sides_differ_has_no_sign() -> None:
    assert found(both(1_300_000)).unexplained == found(both(700_000)).unexplained == 300_000


def test_what_tokens_were_guessed_proves_nothing_where_the_money_is_right() -> None:
    assert judge(both(1_001_000, ROW, GUESS, output=41)) is None
    assert found(both(None, ROW, output=41)).kind is FindingKind.TOKENS_DIFFER
    assert found(both(None, GUESS, output=41)).kind is FindingKind.ESTIMATE_KNOWN
    assert judge(both(1_001_000, ROW, replace(GUESS, corrected=True), output=41)) is None


@pytest.mark.parametrize(
    ("amount", "kind"),
    [
        (1_000_000, FindingKind.ESTIMATE_KNOWN),
        (999_999, FindingKind.AMOUNT_DIFFERS),
        (1_008_000, FindingKind.ESTIMATE_KNOWN),
        (1_008_001, FindingKind.AMOUNT_DIFFERS),
    ],
)
def test_an_estimate_explains_from_nothing_to_eight_times_itself(amount: int, kind: FindingKind) -> None:
    assert found(both(amount, ROW, GUESS)).kind is kind


def test_an_estimate_alone_explains_everything_and_is_corrected_by_it() -> None:
    known = found(both(90_000, GUESS))
    assert (known.kind, known.correction, known.unexplained) == (FindingKind.ESTIMATE_KNOWN, 89_000, 0)
    assert known.detail == "1 estimated at 1000, by the invoice 90000 nano-dollars"
    uncounted = found(both(None, GUESS, output=41))
    assert uncounted.correction is None


def test_the_estimated_rows_come_first_for_a_correction_is_booked_on_the_first() -> None:
    known = found(both(1_003_000, ROW, GUESS))
    assert (known.rows, known.correction) == ((GUESS, ROW), 2_000)
    several = found(both(1_003_000, ROW, GUESS, replace(GUESS, transaction_id="settle:3")))
    assert several.correction is None


@pytest.mark.parametrize(
    ("told", "kind", "detail"),
    [
        ({"output": 41}, FindingKind.TOKENS_DIFFER, "output 41, booked 40"),
        ({"output": 41, "reasoning": 31}, FindingKind.TOKENS_DIFFER, "output 41, booked 40, reasoning 31, booked 30"),
        ({"searches": 1}, FindingKind.TOKENS_DIFFER, "searches 1, booked 0"),
        ({"uncached_input": 101, "output": 41}, FindingKind.TOKENS_DIFFER, "uncached_input 101, booked 100, output 41"),
        ({"output": 70}, FindingKind.WRONG_BUCKET, "reasoning counted twice: output 70, booked 40"),
        ({"output": 10}, FindingKind.WRONG_BUCKET, "reasoning counted outside of the output: output 10, booked 40"),
        ({"output": 70, "reasoning": 31}, FindingKind.WRONG_BUCKET, "reasoning counted twice"),
        ({"reasoning": 29}, FindingKind.WRONG_BUCKET, "the same output with another share of reasoning: reasoning 29"),
        ({"input": 162, "cache_read": 40}, FindingKind.WRONG_BUCKET, "the same prompt in other buckets: cache_read 40"),
        ({"input": 163, "cache_read": 40}, FindingKind.TOKENS_DIFFER, "input 163"),
        ({"cache_read": 40}, FindingKind.TOKENS_DIFFER, "cache_read 40"),
        ({"cache_read": 51, "cache_write": 11}, FindingKind.WRONG_BUCKET, "the same prompt in other buckets"),
        ({"cache_read": 51, "cache_write": 10}, FindingKind.TOKENS_DIFFER, "cache_read 51"),
        ({"cache_write_5m": 6, "cache_write_1h": 6}, FindingKind.WRONG_BUCKET, "the same prompt in other buckets"),
        ({"uncached_input": 101, "cache_write_1h": 6}, FindingKind.WRONG_BUCKET, "the same prompt in other buckets"),
    ],
)
def test_tokens_that_differ_are_told_apart_from_tokens_in_another_bucket(
    told: dict[str, int], kind: FindingKind, detail: str
) -> None:
    finding = found(both(1_000_000, **told))
    assert finding.kind is kind
    assert finding.detail.startswith(detail)


def test_where_nothing_was_reasoned_no_reasoning_is_counted_twice() -> None:
    plain = replace(ROW, tokens=TOKENS._replace(reasoning=0))
    assert found(both(1_000_000, plain, output=41)).kind is FindingKind.TOKENS_DIFFER


def test_the_counts_of_several_rows_are_compared_as_their_sum() -> None:
    assert judge(both(2_000_000, ROW, ROW, input=324, cache_write=24, output=80, reasoning=60)) is None
    assert both(2_000_000, ROW, ROW).booked == 2_000_000
