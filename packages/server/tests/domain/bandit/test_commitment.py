"""A request never commits itself to more than it holds."""

import pytest

from monkey_coder_server.domain.bandit.commitment import Commitment, HoldExceeded


def test_arms_start_until_their_worst_cases_fill_the_hold() -> None:
    commitment = Commitment(10).with_started(6)
    assert commitment.allows(4)
    assert not commitment.allows(5)
    assert commitment.with_started(4) == Commitment(10, 10)


def test_an_arm_that_could_cost_more_than_is_left_does_not_start() -> None:
    with pytest.raises(HoldExceeded):
        Commitment(10, 6).with_started(5)
