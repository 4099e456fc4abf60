"""How far checks are believed: nothing at first, by outcomes soon, and by no account's outcomes alone."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.checkpoint import Stored, Sum
from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.verification import trust as module
from monkey_coder_server.domain.verification.agreement import TOGETHER
from monkey_coder_server.domain.verification.trust import MOST_OF_AN_ACCOUNT, Trust
from monkey_coder_server.domain.verification.verdict import Check

SYNTAX = Check.SYNTAX.value
Told = tuple[str, bool, float, float]
"""An account, whether its answer passed, how good that was, and the weight of saying so."""
TOLD = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.booleans(), st.sampled_from([0.0, 0.25, 1.0]), st.sampled_from([0.2, 0.5, 1.0])
    ),
    max_size=20,
)


def at(account: str = "a", kind: str = "fix") -> Context:
    return Context.of(kind, "python", account)


def passing(*, passed: bool) -> list[tuple[str, bool]]:
    return [(SYNTAX, passed), (TOGETHER, passed)]


def learnt(told: list[Told]) -> Trust:
    trust = Trust()
    for account, passed, quality, weight in told:
        trust.learn(at(account), passing(passed=passed), quality, weight)
    return trust


def watched(trust: Trust, answers: int, *, account: str = "a", right: float = 0.95, wrong: float = 0.05) -> Trust:
    for number in range(answers):
        trust.learn(at(account), passing(passed=number < right * answers), 1.0, 1.0)
        trust.learn(at(account), passing(passed=number < wrong * answers), 0.0, 1.0)
    return trust


def test_what_was_measured_of_right_answers_is_believed_of_wrong_ones_too_so_that_no_check_is_of_use() -> None:
    rates = Trust().rates(at())
    assert rates.right == rates.wrong == pytest.approx(159 / 193)
    assert not rates.useful
    assert Trust().rates(at(), SYNTAX).right == pytest.approx(108 / 111)


def test_of_a_check_that_was_not_measured_nothing_is_believed() -> None:
    assert Trust().rates(at(), Check.SCHEMA.value)[:2] == (0.5, 0.5)


def test_a_check_that_passes_right_answers_and_fails_wrong_ones_comes_to_be_of_use_there() -> None:
    trust = watched(Trust(), 30)
    assert trust.rates(at()).useful
    assert trust.rates(at()).right > 0.85
    assert trust.rates(at()).wrong < 0.2


def test_a_check_that_passes_everything_never_is() -> None:
    assert not watched(Trust(), 200, right=1.0, wrong=1.0).rates(at()).useful


def test_an_answer_half_as_good_counts_half_on_either_side() -> None:
    trust = Trust()
    trust.learn(at(), passing(passed=True), 0.5, 1.0)
    standing = trust.standings(at())[TOGETHER]
    assert (standing.right, standing.wrong) == (0.5, 0.5)


def test_what_one_account_tells_moves_others_little_however_much_it_is() -> None:
    some, much = watched(Trust(), 20), watched(Trust(), 2_000)
    assert much.rates(at("b")) == pytest.approx(some.rates(at("b")), abs=0.06)
    assert much.standings(at("b"))[TOGETHER].right == pytest.approx(MOST_OF_AN_ACCOUNT)
    assert much.rates(at("a")).spread < 0.03
    assert much.standings(at("a"))[TOGETHER].right == pytest.approx(2_000)


def test_several_accounts_together_convince_others() -> None:
    trust = Trust()
    for account in "abcdef":
        watched(trust, 10, account=account, right=1.0, wrong=0.0)
    assert trust.rates(at("g")).useful


def test_what_is_taken_back_is_gone() -> None:
    trust = watched(Trust(), 5)
    before = trust.rates(at())
    trust.learn(at(), passing(passed=True), 0.0, 1.0)
    assert trust.rates(at()) != before
    trust.learn(at(), passing(passed=True), 0.0, -1.0)
    assert trust.rates(at()) == pytest.approx(before)


def test_the_account_that_was_silent_longest_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ACCOUNTS", 2)
    trust = Trust()
    for account in "abc":
        watched(trust, 5, account=account)
    assert trust.standings(at("d"))[TOGETHER].right == pytest.approx(10.0)
    assert trust.rates(at("a")) == trust.rates(at("d"))


def test_a_check_with_outcomes_of_one_kind_only_keeps_what_is_stated_of_the_other() -> None:
    trust = Trust()
    trust.learn(at(), passing(passed=False), 0.0, 1.0)
    assert trust.rates(at()).right == pytest.approx(159 / 193)
    assert trust.rates(at()).wrong < 0.7


@given(st.tuples(TOLD, TOLD, TOLD))
def test_what_three_processes_saw_adds_up_in_any_order(seen: tuple[list[Told], ...]) -> None:
    whole = learnt([each for part in seen for each in part])
    for order in permutations(range(3)):
        merged = Trust()
        kept: dict[tuple[tuple[str, ...], str], Sum] = {}
        for place in order:
            one = learnt(seen[place])
            while (delta := one.evidence.delta(1_000)) is not None:
                for each in delta.sums:
                    earlier = kept.get((each.node, each.arm))
                    if earlier is None:
                        kept[each.node, each.arm] = each
                    else:
                        earlier.tally.merge(each.tally)
                one.evidence.sent(delta.sequence)
        merged.take(Stored([*kept.values()], 0))
        for account in "abcd":
            assert merged.rates(at(account)) == pytest.approx(whole.rates(at(account)), abs=0.002)
