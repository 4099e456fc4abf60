"""A price that moved: when it is one, since when, and by what it is explained."""

from collections.abc import Iterable

import pytest

from monkey_coder_server.domain.discrepancies import Both, Finding, FindingKind, judge
from monkey_coder_server.domain.drift import with_drift
from monkey_coder_server.domain.invoices import Booked, Tokens

BOOKED = 1_000_000


def both(day: int, more: int, *, model: str = "m", tokens: Tokens | None = None, booked: int = BOOKED) -> Both:
    date = f"2026-11-{day:02}"
    row = Booked(f"settle:{day}", 0, "", date, model, tokens or Tokens(100 * day, output=7), booked)
    return Both(f"{date} {model}", date, model, (row,), {}, booked + more, tolerance=2)


def found(several: Iterable[Both]) -> list[Finding]:
    return with_drift([(each, judge(each)) for each in several])


def subjects(several: Iterable[Both]) -> list[str]:
    return [each.subject for each in found(several)]


@pytest.mark.parametrize("days", [1, 2])
def test_one_or_two_amounts_that_differ_are_single_mistakes(days: int) -> None:
    several = [both(day, 300) for day in range(1, days + 1)]
    assert [each.kind for each in found(several)] == [FindingKind.AMOUNT_DIFFERS] * days


def test_three_are_a_price_that_moved_and_the_one_finding_has_the_sums_of_all() -> None:
    several = [both(1, 0), both(2, 300), both(3, 500), both(4, 700)]
    [drift] = found(several)
    assert (drift.kind, drift.subject, drift.day, drift.model) == (
        FindingKind.PRICE_DRIFT,
        "m since 2026-11-02",
        "2026-11-02",
        "m",
    )
    assert (drift.booked, drift.invoiced, drift.unexplained) == (3 * BOOKED, 3 * BOOKED + 1_500, 1_500)
    assert drift.detail.startswith("3 amounts since 2026-11-02: ")
    assert [row.transaction_id for row in drift.rows] == ["settle:2", "settle:3", "settle:4"]


def test_a_price_can_move_within_a_day() -> None:
    assert subjects([both(1, 300), both(1, 400), both(1, 500)]) == ["m since 2026-11-01"]


def test_prices_move_model_by_model() -> None:
    several = [both(day, 300, model=model) for day in (1, 2, 3) for model in ("m", "n")]
    assert subjects([*several, both(1, 300, model="o")]) == [
        "m since 2026-11-01",
        "n since 2026-11-01",
        "2026-11-01 o",
    ]


@pytest.mark.parametrize(("agreeing", "moved"), [(2, True), (3, False)])
def test_since_a_price_moved_most_amounts_differ(agreeing: int, *, moved: bool) -> None:
    several = [*(both(day, 300) for day in (1, 2, 3)), *(both(day, 0) for day in range(4, 4 + agreeing))]
    assert (subjects(several) == ["m since 2026-11-01"]) is moved


@pytest.mark.parametrize(("agreeing", "since"), [(0, 1), (1, 2)])
def test_on_the_day_it_moved_most_amounts_differ_already(agreeing: int, since: int) -> None:
    several = [both(1, 300), *[both(1, 0)] * agreeing, *(both(day, 300) for day in (2, 3, 4))]
    assert f"m since 2026-11-0{since}" in subjects(several)


def test_what_differs_in_its_tokens_or_was_billed_nothing_says_nothing_of_a_price() -> None:
    counted = Both("it", "2026-11-01", "m", both(1, 0).rows, {"output": 9}, BOOKED + 300, tolerance=2)
    free = [both(day, -BOOKED) for day in (3, 4)]
    assert FindingKind.PRICE_DRIFT not in [each.kind for each in found([counted, both(2, 300), *free])]
    with_all = found([counted, *free, *(both(day, 300) for day in (5, 6, 7))])
    assert [each.kind for each in with_all].count(FindingKind.PRICE_DRIFT) == 1
    assert len(with_all) == 4


def explained(*points: tuple[Tokens, int, int]) -> str:
    """What explains amounts of these tokens, nano-dollars booked, and nano-dollars more."""
    several = [both(day, more, tokens=used, booked=booked) for day, (used, booked, more) in enumerate(points, 1)]
    [drift] = found(several)
    return drift.detail.partition(": ")[2]


def test_one_factor_on_all_prices_is_told_as_such() -> None:
    plain = [(Tokens(10 * n, output=90 - n * n), 1_000_000 * n, 200_000 * n) for n in (1, 2, 3)]
    assert explained(*plain) == "all prices times 7200000/6000000"


@pytest.mark.parametrize("measure", ["uncached_input", "cache_read", "output", "reasoning", "searches"])
@pytest.mark.parametrize(("rate", "told"), [(30, "+30000000"), (-30, "-30000000")])
def test_the_one_measure_whose_price_moved_is_named_with_the_rate(measure: str, rate: int, told: str) -> None:
    counts = [(70, 5), (10, 9), (40, 2)]
    points = []
    for count, other in counts:
        used = Tokens(other, other * other, other + 3, 4, 200 - other**2, 100 + other**2, 11 - other)
        points.append((used._replace(**{measure: count}), 50_000, rate * count))
    assert explained(*points) == f"{measure} about {told} nano-dollars a million"


def test_a_dearer_cache_write_is_named_whatever_its_lifetime() -> None:
    points = [(Tokens(n * n, 0, 5 * n, 9 - n, 50, 0), 50_000, 40 * (9 + 4 * n)) for n in (1, 2, 3)]
    assert explained(*points) == "cache_write about +40000000 nano-dollars a million"


def test_what_no_one_price_explains_is_several_prices() -> None:
    points = [(Tokens(100 * n, output=90 - n * n), 1_000_000 * n, more) for n, more in ((1, 900), (2, 50), (3, 7_000))]
    assert explained(*points) == "several prices"


def test_what_agrees_with_the_smallest_amount_alone_is_not_one_price() -> None:
    used = [(Tokens(0, output=count), 50_000 + count, more) for count, more in ((1, 5), (1_000, 3_000), (1_000, 7_000))]
    assert explained(*used) == "several prices"


@pytest.mark.parametrize(("off", "one_price"), [(4, True), (-4, True), (5, False), (-5, False)])
def test_rounding_of_both_amounts_is_allowed_for(off: int, *, one_price: bool) -> None:
    points = [(Tokens(0, output=100), 50_000, 3_000)] * 2
    told = explained(*points, (Tokens(0, output=100), 40_000, 3_000 + off))
    assert told.startswith("output about" if one_price else "several prices")
