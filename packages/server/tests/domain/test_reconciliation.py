from dataclasses import replace

import pytest

from monkey_coder_server.domain.discrepancies import FindingKind
from monkey_coder_server.domain.invoices import Booked, Invoice, Invoiced, Tokens
from monkey_coder_server.domain.reconciliation import Verdict, reconcile, reconcile_reported, together

DAY = "2026-11-20"
ROW = Booked("settle:req_1", 0, "req_1", DAY, "m", Tokens(100, 50, 5, 0, 40, 30), 1_000_000, "up_1")
LINE = Invoiced(DAY, "m", {"input": 155, "cache_read": 50, "output": 40, "reasoning": 30}, 1_000_000, "up_1")
SUM = Invoiced(DAY, "m", {"uncached_input": 100, "cache_read": 50, "cache_write": 5, "output": 40}, 1_000_000)


def known(name: str) -> str | None:
    return name if name in {"m", "n"} else None


def by_request(*lines: Invoiced, rows: tuple[Booked, ...] = (ROW,), resolution: int = 1) -> Verdict:
    return reconcile(rows, Invoice(lines, resolution, by_request=True), known)


def by_day(*lines: Invoiced, rows: tuple[Booked, ...] = (ROW,)) -> Verdict:
    return reconcile(rows, Invoice(lines), known)


def kinds(verdict: Verdict) -> list[FindingKind]:
    return [each.kind for each in verdict.findings]


@pytest.mark.parametrize("amount", [999_998, 1_000_000, 1_000_002])
def test_rounding_is_no_finding_and_is_told(amount: int) -> None:
    verdict = by_request(replace(LINE, amount=amount))
    assert (verdict.findings, verdict.matched, verdict.rounding) == ((), 1, amount - 1_000_000)


def test_the_next_nano_dollar_is_one() -> None:
    assert kinds(by_request(replace(LINE, amount=1_000_003))) == [FindingKind.AMOUNT_DIFFERS]


def test_an_invoice_in_cents_may_be_a_cent_off() -> None:
    assert by_request(replace(LINE, amount=10_000_000), resolution=10_000_000).findings == ()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"currency": "EUR"}, FindingKind.WRONG_UNIT),
        ({"model": "n"}, FindingKind.UNKNOWN_MODEL),
        ({"model": "x"}, FindingKind.UNKNOWN_MODEL),
        ({"amount": 100_000_000}, FindingKind.WRONG_UNIT),
        ({"amount": 10_000}, FindingKind.WRONG_UNIT),
        ({"amount": 1_200_000}, FindingKind.AMOUNT_DIFFERS),
        ({"tokens": {"input": 156}}, FindingKind.TOKENS_DIFFER),
        ({"tokens": {"output": 41}}, FindingKind.TOKENS_DIFFER),
        ({"tokens": {"output": 70}}, FindingKind.WRONG_BUCKET),
        ({"tokens": {"output": 10}}, FindingKind.WRONG_BUCKET),
        ({"tokens": {"output": 40, "reasoning": 0}}, FindingKind.WRONG_BUCKET),
        ({"tokens": {"input": 155, "cache_read": 0}}, FindingKind.WRONG_BUCKET),
        ({"tokens": {"uncached_input": 150, "cache_read": 0}}, FindingKind.WRONG_BUCKET),
        ({"tokens": {"uncached_input": 150}}, FindingKind.TOKENS_DIFFER),
        ({"provider_request_id": "up_2"}, FindingKind.MISSING_IN_BOOKS),
    ],
)
def test_one_thing_that_is_wrong_is_named(change: dict[str, object], kind: FindingKind) -> None:
    found = kinds(by_request(replace(LINE, **change)))  # type: ignore[arg-type]  # fields by name
    lone = [FindingKind.MISSING_AT_PROVIDER] if kind is FindingKind.MISSING_IN_BOOKS else []
    assert sorted(found) == sorted([kind, *lone])


def test_a_model_left_out_is_not_another_model() -> None:
    assert by_request(replace(LINE, model="")).findings == ()


def test_a_request_billed_twice_is_found_once_with_its_amount() -> None:
    verdict = by_request(LINE, LINE)
    assert kinds(verdict) == [FindingKind.DUPLICATE_AT_PROVIDER]
    assert verdict.unexplained == 1_000_000


def test_two_mistakes_never_cancel() -> None:
    other = replace(ROW, transaction_id="settle:req_2", provider_request_id="up_2")
    lines = (replace(LINE, amount=1_300_000), replace(LINE, provider_request_id="up_2", amount=700_000))
    assert by_request(*lines, rows=(ROW, other)).unexplained == 600_000


def test_what_costs_nothing_is_on_no_invoice() -> None:
    assert by_request(rows=(replace(ROW, amount=0),)).findings == ()
    assert by_day(rows=(replace(ROW, amount=0),)).findings == ()


def test_an_estimate_is_known_now_and_says_how_much_to_correct() -> None:
    [found] = by_request(replace(LINE, amount=1_400_000), rows=(replace(ROW, estimated=True),)).findings
    assert (found.kind, found.correction, found.unexplained) == (FindingKind.ESTIMATE_KNOWN, 400_000, 0)


def test_a_corrected_estimate_agrees_though_its_tokens_were_guessed() -> None:
    corrected = replace(ROW, estimated=True, corrected=True, tokens=Tokens(1, output=1))
    assert by_request(LINE, rows=(corrected,)).findings == ()
    assert kinds(by_request(replace(LINE, amount=2), rows=(corrected,))) == [FindingKind.AMOUNT_DIFFERS]


def test_an_estimate_without_the_providers_id_is_the_one_line_of_its_day_and_model() -> None:
    nameless = replace(ROW, estimated=True, provider_request_id=None)
    [found] = by_request(replace(LINE, amount=1_100_000), rows=(nameless,)).findings
    assert (found.kind, found.correction) == (FindingKind.ESTIMATE_KNOWN, 100_000)
    both = by_request(LINE, replace(LINE, provider_request_id="up_9", amount=5_000), rows=(nameless,))
    assert kinds(both) == [FindingKind.MISSING_IN_BOOKS]


def test_of_several_estimates_in_a_sum_none_is_corrected() -> None:
    rows = tuple(replace(ROW, transaction_id=f"settle:{number}", estimated=True) for number in range(2))
    [found] = by_day(replace(SUM, tokens={}, amount=2_500_000), rows=rows).findings
    assert (found.kind, found.correction) == (FindingKind.ESTIMATE_KNOWN, None)


def test_an_estimate_does_not_explain_what_is_far_beyond_it() -> None:
    rows = (ROW, replace(ROW, transaction_id="settle:2", estimated=True, amount=1_000))
    assert kinds(by_day(replace(SUM, tokens={}, amount=9_000_000), rows=rows)) == [FindingKind.AMOUNT_DIFFERS]


def test_requests_over_midnight_are_no_finding_on_either_day() -> None:
    late = replace(ROW, transaction_id="settle:2", day="2026-11-21")
    shifted = [replace(SUM, tokens={kind: 2 * n for kind, n in SUM.tokens.items()}, amount=2_000_000)]
    assert by_day(*shifted, rows=(ROW, late)).findings == ()


def test_a_kind_the_invoice_leaves_out_on_one_day_is_zero_there() -> None:
    other = replace(ROW, transaction_id="settle:2", day="2026-11-25")
    told = replace(SUM, day="2026-11-25", tokens={kind: n for kind, n in SUM.tokens.items() if kind != "cache_read"})
    assert kinds(by_day(SUM, told, rows=(ROW, other))) == [FindingKind.TOKENS_DIFFER]


def test_fees_without_a_model_belong_to_those_who_searched() -> None:
    searching = replace(ROW, tokens=ROW.tokens._replace(searches=3), amount=1_030_000)
    fee = Invoiced(DAY, "", {"searches": 3}, 30_000)
    assert by_day(SUM, fee, rows=(searching,)).findings == ()
    assert kinds(by_day(SUM, fee)) == [FindingKind.MISSING_IN_BOOKS]


def test_a_price_that_moved_is_one_finding_with_the_rate_that_explains_it() -> None:
    rows, lines = [], []
    for number in range(6):
        tokens = Tokens(100 + number, output=40 + 7 * number)
        name = f"up_{number}"
        rows.append(Booked(f"settle:{number}", 0, "", f"2026-11-2{number}", "m", tokens, 50_000, name))
        extra = 30 * tokens.output if number > 1 else 0
        lines.append(Invoiced(f"2026-11-2{number}", "m", {}, 50_000 + extra, name))
    [found] = by_request(*lines, rows=tuple(rows)).findings
    assert (found.kind, found.subject) == (FindingKind.PRICE_DRIFT, "m since 2026-11-22")
    assert "output about +30000000 nano-dollars a million" in found.detail


def test_what_answers_said_they_cost_is_compared_row_by_row() -> None:
    rows = (replace(ROW, reported=1_000_001), replace(ROW, transaction_id="settle:2", reported=700_000), ROW)
    verdict = reconcile_reported(rows)
    assert (kinds(verdict), verdict.matched) == ([FindingKind.AMOUNT_DIFFERS], 1)


def test_the_two_sides_agree_when_nothing_but_estimates_is_found() -> None:
    assert by_request(LINE).sound
    assert by_request(replace(LINE, amount=1_400_000), rows=(replace(ROW, estimated=True),)).sound
    assert not by_request(replace(LINE, amount=1_400_000)).sound


def test_an_estimate_is_not_paired_where_two_lines_could_be_it() -> None:
    nameless = replace(ROW, estimated=True, provider_request_id=None)
    lines = (replace(LINE, amount=1_100_000), replace(LINE, amount=1_200_000, provider_request_id="up_2"))
    assert sorted(kinds(by_request(*lines, rows=(nameless,)))) == sorted(
        [FindingKind.MISSING_AT_PROVIDER, FindingKind.MISSING_IN_BOOKS, FindingKind.MISSING_IN_BOOKS]
    )


def test_in_sums_too_what_is_unknown_told_twice_or_missing_is_named() -> None:
    assert kinds(by_day(SUM, replace(SUM, model="x"))) == [FindingKind.UNKNOWN_MODEL]
    assert kinds(by_day(SUM, SUM)) == [FindingKind.DUPLICATE_AT_PROVIDER]
    assert kinds(by_day()) == [FindingKind.MISSING_AT_PROVIDER]
    assert kinds(by_day(SUM, replace(SUM, model="n"))) == [FindingKind.MISSING_IN_BOOKS]


def test_a_line_about_nothing_at_all_is_no_finding() -> None:
    assert by_day(SUM, Invoiced(DAY, "n", {"output": 0}, 0)).findings == ()


def test_two_days_that_do_not_agree_together_either_are_two_findings() -> None:
    rows = (ROW, replace(ROW, transaction_id="settle:2", day="2026-11-21"))
    lines = (replace(SUM, amount=1_500_000), replace(SUM, day="2026-11-21", amount=1_700_000))
    assert kinds(by_day(*lines, rows=rows)) == [FindingKind.AMOUNT_DIFFERS, FindingKind.AMOUNT_DIFFERS]


@pytest.mark.parametrize(
    ("invoiced", "told"),
    [
        ((1_200_000, 2_400_000, 3_600_000), "all prices times 7200000/6000000"),
        ((1_300_000, 2_050_000, 3_900_000), "several prices"),
    ],
)
def test_a_price_that_moved_says_whether_one_factor_explains_it(invoiced: tuple[int, ...], told: str) -> None:
    rows, lines = [], []
    for number, amount in enumerate(invoiced, 1):
        tokens = Tokens(100 * number, output=90 - number * number)
        rows.append(Booked(f"settle:{number}", 0, "", DAY, "m", tokens, 1_000_000 * number, f"up_{number}"))
        lines.append(Invoiced(DAY, "m", {}, amount, f"up_{number}"))
    [found] = by_request(*lines, rows=tuple(rows)).findings
    assert found.kind is FindingKind.PRICE_DRIFT
    assert told in found.detail


def test_several_periods_come_to_the_sum_of_what_each_came_to() -> None:
    rounded = by_request(replace(LINE, amount=1_000_002))
    wrong = by_request(replace(LINE, amount=1_400_000))
    both = together([rounded, wrong])
    assert both == Verdict(wrong.findings, 1, 2_000_000, 2_400_002, 2)
    assert (both.unexplained, both.sound) == (400_000, False)
