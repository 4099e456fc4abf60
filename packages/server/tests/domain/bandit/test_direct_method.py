"""A rule whose arms were not tried is estimated by what was expected of them, calibrated, with how sure that is."""

from random import Random

import pytest

from monkey_coder_server.domain.bandit.direct_method import Case, Modelled, modelled

OVER = {"small": 1.3, "middle": 1.1, "big": 0.9}
"""What costs truly come to, to what is expected."""
BASE = {"small": 1.0, "middle": 4.0, "big": 20.0}
DEAR_SIZE = 3.0


def log(random: Random, rows: int, target: str, *, tried: float = 0.0) -> tuple[list[Case], float]:
    """Decisions that play the small arm for small requests and the big one for others for sure, and the truth."""
    cases, truth = [], 0.0
    for _ in range(rows):
        size = random.uniform(0.5, 8.0)
        played = "small" if size < DEAR_SIZE else "big"
        if random.random() < tried:
            played = random.choice(list(BASE))
        outcome = OVER[played] * BASE[played] * size * random.lognormvariate(-0.125, 0.5)
        cases.append(Case({target: BASE[target] * size}, played, BASE[played] * size, outcome))
        truth += OVER[target] * BASE[target] * size / rows
    return cases, truth


def told(cases: list[Case]) -> Modelled:
    found = modelled(cases, Random(5).random)
    assert found is not None
    return found


@pytest.mark.parametrize("target", ["small", "big"])
def test_a_rule_that_was_never_to_be_played_is_told_within_its_interval(target: str) -> None:
    random, held, errors = Random(11), 0, []
    for _ in range(40):
        cases, truth = log(random, 400, target)
        found = told(cases)
        errors.append(found.value / truth - 1.0)
        held += found.low <= truth <= found.high
    assert held >= 32
    assert sum(errors) / len(errors) == pytest.approx(0.0, abs=0.04)


def test_of_an_arm_that_was_not_played_the_interval_knows_that_arms_differ() -> None:
    cases, truth = log(Random(2), 600, "middle")
    found = told(cases)
    known = told([case._replace(expected={"big": case.expected["middle"]}) for case in cases])
    assert found.low <= truth <= found.high
    assert (found.calibrated, known.calibrated) == (0.0, 1.0)
    assert found.high - found.low > 2 * (known.high - known.low)


def test_calibration_is_what_the_arms_own_outcomes_say_once_there_are_enough() -> None:
    cases, truth = log(Random(3), 4_000, "middle", tried=0.3)
    found = told(cases)
    assert found.calibrated == 1.0
    assert found.value == pytest.approx(truth, rel=0.05)
    uncalibrated = sum(case.expected["middle"] for case in cases) / len(cases)
    assert abs(uncalibrated - truth) > abs(found.value - truth)


def test_where_the_model_is_right_the_ratio_is_one_and_more_rows_say_it_more_surely() -> None:
    def right(rows: int) -> Modelled:
        random = Random(rows)
        expected = [random.choice((0.3, 0.7)) for _ in range(rows)]
        return told([Case({"a": each}, "a", each, float(random.random() < each)) for each in expected])

    few, many = right(200), right(5_000)
    assert many.ratio == pytest.approx(1.0, abs=0.03)
    assert many.high - many.low < (few.high - few.low) / 3


def test_decisions_without_an_outcome_or_without_the_rules_arm_are_counted() -> None:
    cases = [
        Case({"a": 2.0}, "a", 2.0, 3.0),
        Case({"a": 4.0}, "a", 4.0, None),
        Case({}, "b", 1.0, 1.5),
        Case({"a": 1.0, "b": 1.0}, "b", 2.0, 3.0),
    ]
    found = told(cases)
    assert (found.rows, found.outcomes, found.coverage, found.ratio) == (4, 3, 0.75, 1.5)
    assert found.value == pytest.approx(1.5 * 8.0 / 3)


def test_the_same_log_says_the_same() -> None:
    cases, _ = log(Random(5), 300, "big")
    assert told(cases) == told(cases)


def test_nothing_is_told_without_an_arm_or_an_outcome() -> None:
    assert modelled([], Random(5).random) is None
    assert modelled([Case({}, "a", 1.0, 1.0)], Random(5).random) is None
    assert modelled([Case({"a": 1.0}, "a", 1.0, None)], Random(5).random) is None


def test_where_nothing_was_expected_nothing_is_foreseen() -> None:
    found = told([Case({"a": 0.0}, "a", 0.0, 1.0)] * 20)
    assert (found.value, found.low, found.high, found.ratio, found.calibrated) == (0.0, 0.0, 0.0, 1.0, 0.0)


def test_a_rule_that_rarely_has_an_arm_is_told_of_the_draws_that_have_one() -> None:
    found = told([Case({"a": 2.0} if number == 0 else {}, "b", 1.0, 1.0) for number in range(30)])
    assert found.coverage == pytest.approx(1 / 30)
    assert found.low == found.value == found.high == pytest.approx(2.0)
