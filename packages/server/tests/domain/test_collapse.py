"""Which of several answers is kept, and when there are enough of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_protocol.execute import COLLAPSE_STRATEGIES
from monkey_coder_server.domain.collapse import RULES, Collapse, Kept, Rule, Told, decided, expected_cost, keep

TOLD = st.builds(
    Told,
    passed=st.booleans(),
    success=st.floats(0, 1),
    cost=st.integers(0, 10**9),
    text=st.sampled_from(["a", "b", "c", ""]),
)


def told(text: str, success: float = 0.5, *, passed: bool = True, cost: int = 10) -> Told:
    return Told(passed, success, cost, text)


def test_published_clients_ask_for_an_average_and_get_the_weighted_rule() -> None:
    assert RULES["weighted_average"] is Rule.WEIGHTED
    assert set(RULES.values()) == set(Rule)
    assert set(COLLAPSE_STRATEGIES) == set(RULES)


@pytest.mark.parametrize("rule", [Rule.FIRST_SUCCESS, Rule.CHEAPEST_VALID, Rule.RACE, Rule.CASCADE])
def test_the_first_that_passes_is_enough_and_kept(rule: Rule) -> None:
    collapse = Collapse(rule, 3)
    answers = [told("bad", 0.9, passed=False), told("good", 0.1)]
    assert not decided(collapse, answers[:1])
    assert decided(collapse, answers)
    assert keep(collapse, answers) == Kept(1, None, met=True)


def test_the_best_score_waits_for_all_and_keeps_the_passing_answer_most_believed_in() -> None:
    collapse = Collapse(Rule.BEST_SCORE, 3)
    answers = [told("x", 0.99, passed=False), told("y", 0.4), told("z", 0.7)]
    assert not decided(collapse, answers[:2])
    assert decided(collapse, answers)
    assert keep(collapse, answers) == Kept(2, None, met=True)


def test_of_answers_equally_believed_in_the_cheaper_is_kept_then_the_earlier() -> None:
    collapse = Collapse(Rule.BEST_SCORE, 3)
    assert keep(collapse, [told("x", cost=9), told("y", cost=3), told("z", cost=3)]).place == 1


def test_a_consensus_is_met_as_soon_as_enough_agree() -> None:
    collapse = Collapse(Rule.CONSENSUS, 3, threshold=0.6)
    answers = [told("same", 0.2), told("other", 0.9), told("SAME", 0.3)]
    assert not decided(collapse, answers[:2])
    assert decided(Collapse(Rule.CONSENSUS, 4, threshold=0.5), answers)
    kept = keep(collapse, answers)
    assert (kept.place, kept.met) == (2, True)
    assert kept.agreement == pytest.approx(2 / 3)


def test_where_too_few_agree_the_answer_most_believed_in_is_kept_and_said_to_be_no_consensus() -> None:
    kept = keep(Collapse(Rule.CONSENSUS, 3, threshold=0.7), [told("a", 0.2), told("b", 0.9), told("a", 0.3)])
    assert (kept.place, kept.met) == (1, False)


def test_a_single_answer_is_a_consensus_of_one_where_any_share_will_do() -> None:
    assert keep(Collapse(Rule.CONSENSUS, 3, threshold=0.0), [told("a")]).met


def test_the_weighted_rule_sums_what_is_believed_of_those_that_agree() -> None:
    answers = [told("a", 0.6), told("b", 0.4), told("b", 0.3)]
    assert keep(Collapse(Rule.WEIGHTED, 3), answers).place == 1
    assert not decided(Collapse(Rule.WEIGHTED, 3), answers[:2])


@pytest.mark.parametrize(
    ("answers", "kept"),
    [
        ([told("4", 0.2), told("5", 0.9), told("It is 4.", 0.3)], Kept(2, 2 / 3, met=True)),
        ([told("4", 0.9), told("5", 0.2), told("5", 0.2)], Kept(1, 2 / 3, met=True)),
        ([told("4", 0.4), told("5", 0.5)], Kept(1, 1 / 2, met=False)),
        ([told("4", 0.3), told("5", 0.2), told("5", 0.2), told("4", 0.2)], Kept(0, 2 / 4, met=False)),
        ([told("4", 0.5, cost=9), told("5", 0.5, cost=3)], Kept(1, 1 / 2, met=False)),
        ([told("4", 0.5), told("5", 0.5)], Kept(0, 1 / 2, met=False)),
        ([told("5", 0.9, passed=False), told("5", 0.9, passed=False), told("4", 0.1)], Kept(2, 1 / 3, met=True)),
        ([told("4")], Kept(0, 1.0, met=True)),
    ],
)
def test_a_vote_keeps_what_most_say_then_who_is_believed_in_then_what_is_cheap(answers: list[Told], kept: Kept) -> None:
    assert keep(Collapse(Rule.VOTE, len(answers)), answers) == kept


@pytest.mark.parametrize(
    ("branches", "texts", "enough"),
    [
        (3, ["4"], False),
        (3, ["4", "4"], True),
        (3, ["4", "5"], False),
        (4, ["4", "4"], False),
        (5, ["4", "4", "5"], False),
        (5, ["4", "4", "4"], True),
        (4, ["4", "4", "5"], False),
        (3, ["4", "5", "6"], True),
    ],
)
def test_a_vote_ends_when_no_other_answer_can_come_to_as_many(branches: int, texts: list[str], enough: bool) -> None:
    assert decided(Collapse(Rule.VOTE, branches), [told(text) for text in texts]) is enough


def test_what_fails_its_checks_has_no_vote() -> None:
    answers = [told("4", passed=False), told("4", passed=False), told("5")]
    assert not decided(Collapse(Rule.VOTE, 4), answers)


def test_the_calls_of_an_answer_are_what_it_votes_for() -> None:
    one = told("I look.")._replace(calls=(("read", '{"path": "a"}'),))
    other = told("Let me see.")._replace(calls=(("read", '{"path":"a"}'),))
    assert keep(Collapse(Rule.VOTE, 3), [told("No.", 0.9), one, other]) == Kept(1, 2 / 3, met=True)


@given(st.lists(TOLD, min_size=1, max_size=9), st.lists(TOLD, max_size=3))
def test_a_vote_that_ended_early_ends_the_same_with_all_answers(answers: list[Told], later: list[Told]) -> None:
    collapse = Collapse(Rule.VOTE, len(answers) + len(later))
    early, late = keep(collapse, answers), keep(collapse, [*answers, *later])
    if decided(collapse, answers):
        assert answers[early.place].text == [*answers, *later][late.place].text


@pytest.mark.parametrize("rule", list(Rule))
def test_where_none_passes_the_answer_most_believed_in_is_kept_and_that_is_said(rule: Rule) -> None:
    answers = [told("a", 0.2, passed=False), told("b", 0.8, passed=False)]
    assert keep(Collapse(rule, 2), answers) == Kept(1, None, met=False)


@given(st.sampled_from(list(Rule)), st.lists(TOLD, min_size=1, max_size=10), st.floats(0, 1))
def test_a_passing_answer_is_kept_wherever_there_is_one(rule: Rule, answers: list[Told], threshold: float) -> None:
    kept = keep(Collapse(rule, 10, threshold=threshold), answers)
    assert answers[kept.place].passed == any(each.passed for each in answers)
    assert kept.agreement is None or 0 < kept.agreement <= 1


def test_arms_run_at_once_unless_they_are_to_be_asked_in_turn() -> None:
    assert Collapse(Rule.FIRST_SUCCESS, 4).at_once == 4
    assert Collapse(Rule.FIRST_SUCCESS, 4, parallel=False).at_once == 1
    assert Collapse(Rule.CHEAPEST_VALID, 4).at_once == 1


def test_several_are_wanted_only_where_the_leading_arm_is_doubted() -> None:
    assert Collapse().wanted_for(1.0)
    assert not Collapse(branches=1).wanted_for(0.0)
    assert Collapse(doubt=0.1).wanted_for(0.8)
    assert not Collapse(doubt=0.1).wanted_for(0.95)


def test_what_is_asked_in_turn_is_expected_to_cost_what_is_reached() -> None:
    assert expected_cost(Collapse(Rule.CHEAPEST_VALID), [100, 200, 400], [0.5, 0.5, 0.9]) == 300
    assert expected_cost(Collapse(Rule.FIRST_SUCCESS), [100, 200], [0.5, 0.5]) == 300
    assert expected_cost(Collapse(Rule.BEST_SCORE, parallel=False), [100, 200], [0.5, 0.5]) == 300


def test_a_cascade_asks_one_after_the_other_and_a_race_all_at_once() -> None:
    assert Collapse(Rule.CASCADE, 4).at_once == 1
    assert Collapse(Rule.RACE, 3).at_once == 3


def test_who_wants_a_single_answer_is_asked_for_no_more() -> None:
    assert not Collapse(Rule.SINGLE, 3).wanted_for(0.1)
    assert Collapse(Rule.CASCADE, 3).wanted_for(0.9)


def test_a_hedge_is_expected_to_cost_its_first_arm_and_a_twentieth_of_the_second() -> None:
    assert expected_cost(Collapse(Rule.HEDGE, 2), [100, 2_000], [0.9, 0.9]) == 200
