"""How far a check is believed: by kind of work, learnt in any order, and acted on only where it is surely useful."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.context import Context, Node
from monkey_coder_server.domain.bandit.verifier import Rates, Verifier

FIX, QA = Context.of("issue-fix").nodes[:2], Context.of("qa").nodes[:2]
Verdict = tuple[tuple[Node, ...], bool, bool, float]
VERDICTS = st.lists(
    st.tuples(st.sampled_from([FIX, QA]), st.booleans(), st.booleans(), st.sampled_from([0.1, 0.3, 0.5, 1.0])),
    max_size=30,
)


def _watched(right: float, wrong: float, *, answers: int) -> Verifier:
    """A check that passed these shares of so many right and as many wrong answers."""
    verifier = Verifier()
    for truth, share in ((True, right), (False, wrong)):
        for number in range(answers):
            verifier.learn(FIX, passed=number < share * answers, right=truth)
    return verifier


def test_a_check_nobody_watched_says_nothing_and_is_not_used() -> None:
    rates = Verifier().rates(FIX)
    assert rates[:2] == (0.5, 0.5)
    assert not rates.useful


@pytest.mark.parametrize(
    ("right", "wrong", "answers", "useful"),
    [
        (0.9, 0.1, 100, True),
        (0.8, 0.2, 200, True),
        (0.9, 0.1, 5, False),
        (0.7, 0.3, 10_000, False),
        (0.5, 0.5, 10_000, False),
        (0.76, 0.24, 100, False),
        (0.76, 0.24, 10_000, True),
    ],
)
def test_only_a_check_whose_rates_surely_differ_by_half_is_useful(
    right: float, wrong: float, answers: int, useful: bool
) -> None:
    assert _watched(right, wrong, answers=answers).rates(FIX).useful is useful


def test_rates_known_for_certain_are_compared_as_they_are() -> None:
    assert Rates(1.0, 0.0, 0.0).confidence == 1.0
    assert Rates(0.7, 0.2, 0.0).confidence == 0.0


def test_every_kind_of_verdict_counts_where_it_belongs() -> None:
    verifier = Verifier()
    for passed, right in ((True, True), (True, True), (False, True), (True, False), (False, False), (False, False)):
        verifier.learn(FIX[:1], passed=passed, right=right)
    rates = verifier.rates(FIX[:1])
    assert rates.right == pytest.approx(3 / 5)
    assert rates.wrong == pytest.approx(2 / 5)
    assert rates.spread == pytest.approx((2 * 0.24 / 6) ** 0.5)


def test_a_faint_truth_counts_less() -> None:
    verifier = Verifier()
    verifier.learn(FIX[:1], passed=True, right=True, weight=0.5)
    assert verifier.rates(FIX[:1]).right == pytest.approx(1.5 / 2.5)


def test_a_kind_of_work_is_believed_to_be_like_all_work_until_it_is_seen() -> None:
    verifier = _watched(0.9, 0.1, answers=100)
    assert verifier.rates(QA) == verifier.rates(QA[:1])
    for _ in range(20):
        verifier.learn(QA, passed=False, right=True)
    here = verifier.rates(QA)
    assert here.right == pytest.approx(verifier.rates(QA[:1]).right / 2), (
        "20 verdicts weigh as much as the coarser kind"
    )
    assert here.wrong == pytest.approx(verifier.rates(FIX[:1]).wrong)


def test_little_evidence_at_the_coarser_kind_weighs_little_at_the_finer() -> None:
    verifier = Verifier()
    verifier.learn(FIX, passed=True, right=True)
    assert verifier.rates(FIX).right == pytest.approx((2 + 1) / (3 + 1))


def _learnt(verdicts: list[Verdict]) -> Verifier:
    verifier = Verifier()
    for nodes, passed, right, weight in verdicts:
        verifier.learn(nodes, passed=passed, right=right, weight=weight)
    return verifier


@given(st.tuples(VERDICTS, VERDICTS, VERDICTS))
def test_what_three_processes_saw_adds_up_in_any_order(seen: tuple[list[Verdict], ...]) -> None:
    whole = _learnt([verdict for part in seen for verdict in part])
    for order in permutations(seen):
        merged = Verifier()
        for part in order:
            merged.merge(_learnt(part))
        assert merged == whole
