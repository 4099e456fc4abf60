"""What only one side knows, what it is called, and what the sums of both sides come to."""

from dataclasses import replace

import pytest

from monkey_coder_server.domain.discrepancies import FindingKind
from monkey_coder_server.domain.invoices import Booked, Invoice, Invoiced, Tokens
from monkey_coder_server.domain.reconciliation import Verdict, reconcile, reconcile_reported

DAY = "2026-11-20"
ROW = Booked("settle:req_1", 0, "req_1", DAY, "m", Tokens(100, output=40), 1_000_000, "up_1")
LINE = Invoiced(DAY, "m", {"input": 100, "output": 40}, 1_000_000, "up_1")
SUM = replace(LINE, provider_request_id=None)


def canonical(name: str) -> str | None:
    return name if name in {"m", "n"} else None


def by_request(*lines: Invoiced, rows: tuple[Booked, ...] = (ROW,)) -> Verdict:
    return reconcile(rows, Invoice(lines, by_request=True), canonical)


def by_day(*lines: Invoiced, rows: tuple[Booked, ...] = (ROW,), resolution: int = 1) -> Verdict:
    return reconcile(rows, Invoice(lines, resolution), canonical)


def kinds(verdict: Verdict) -> list[FindingKind]:
    return [each.kind for each in verdict.findings]


@pytest.mark.parametrize(("reported", "matched"), [(1_000_002, 1), (999_998, 1), (1_000_003, 0), (999_997, 0)])
def test_what_an_answer_said_it_cost_may_be_two_nano_dollars_off(reported: int, matched: int) -> None:
    verdict = reconcile_reported((replace(ROW, reported=reported),))
    assert (verdict.matched, verdict.invoiced) == (matched, reported)


def test_lines_that_only_count_add_nothing_to_what_was_invoiced() -> None:
    silent = replace(LINE, amount=None, provider_request_id="up_2")
    other = replace(ROW, transaction_id="settle:req_2", provider_request_id="up_2")
    verdict = by_request(LINE, silent, rows=(ROW, other))
    assert (verdict.booked, verdict.invoiced, verdict.rounding) == (2_000_000, 1_000_000, 0)


def test_what_our_books_do_not_know_is_missing_once_and_then_repeated() -> None:
    strange = replace(LINE, provider_request_id="up_9")
    verdict = by_request(LINE, strange, strange, strange)
    assert sorted(kinds(verdict)) == [
        FindingKind.DUPLICATE_AT_PROVIDER,
        FindingKind.DUPLICATE_AT_PROVIDER,
        FindingKind.MISSING_IN_BOOKS,
    ]
    assert verdict.unexplained == 3_000_000


@pytest.mark.parametrize("rows", [1, 2])
def test_a_row_without_the_providers_id_is_no_line_that_differs_unless_it_alone_was_estimated(rows: int) -> None:
    nameless = [replace(ROW, provider_request_id=None, estimated=rows > 1) for _ in range(rows)]
    found = kinds(by_request(replace(LINE, amount=1_400_000), rows=tuple(nameless)))
    assert found == [*[FindingKind.MISSING_AT_PROVIDER] * rows, FindingKind.MISSING_IN_BOOKS]


def test_a_sum_in_another_currency_compares_with_nothing() -> None:
    [found] = by_day(SUM, replace(SUM, currency="EUR", tokens={}, amount=5)).findings
    assert (found.kind, found.invoiced, found.detail) == (FindingKind.WRONG_UNIT, None, "billed in EUR")


@pytest.mark.parametrize(("amount", "agrees"), [(1_000_022, True), (999_978, True), (1_000_023, False)])
def test_a_sum_may_be_off_by_a_nano_dollar_a_request_and_the_smallest_amount_of_each_line(
    amount: int, *, agrees: bool
) -> None:
    row = replace(ROW, requests=2)
    lines = (replace(SUM, amount=400_000, tokens={}), replace(SUM, amount=amount - 400_000, tokens={}))
    assert (by_day(*lines, rows=(row,), resolution=10).findings == ()) is agrees


def test_of_what_is_on_no_invoice_only_what_cost_something_is_missing() -> None:
    free = replace(ROW, transaction_id="settle:req_2", amount=0)
    [found] = by_day(rows=(ROW, free)).findings
    assert (found.kind, found.booked, found.unexplained) == (FindingKind.MISSING_AT_PROVIDER, 1_000_000, 1_000_000)
    [found] = by_request(rows=(ROW, free)).findings
    assert (found.subject, found.booked, found.invoiced) == ("settle:req_1/0", 1_000_000, 0)


@pytest.mark.parametrize(("tokens", "amount"), [({"input": 5, "output": 0}, None), ({}, 7), ({"input": 0}, 7)])
def test_a_line_that_says_something_is_found_alone_and_twice(tokens: dict[str, int], amount: int | None) -> None:
    line = Invoiced(DAY, "n", tokens, amount)
    [found] = by_day(line, rows=()).findings
    assert (found.kind, found.booked) == (FindingKind.MISSING_IN_BOOKS, 0)
    assert sorted(kinds(by_day(line, line, rows=()))) == [
        FindingKind.DUPLICATE_AT_PROVIDER,
        FindingKind.MISSING_IN_BOOKS,
    ]


@pytest.mark.parametrize(("tokens", "amount"), [({"input": 0, "output": 0}, None), ({}, None), ({"input": 0}, 0)])
def test_a_line_that_says_nothing_may_say_it_twice(tokens: dict[str, int], amount: int | None) -> None:
    line = Invoiced(DAY, "n", tokens, amount)
    assert by_day(line, line, rows=()).findings == ()


@pytest.mark.parametrize(
    ("change", "subject"),
    [({}, "up_1"), ({"provider_request_id": None, "name": "line 7"}, "line 7"), ({"provider_request_id": None}, "")],
)
def test_a_line_alone_is_named_by_its_id_else_by_where_it_stands(change: dict[str, object], subject: str) -> None:
    [found] = by_request(replace(LINE, **change), rows=()).findings  # type: ignore[arg-type]  # fields by name
    assert found.subject == (subject or f"{DAY} m")
    assert (found.booked, found.invoiced, found.unexplained) == (0, 1_000_000, 1_000_000)


def test_money_in_another_currency_is_in_no_difference() -> None:
    [found] = by_request(replace(LINE, currency="EUR"), rows=()).findings
    assert (found.invoiced, found.unexplained) == (None, 0)
