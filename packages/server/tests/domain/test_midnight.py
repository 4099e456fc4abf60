"""Neighbouring days that differ alone and agree together."""

from dataclasses import replace

import pytest

from monkey_coder_server.domain.discrepancies import Both
from monkey_coder_server.domain.invoices import Booked, Tokens
from monkey_coder_server.domain.midnight import without_midnight


def both(day: str, booked: int, amount: int | None, *, model: str = "m", output: int = 40) -> Both:
    row = Booked(f"settle:{day}", 0, "", day, model, Tokens(100, output=40), booked)
    return Both(f"{day} {model}", day, model, (row,), {"output": output}, amount, tolerance=2)


EVENING = both("2026-11-30", 1_000, 700, output=30)
MORNING = both("2026-12-01", 2_000, 2_300, output=50)


@pytest.mark.parametrize("order", [(EVENING, MORNING), (MORNING, EVENING)])
def test_two_days_that_agree_together_are_one(order: tuple[Both, ...]) -> None:
    [together] = without_midnight(order)
    assert together == replace(
        MORNING, rows=(*EVENING.rows, *MORNING.rows), told={"output": 80}, amount=3_000, tolerance=4
    )


def test_a_day_that_only_one_side_knows_belongs_to_its_neighbour() -> None:
    doubled = replace(MORNING, amount=3_000, told={"output": 80})
    unseen = replace(EVENING, told={}, amount=None)
    [together] = without_midnight([unseen, doubled])
    assert together.amount == 3_000
    unbooked = replace(EVENING, rows=(), told={"output": 10}, amount=500)
    [together] = without_midnight([unbooked, replace(MORNING, amount=1_500, told={"output": 30})])
    assert (together.amount, together.rows) == (2_000, MORNING.rows)


def test_days_that_only_count_are_one_without_an_amount() -> None:
    [together] = without_midnight([replace(EVENING, amount=None), replace(MORNING, amount=None)])
    assert (together.amount, together.told) == (None, {"output": 80})


@pytest.mark.parametrize(
    "other",
    [
        replace(MORNING, day="2026-12-02"),
        replace(MORNING, day="2026-11-30"),
        replace(MORNING, model="n"),
        replace(MORNING, amount=2_400),
        replace(MORNING, told={"output": 51}),
        replace(MORNING, currency="EUR"),
    ],
)
def test_what_is_no_neighbour_or_does_not_agree_stays_apart(other: Both) -> None:
    assert len(without_midnight([EVENING, other])) == 2


@pytest.mark.parametrize("currencies", [("EUR", "USD"), ("USD", "EUR"), ("EUR", "EUR")])
def test_money_in_another_currency_agrees_with_nothing(currencies: tuple[str, str]) -> None:
    first, second = currencies
    assert len(without_midnight([replace(EVENING, currency=first), replace(MORNING, currency=second)])) == 2


def test_a_day_that_agrees_already_is_left_alone() -> None:
    right = both("2026-12-01", 2_000, 2_000)
    assert without_midnight([EVENING, right]) == [EVENING, right]
    wrong = both("2026-12-02", 1_000, 1_300, output=50)
    assert without_midnight([both("2026-12-01", 1_000, 1_000), wrong])[1] == wrong


def test_rounding_of_both_days_is_allowed_for_together() -> None:
    assert len(without_midnight([EVENING, replace(MORNING, amount=2_304)])) == 1
    assert len(without_midnight([EVENING, replace(MORNING, amount=2_305)])) == 2
