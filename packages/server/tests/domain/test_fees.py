"""Fees of a day that an invoice ascribes to no model."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.discrepancies import Both
from monkey_coder_server.domain.fees import with_fees
from monkey_coder_server.domain.invoices import Booked, Invoiced, Tokens

DAY, NEXT = "2026-11-20", "2026-11-21"


def both(model: str, searches: int, *, amount: int | None = 500, day: str = DAY) -> Both:
    row = Booked(f"settle:{model}", 0, "", day, model, Tokens(10, searches=searches), 1_000)
    return Both(f"{day} {model}", day, model, (row,), {}, amount, tolerance=2)


def fee(amount: int | None, searches: int = 0, day: str = DAY) -> Invoiced:
    return Invoiced(day, "", {"searches": searches}, amount)


def test_fees_are_shared_out_by_searches_and_counted_beside() -> None:
    one, three, none = both("m", 1), both("n", 3), both("o", 0)
    lines = [fee(300, 3), fee(107, 1)]
    first, second, third, beside = with_fees([one, three, none], {DAY: lines}, 10)
    assert (first.amount, second.amount) == (500 + 101, 500 + 305)
    assert (first.tolerance, second.tolerance) == (23, 23)
    assert third == none
    assert (beside.subject, beside.day, beside.model) == (f"{DAY} all models", DAY, "all models")
    assert (beside.rows, beside.told) == ((*one.rows, *three.rows), {"searches": 4})
    assert (beside.amount, beside.tolerance) == (None, 20)


def test_fees_of_a_day_without_searches_stand_alone() -> None:
    quiet = both("m", 0)
    kept, alone = with_fees([quiet], {DAY: [fee(300), fee(None)]}, 1)
    assert kept == quiet
    assert (alone.amount, alone.rows, alone.tolerance) == (300, (), 2)


def test_a_sum_without_an_amount_gets_none() -> None:
    silent = both("m", 2, amount=None)
    assert with_fees([silent], {DAY: [fee(300)]}, 1)[0] == silent


def test_other_days_are_left_alone() -> None:
    other = both("m", 5, day=NEXT)
    kept, shared, _ = with_fees([both("m", 1), other], {DAY: [fee(300)]}, 1)
    assert kept == other
    assert shared == replace(both("m", 1), amount=800, tolerance=4)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6), st.integers(0, 10**9))
def test_shares_come_to_the_fee_but_for_rounding_and_never_to_more(searches: list[int], amount: int) -> None:
    sums = [both(f"m{number}", count) for number, count in enumerate(searches)]
    shared = with_fees(sums, {DAY: [fee(amount)]}, 1)
    given_out = sum((each.amount or 0) - 500 for each in shared[:-1])
    alone = shared[-1].amount or 0
    assert amount - len(sums) < given_out + alone <= amount
