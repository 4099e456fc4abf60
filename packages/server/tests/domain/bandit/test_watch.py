"""An arm that became worse is noticed where it did: by one group, or by several together, never by one for all."""

import pytest

from monkey_coder_server.domain.bandit import watch as module
from monkey_coder_server.domain.bandit.drift import LIMIT
from monkey_coder_server.domain.bandit.watch import Change, Watch, Watched


def test_a_group_that_sees_an_arm_fail_gives_up_what_it_told_and_nobody_else_does() -> None:
    watch = Watch()
    found = [watch.learn("one", "arm", 0.98, 0.0, 1.0) for _ in range(100)]
    changes = [each for each in found if each is not None]
    assert changes
    assert {each.group for each in changes} == {"one"}
    assert changes[0] == Change("one", 0.0)
    assert watch.of("one", "arm").everybody < LIMIT
    assert watch.of("two", "arm").group == 0.0


def test_several_groups_together_give_up_for_all_and_begin_anew() -> None:
    watch = Watch()
    found = [watch.learn(f"group {number}", "arm", 0.8, 0.2 * (number % 2), 1.0) for number in range(7)]
    assert found[:-1] == [None] * 6
    assert found[-1] == Change(None, pytest.approx(0.6 / 5.6))
    assert watch.of("group 0", "arm") == Watched(0.0, 0.0)


def test_a_group_may_count_again_once_the_sum_of_all_stood_at_nothing() -> None:
    watch = Watch()
    for _ in range(4):
        watch.learn("one", "arm", 0.8, 0.0, 1.0)
    standing = watch.of("one", "arm").everybody
    watch.learn("one", "arm", 0.8, 0.0, 1.0)
    assert watch.of("one", "arm").everybody == pytest.approx(standing)
    for number in range(20):
        watch.learn(f"other {number}", "arm", 0.8, 1.0, 1.0)
    assert watch.of("one", "arm").everybody == 0.0
    watch.learn("one", "arm", 0.8, 0.0, 1.0)
    assert watch.of("one", "arm").everybody == pytest.approx(0.7)


def test_an_arm_nobody_told_of_stands_at_nothing() -> None:
    assert Watch().of("one", "arm") == Watched(0.0, 0.0)


def test_the_group_longest_without_an_outcome_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WATCHED", 1)
    watch = Watch()
    watch.learn("one", "arm", 0.8, 0.0, 1.0)
    watch.learn("two", "arm", 0.8, 0.0, 1.0)
    assert watch.of("one", "arm").group == 0.0
    assert watch.of("two", "arm").group == pytest.approx(0.7)
