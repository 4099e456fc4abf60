"""The account that keeps trying within a share of what the baseline would have brought."""

from random import Random

import pytest

from monkey_coder_server.domain.bandit.conservatism import Conservatism


def test_nothing_is_tried_before_the_baseline_earned_it() -> None:
    account = Conservatism(0.1)
    assert not account.allows(0.0, 0.8)
    for _ in range(14):
        account.keep_to_baseline(0.9)
    assert account.balance == pytest.approx(1.26)
    assert account.allows(0.0, 0.8)
    assert not account.allows(-0.3, 0.8)


def test_what_is_played_counts_as_the_least_until_its_outcome_is_known() -> None:
    account = Conservatism(0.1, 1.0)
    account.start(-0.1, 0.8)
    assert account.balance == pytest.approx(1.0 - 0.1 - 0.72)
    assert account.unseen == 1
    account.learn(-0.1, 0.9)
    assert account.balance == pytest.approx(1.0 + 0.9 - 0.72)


def test_the_more_of_the_baseline_is_unseen_the_more_is_held_back() -> None:
    assert Conservatism(0.1, 2.0, 0).allows(0.0, 0.8)
    assert not Conservatism(0.1, 2.0, 20).allows(0.0, 0.8)


@pytest.mark.parametrize("seed", range(10))
def test_however_bad_the_others_are_nine_tenths_of_the_baseline_are_kept(seed: int) -> None:
    random, account, ours, baselines = Random(seed), Conservatism(0.1), 0.0, 0.0
    for _ in range(2_000):
        baseline = random.random()
        baselines += baseline
        if account.allows(0.0, 1.0):
            account.start(0.0, 1.0)
            account.learn(0.0, came := 0.1 * random.random())
            ours += came
        else:
            account.keep_to_baseline(baseline)
            ours += baseline
        assert ours >= 0.9 * baselines - 1e-9
