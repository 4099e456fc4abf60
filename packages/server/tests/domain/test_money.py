"""Money is exact in both directions and refuses what is not an amount."""

from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.money import (
    BASIS_POINTS,
    LARGEST_USD,
    NANO_PER_USD,
    TOKENS_PER_PRICE_UNIT,
    asked_usd,
    ceil_div,
    cents,
    parse_percent,
    parse_usd,
    usd,
)

AMOUNTS = st.integers(-(LARGEST_USD - 1) * NANO_PER_USD, (LARGEST_USD - 1) * NANO_PER_USD)


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0.00"),
        (1, "0.000000001"),
        (-1, "-0.000000001"),
        (1_500_000_000, "1.50"),
        (1_000_000_000, "1.00"),
        (1_234_567_000, "1.234567"),
        (10_000_000, "0.01"),
        (123_456_789_012_345_678, "123456789.012345678"),
    ],
)
def test_nano_dollars_print_as_plain_decimals_with_at_least_two_places(nano: int, text: str) -> None:
    assert usd(nano) == text


@given(AMOUNTS)
@settings(max_examples=100)
def test_printing_and_reading_lose_nothing(nano: int) -> None:
    assert parse_usd(usd(nano), negative=True) == nano
    assert Decimal(usd(nano)) * NANO_PER_USD == nano


@pytest.mark.parametrize(("text", "nano"), [("5", 5_000_000_000), (" 0.1 ", 100_000_000), ("007.5", 7_500_000_000)])
def test_people_may_write_amounts_shortly(text: str, nano: int) -> None:
    assert parse_usd(text) == nano


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "NaN",
        "inf",
        "-inf",
        "1e3",
        "+1",
        "1.",
        ".5",
        "1,50",
        "$5",
        "0x10",
        "1_000",
        "\u0661",
        "--1",
        "1.0.0",
        "9" * 40,
    ],
)
def test_what_is_not_an_amount_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an amount in USD"):
        parse_usd(text)


def test_an_amount_is_refused_by_sign_precision_and_size() -> None:
    with pytest.raises(ValueError, match="is negative"):
        parse_usd("-1")
    with pytest.raises(ValueError, match="more than nine decimals"):
        parse_usd("0.0000000001")
    with pytest.raises(ValueError, match="too large"):
        parse_usd(str(LARGEST_USD))


@pytest.mark.parametrize(
    ("text", "points"), [("0", 0), ("15", 1_500), ("12.5", 1_250), ("0.01", 1), ("10000", 1_000_000)]
)
def test_percentages_become_basis_points_exactly(text: str, points: int) -> None:
    assert parse_percent(text) == points


@pytest.mark.parametrize("text", ["", "-1", "1.234", "nan", "10001", "15%", "1e2"])
def test_what_is_not_a_percentage_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a percentage"):
        parse_percent(text)


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**12))
@settings(max_examples=100)
def test_ceil_div_rounds_up_exactly(numerator: int, denominator: int) -> None:
    assert ceil_div(numerator, denominator) == ceil(Fraction(numerator, denominator))


@given(AMOUNTS)
@settings(max_examples=100)
def test_cents_and_their_residue_are_the_whole_amount(nano: int) -> None:
    whole, residue = cents(nano)
    assert 0 <= residue < 10_000_000
    assert whole * 10_000_000 + residue == nano


def test_the_units_are_the_worlds_own() -> None:
    assert NANO_PER_USD == 1_000_000_000
    assert (BASIS_POINTS, TOKENS_PER_PRICE_UNIT) == (10_000, 1_000_000)
    assert LARGEST_USD == 9_000_000_000


@pytest.mark.parametrize(("length", "told"), [(40, "'" + "x" * 40 + "'"), (41, "'" + "x" * 37 + "...'")])
def test_an_amount_nobody_can_read_is_told_in_at_most_forty_characters(length: int, told: str) -> None:
    with pytest.raises(ValueError, match=r"^") as refused:
        parse_usd("x" * length)
    assert told in str(refused.value)


def test_an_amount_asked_for_is_read_or_refused_by_its_name() -> None:
    assert asked_usd("The field `max_cost`", None) is None
    assert asked_usd("The field `max_cost`", "0.25") == 250_000_000
    with pytest.raises(InvalidRequest, match=r"The field `max_cost` is not right: '-1' is negative"):
        asked_usd("The field `max_cost`", "-1")
