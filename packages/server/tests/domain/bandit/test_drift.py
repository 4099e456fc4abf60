"""Arms that become worse are noticed, and what was believed of them is given up."""

from random import Random

import pytest

from monkey_coder_server.domain.bandit.context import ANYTHING, Context
from monkey_coder_server.domain.bandit.drift import KEPT_ROWS, Drift, give_up
from monkey_coder_server.domain.bandit.evidence import Evidence
from monkey_coder_server.domain.bandit.posterior import Posterior


def _noticed_after(chance: float, *, most: int, seed: int) -> int | None:
    """How many outcomes of this chance it takes to be noticed where 0.8 are expected; None if so many do not."""
    random, drift = Random(seed), Drift()
    return next((at for at in range(most) if drift.learn(0.8, float(random.random() < chance))), None)


@pytest.mark.parametrize("seed", range(20))
def test_an_arm_that_loses_half_its_quality_is_noticed_within_sixty_outcomes(seed: int) -> None:
    assert _noticed_after(0.4, most=60, seed=seed) is not None


def test_an_arm_that_is_as_good_as_believed_is_seldom_taken_for_worse() -> None:
    alarms = [_noticed_after(0.8, most=100, seed=seed) for seed in range(50)]
    assert sum(alarm is not None for alarm in alarms) <= 12


def test_an_arm_that_is_better_leaves_no_credit_to_use_up() -> None:
    drift = Drift()
    for _ in range(1_000):
        assert not drift.learn(0.5, 1.0)
    assert drift == Drift()
    assert drift.left == 1.0


def test_what_is_left_is_what_came_of_what_was_expected() -> None:
    drift = Drift()
    for quality in (0.0, 1.0, 0.0, 0.0):
        drift.learn(0.8, quality)
    assert drift.left == pytest.approx(1 / 3.2)
    faint = Drift()
    faint.learn(0.8, 0.0, weight=0.5)
    assert faint.shortfall == pytest.approx(0.35)


def test_a_belief_given_up_is_lower_and_weighs_little_and_others_stay() -> None:
    posterior, fix = Posterior(), Context.of("fix", "python")
    for _ in range(200):
        posterior.update(fix, "a", 0.8)
        posterior.update(fix, "b", 0.6)
    other = posterior.expect(fix, ["b"])
    (before,) = posterior.expect(ANYTHING, ["a"])
    give_up(posterior.evidence, "a", 0.5)
    (after,) = posterior.expect(ANYTHING, ["a"])
    assert posterior.evidence.at(())["a"].rows == pytest.approx(KEPT_ROWS)
    assert posterior.evidence.at(())["a"].quality_squared == pytest.approx(KEPT_ROWS * 0.4**2)
    assert after.mean == pytest.approx(0.4, abs=0.01)
    assert after.spread > 3 * before.spread
    assert posterior.expect(fix, ["b"]) == other


def test_what_is_little_is_not_made_more_and_what_is_unknown_stays_so() -> None:
    evidence = Evidence()
    evidence.add(ANYTHING, "a", 1.0)
    give_up(evidence, "a", 0.5)
    give_up(evidence, "never seen", 0.5)
    assert evidence.at(())["a"].rows == 1
    assert evidence.at(())["a"].quality == 0.5
    assert evidence.at(()).keys() == {"a"}
