"""What another rule would have come to is estimated with intervals that hold, or refused where the log cannot say."""

from random import Random

import pytest

from monkey_coder_server.domain.bandit.off_policy import Estimate, Evaluation, Trial, Unsupported, evaluate

QUALITY = {"good": 0.8, "fair": 0.6, "poor": 0.3}
PLAYED = {"good": 0.2, "fair": 0.5, "poor": 0.3}
BELIEVED = {"good": 0.75, "fair": 0.65, "poor": 0.35}
TARGET = {"good": 0.7, "fair": 0.3, "poor": 0.0}
TRUTH = sum(TARGET[arm] * QUALITY[arm] for arm in QUALITY)


def log(random: Random, rows: int, *, spread: float = 0.2) -> list[Trial]:
    """Decisions of a known propensity whose outcomes have a known mean; kinds of work differ, as belief knows."""
    trials = []
    for _ in range(rows):
        arm = random.choices(list(PLAYED), list(PLAYED.values()))[0]
        kind = random.uniform(-spread, spread)
        outcome = float(random.random() < QUALITY[arm] + kind)
        of_target = sum(TARGET[each] * (BELIEVED[each] + kind) for each in TARGET)
        trials.append(Trial(PLAYED[arm], TARGET[arm], outcome, BELIEVED[arm] + kind, of_target))
    return trials


def evaluated(trials: list[Trial]) -> Evaluation:
    found = evaluate(trials)
    assert isinstance(found, Evaluation)
    return found


@pytest.mark.parametrize("name", ["inverse_propensity", "self_normalised", "doubly_robust"])
def test_the_interval_holds_the_truth_about_nine_times_of_ten(name: str) -> None:
    random = Random(7)
    held = 0
    for _ in range(300):
        estimate: Estimate = getattr(evaluated(log(random, 250)), name)
        held += estimate.low <= TRUTH <= estimate.high
    assert 0.85 <= held / 300 <= 0.95


def test_doubly_robust_varies_less_than_inverse_propensity() -> None:
    random = Random(3)
    found = [evaluated(log(random, 250)) for _ in range(100)]
    robust = [each.doubly_robust.value - TRUTH for each in found]
    weighted = [each.inverse_propensity.value - TRUTH for each in found]
    assert sum(each * each for each in robust) < 0.8 * sum(each * each for each in weighted)
    assert all(each.doubly_robust.error < each.inverse_propensity.error for each in found)


def test_the_rule_that_was_played_comes_to_what_was_seen() -> None:
    trials = [Trial(1.0, 1.0, float(number % 4 == 0), 0.5, 0.5) for number in range(100)]
    found = evaluated(trials)
    assert (found.rows, found.support, found.effective) == (100, 1.0, 100.0)
    for estimate in (found.inverse_propensity, found.self_normalised, found.doubly_robust):
        assert estimate.value == pytest.approx(0.25)
        assert estimate.low < 0.25 < estimate.high


def test_belief_that_is_wrong_is_corrected() -> None:
    trials = [Trial(0.5, 1.0 if number % 2 else 0.0, float(number % 2), 0.0, 0.0) for number in range(1_000)]
    found = evaluated(trials)
    assert found.doubly_robust.value == pytest.approx(1.0)
    assert found.effective == pytest.approx(500)


def test_no_log_says_nothing() -> None:
    found = evaluate([])
    assert isinstance(found, Unsupported)
    assert (found.rows, found.reason) == (0, "No decision with this outcome is logged.")


def test_arms_that_were_never_tried_are_said_to_be_unknown() -> None:
    tried = [Trial(1.0, 1.0, 1.0, 0.5, 0.5)] * 49
    untried = [Trial(1.0, 0.0, 1.0, 0.5, 0.5, supported=False)] * 51
    found = evaluate(tried + untried)
    assert isinstance(found, Unsupported)
    assert (found.support, found.effective) == (0.49, 49.0)
    assert "49%" in found.reason


def test_decisions_that_support_nothing_are_left_out_and_counted() -> None:
    tried = [Trial(1.0, 1.0, 1.0, 0.5, 0.5)] * 75
    found = evaluated([*tried, *[Trial(1.0, 0.0, 0.0, 0.5, 0.5, supported=False)] * 25])
    assert (found.rows, found.support, found.doubly_robust) == (100, 0.75, Estimate(1.0, 0.0))


@pytest.mark.parametrize(
    "trials",
    [
        [Trial(1.0, 1.0, 1.0, 0.5, 0.5)] * 29,
        [Trial(0.9, 0.0, 1.0, 0.5, 0.5)] * 500,
        [*[Trial(0.9, 0.01, 1.0, 0.5, 0.5)] * 500, Trial(0.001, 1.0, 1.0, 0.5, 0.5)],
    ],
)
def test_too_few_rows_worth_of_weight_are_refused(trials: list[Trial]) -> None:
    found = evaluate(trials)
    assert isinstance(found, Unsupported)
    assert found.effective < 30
    assert "30 are needed" in found.reason
