"""Forecasts of spend: what is expected of plain histories, and that intervals hold about as often as they say."""

import math
from collections.abc import Callable
from random import Random

import pytest

from monkey_coder_server.domain.forecast import (
    FURTHEST,
    LEAST_DAYS,
    MOST_DAYS,
    PROBABILITY,
    Pace,
    RunsOut,
    Span,
    known,
    pace,
    runs_out,
    spend,
)

MONDAY, THURSDAY, SATURDAY = 0, 3, 5
DOLLAR = 1_000_000_000
WORKING = (1.2, 1.2, 1.3, 1.2, 1.1, 0.3, 0.2)
"""What people who work from Monday to Friday spend."""


def found(history: list[int], next_weekday: int = MONDAY) -> Pace:
    made = pace(history, next_weekday)
    assert made is not None
    return made


def test_who_spends_the_same_each_day_goes_on_so() -> None:
    steady = found([DOLLAR] * 28)
    assert spend(steady, MONDAY, 7, begun=0) == Span(7 * DOLLAR, 7 * DOLLAR, 7 * DOLLAR)
    assert runs_out(steady, MONDAY, 10 * DOLLAR, begun=0) == RunsOut(9, 9, 9)
    assert runs_out(steady, MONDAY, 10 * DOLLAR, begun=0.5) == RunsOut(10, 10, 10)
    assert spend(steady, MONDAY, 0.25, begun=0.75).expected == DOLLAR // 4
    assert spend(steady, MONDAY, 0, begun=0.75) == Span(0, 0, 0)


def test_an_empty_balance_is_used_up_today_and_a_large_one_not_within_a_year() -> None:
    steady = found([DOLLAR] * 28)
    assert runs_out(steady, MONDAY, 0, begun=0.1) == runs_out(steady, MONDAY, -5, begun=0.1) == RunsOut(0, 0, 0)
    assert runs_out(steady, MONDAY, FURTHEST * DOLLAR + 1, begun=0) == RunsOut(None, None, None)
    assert runs_out(steady, MONDAY, FURTHEST * DOLLAR, begun=0) == RunsOut(*[FURTHEST - 1] * 3)


@pytest.mark.parametrize(
    "history",
    [[], [0] * 90, [DOLLAR] * (LEAST_DAYS - 1), [0] * 60 + [DOLLAR] * (LEAST_DAYS - 1), [DOLLAR, *[0] * 80, DOLLAR]],
)
def test_a_short_history_says_nothing(history: list[int]) -> None:
    assert pace(history, MONDAY) is None


def test_days_before_the_first_spend_and_very_old_ones_do_not_count() -> None:
    assert pace([0] * 60 + [DOLLAR] * LEAST_DAYS, MONDAY) == pace([DOLLAR] * LEAST_DAYS, MONDAY)
    assert pace([9 * DOLLAR] * 50 + [DOLLAR] * MOST_DAYS, MONDAY) == pace([DOLLAR] * MOST_DAYS, MONDAY)
    assert list(known([0, 0, 5, 0, 6])) == [5, 0, 6]
    assert list(known([0, 0])) == []


def test_a_weekend_without_work_is_foreseen() -> None:
    history = [0 if number % 7 in (5, 6) else DOLLAR for number in range(84)]
    pattern = found(history)
    monday, saturday = (spend(pattern, weekday, 1, begun=0).expected for weekday in (MONDAY, SATURDAY))
    assert saturday < 0.2 * DOLLAR < 0.9 * DOLLAR < monday
    assert math.isclose(spend(pattern, MONDAY, 7, begun=0).expected, 5 * DOLLAR, rel_tol=0.02)
    assert found(history[:-4], THURSDAY).factors[SATURDAY] < 0.3
    assert pattern.mean(MONDAY, 14) == 2 * pattern.mean(MONDAY, 7)
    assert math.isclose(pattern.mean(SATURDAY, 9.5), pattern.mean(SATURDAY, 9) + 0.5 * pattern.mean(MONDAY, 1))


def test_one_spike_moves_the_level_by_its_part_of_all_days_and_no_more() -> None:
    random = Random(1)
    usual = [round(DOLLAR * random.uniform(0.8, 1.2)) for _ in range(84)]
    spiked = [*usual[:-1], 40 * DOLLAR]
    expected = spend(found(spiked), MONDAY, 7, begun=0).expected
    assert spend(found(usual), MONDAY, 7, begun=0).expected < expected
    assert expected < 7 * (1.2 + 40 / 84) * DOLLAR
    assert spend(found(spiked), MONDAY, 7, begun=0).high > 1.5 * expected


def test_what_changed_lately_counts_more_than_what_was_long_ago() -> None:
    raised = found([DOLLAR] * 42 + [3 * DOLLAR] * 21)
    assert 2.5 * DOLLAR < raised.level <= 3 * DOLLAR
    assert raised.wander > 0
    span = spend(raised, MONDAY, 30, begun=0)
    assert span.low < span.expected < span.high


def test_who_spends_on_some_days_only_may_spend_nothing_on_the_next() -> None:
    random = Random(2)
    sparse = found([DOLLAR if random.random() < 0.4 else 0 for _ in range(84)])
    assert spend(sparse, MONDAY, 2, begun=0).low == 0
    assert spend(sparse, MONDAY, 21, begun=0).low > 0


def test_the_earliest_end_is_never_behind_the_latest() -> None:
    random = Random(3)
    for _ in range(20):
        some = found([round(DOLLAR * random.lognormvariate(0, 1)) for _ in range(random.randint(21, 84))])
        ends = runs_out(some, random.randrange(7), round(random.uniform(1, 60) * DOLLAR), begun=random.random())
        assert ends.earliest is not None
        assert ends.expected is not None
        assert ends.earliest <= ends.expected <= (FURTHEST if ends.latest is None else ends.latest)


def even(random: Random, days: int) -> list[float]:
    return [random.lognormvariate(0, 0.6) for _ in range(days)]


def uneven(random: Random, days: int) -> list[float]:
    return [random.lognormvariate(0, 1.1) for _ in range(days)]


def working(random: Random, days: int) -> list[float]:
    return [WORKING[day % 7] * random.lognormvariate(0, 0.5) for day in range(days)]


def spiky(random: Random, days: int) -> list[float]:
    return [random.lognormvariate(0, 0.4) * (15 if random.random() < 0.03 else 1) for _ in range(days)]


def sparse(random: Random, days: int) -> list[float]:
    return [random.lognormvariate(0, 0.8) if random.random() < 0.4 else 0 for _ in range(days)]


def wandering(random: Random, days: int) -> list[float]:
    level, made = 0.0, []
    for _ in range(days):
        level += random.gauss(0, 0.07)
        made.append(math.exp(level + random.gauss(0, 0.4)))
    return made


@pytest.mark.parametrize("history", [28, 84])
@pytest.mark.parametrize("kind", [even, uneven, working, spiky, sparse, wandering])
def test_intervals_hold_about_as_often_as_they_say(kind: Callable[[Random, int], list[float]], history: int) -> None:
    """What is spent in some days, and when a balance runs out, of accounts of which enough is known."""
    within, ended = [], []
    for seed in range(100):
        random = Random(f"{kind.__name__} {seed}")
        days = [round(each * DOLLAR) for each in kind(random, history + 90)]
        some, ahead = pace(days[:history], history % 7), days[history:]
        if some is None:
            continue
        for days_ahead in (3, 7, 30):
            span = spend(some, history % 7, days_ahead, begun=0)
            within.append(span.low <= sum(ahead[:days_ahead]) <= span.high)
        balance = round(some.level * 14)
        ends = runs_out(some, history % 7, balance, begun=0)
        spent = [sum(ahead[: number + 1]) for number in range(len(ahead))]
        end = next((number for number, each in enumerate(spent) if each >= balance), FURTHEST)
        ended.append((ends.earliest or 0) <= end <= (FURTHEST if ends.latest is None else ends.latest))
    assert len(ended) > 70
    assert PROBABILITY - 0.12 <= sum(within) / len(within) <= PROBABILITY + 0.12
    assert PROBABILITY - 0.15 <= sum(ended) / len(ended) <= PROBABILITY + 0.17
