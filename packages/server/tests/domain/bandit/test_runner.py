"""What is seen of a run changes what is believed of its answer and of the task."""

import pytest

from monkey_coder_server.domain.bandit.difficulty import LEVELS, chances
from monkey_coder_server.domain.bandit.runner import Given, Runner, after, prospects, right_given, verdict_sights
from monkey_coder_server.domain.bandit.verifier import Rates

EVEN = (1 / LEVELS,) * LEVELS
ARM = Runner("arm", chances(0.5, 2.0), Given(0.1, 0.3), 1, verdict_sights(Rates(0.9, 0.2, 0.0)))


def test_the_sights_of_a_verdict_are_all_that_can_be_seen() -> None:
    passed, failed = ARM.sights
    assert (passed.passed, failed.passed) == (True, False)
    assert passed.of == (0.9, 0.2)
    assert failed.of == (pytest.approx(0.1), pytest.approx(0.8))


def test_expected_cost_mixes_those_of_right_and_wrong_runs() -> None:
    assert prospects(ARM, EVEN) == (pytest.approx(0.5), pytest.approx(0.2))


def test_a_pass_makes_the_answer_likelier_by_bayes_rule_and_the_task_easier() -> None:
    passed = ARM.sights[0]
    weights = after(ARM, passed, EVEN)
    assert sum(weights) == pytest.approx(0.5 * 0.9 + 0.5 * 0.2)
    assert right_given(ARM, passed, weights) / sum(weights) == pytest.approx(0.45 / 0.55)
    assert weights[0] > weights[-1]


def test_a_sight_no_answer_could_give_proves_nothing_right() -> None:
    never = ARM.sights[0]._replace(of=Given(0.0, 0.0))
    assert right_given(ARM, never, after(ARM, never, EVEN)) == 0.0
