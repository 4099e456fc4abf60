"""Which turns a team takes, by what the turns before came to, and which answer it gives."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.collapse import Told
from monkey_coder_server.domain.teamwork.board import Answered, Board
from monkey_coder_server.domain.teamwork.team import Strategy, Team
from monkey_coder_server.domain.teamwork.turns import Act, Turn, stages
from packages.server.tests.domain.teamwork.test_teams import TEAMS

DRAFT, MERGE = Act.DRAFT, Act.MERGE
CRITIQUE, REWORK = Turn(2, Act.CRITIQUE, 1), Turn(1, Act.REWORK, 1, 1)


def give(board: Board, act: Act, text: str, *, passed: bool = True, success: float = 0.5, agent: int = 1) -> None:
    findings = () if passed else ("It does not parse.",)
    board.answered(Answered(len(board.answers), Turn(agent, act), Told(passed, success, 1, text), findings))


def test_where_agents_do_not_agree_their_answers_are_merged() -> None:
    board = Board(Team(2))
    merge = stages(board.team)[-1][0]
    assert not board.wants(merge), "there is nothing to merge"
    give(board, DRAFT, "a")
    assert not board.agreed
    give(board, DRAFT, "b", agent=2, passed=False)
    assert board.wants(merge)
    assert [(said.text, said.findings) for said in board.told(merge)] == [("a", ()), ("b", ("It does not parse.",))]
    assert board.best().told.text == "a"
    give(board, MERGE, "ab")
    assert board.best().told.text == "ab"
    assert board.ended_by == "finished"


def test_where_enough_agree_the_others_are_not_asked_and_nothing_is_merged() -> None:
    board = Board(Team(4, threshold=0.5))
    give(board, DRAFT, "same")
    give(board, DRAFT, "same", success=0.9)
    assert board.agreed
    assert not board.wants(Turn(3, DRAFT))
    assert not board.wants(Turn(1, MERGE, 4))
    assert board.consensus().met
    assert board.best().told.success == 0.9


def test_a_single_answer_that_passes_needs_no_merging_and_one_that_fails_is_made_anew() -> None:
    board = Board(Team(3))
    give(board, DRAFT, "alone")
    assert not board.wants(Turn(1, MERGE, 3))
    board = Board(Team(3))
    give(board, DRAFT, "alone", passed=False)
    assert board.wants(Turn(1, MERGE, 3))


def test_a_merged_answer_that_fails_its_checks_does_not_replace_one_that_passes() -> None:
    board = Board(Team(2))
    give(board, DRAFT, "good")
    give(board, MERGE, "bad", passed=False)
    assert board.best().told.text == "good"


def test_where_nothing_passes_the_last_is_given() -> None:
    board = Board(Team(2))
    give(board, DRAFT, "bad", passed=False)
    assert board.best().told.text == "bad"
    give(board, MERGE, "worse", passed=False)
    assert board.best().told.text == "worse"


def test_agents_in_sequence_improve_the_last_answer_until_enough_say_the_same() -> None:
    board = Board(Team(4, Strategy.SEQUENTIAL, threshold=0.5))
    improve = Turn(2, Act.IMPROVE, 1)
    assert board.told(improve) == ()
    give(board, DRAFT, "one")
    assert [said.text for said in board.told(improve)] == ["one"]
    give(board, Act.IMPROVE, "two", agent=2)
    assert board.best().told.text == "two"
    assert board.wants(Turn(3, Act.IMPROVE, 1))
    give(board, Act.IMPROVE, "two", agent=3)
    assert not board.wants(Turn(4, Act.IMPROVE, 1))


def test_an_improvement_alone_is_the_answer_even_where_it_fails() -> None:
    board = Board(Team(2, Strategy.SEQUENTIAL))
    board.fell_out(Turn(1, DRAFT))
    give(board, Act.IMPROVE, "bad", passed=False)
    assert board.best().told.text == "bad"


def test_a_plan_is_told_to_all_who_work_by_it_and_to_no_critic() -> None:
    board = Board(Team(3, Strategy.HIERARCHICAL, rounds=1))
    plan, draft = Turn(1, Act.PLAN), Turn(2, DRAFT, notes=1)
    assert board.wants(plan)
    assert board.told(draft) == (), "a plan that failed is none"
    board.noted(plan, "think")
    assert [said.text for said in board.told(draft)] == ["think"]
    give(board, DRAFT, "a")
    assert [said.text for said in board.told(Turn(1, MERGE, 2, 1))] == ["think", "a"]
    assert [said.text for said in board.told(CRITIQUE)] == ["a"]
    board.noted(CRITIQUE, "wrong")
    assert [said.text for said in board.told(REWORK)] == ["a", "wrong"]


def test_an_answer_is_thought_over_until_a_critic_approves() -> None:
    board = Board(Team(1, rounds=2))
    assert not board.wants(CRITIQUE)
    give(board, DRAFT, "a")
    assert board.wants(CRITIQUE)
    assert not board.wants(REWORK)
    board.noted(CRITIQUE, "wrong")
    assert board.wants(REWORK)
    give(board, Act.REWORK, "b")
    assert board.wants(CRITIQUE)
    assert not board.wants(REWORK)
    board.noted(CRITIQUE, "APPROVED")
    assert not board.wants(REWORK)
    assert not board.wants(CRITIQUE)
    assert (board.rounds, board.approved, board.ended_by) == (2, True, "approved")


def test_an_answer_that_fails_its_checks_is_not_approved_whatever_a_critic_says() -> None:
    board = Board(Team(1, rounds=1))
    give(board, DRAFT, "bad", passed=False)
    board.noted(CRITIQUE, "APPROVED")
    assert not board.approved
    assert board.wants(REWORK)


def test_an_answer_that_comes_back_unchanged_is_not_thought_over_again() -> None:
    board = Board(Team(1, rounds=2))
    give(board, DRAFT, "a")
    board.noted(CRITIQUE, "wrong")
    give(board, Act.REWORK, "A")
    assert not board.wants(CRITIQUE)
    assert board.ended_by == "unchanged"


def test_a_critic_that_fails_ends_the_thinking_over_and_a_failed_merge_does_not() -> None:
    board = Board(Team(2, rounds=1))
    give(board, DRAFT, "a")
    board.fell_out(Turn(1, MERGE, 2))
    assert board.wants(CRITIQUE)
    board.fell_out(CRITIQUE)
    assert not board.wants(REWORK)
    assert (board.failed, board.ended_by) == (2, "turn_failed")


def test_only_when_every_agent_failed_is_the_team_empty_handed() -> None:
    board = Board(Team(3, Strategy.HIERARCHICAL))
    board.fell_out(Turn(1, Act.PLAN))
    board.fell_out(Turn(2, DRAFT, notes=1))
    assert not board.empty_handed
    board.fell_out(Turn(3, DRAFT, notes=1))
    assert board.empty_handed
    give(board, DRAFT, "of another model")
    assert not board.empty_handed


@given(team=TEAMS, ends=st.lists(st.tuples(st.sampled_from(["a", "b", "APPROVED", ""]), st.booleans()), min_size=24))
def test_whatever_turns_come_to_a_team_ends_with_its_best_answer_and_tells_no_more_than_planned(
    team: Team, ends: list[Any]
) -> None:
    board = Board(team)
    for stage in stages(team):
        for turn in [turn for turn in stage if board.wants(turn)]:
            told = board.told(turn)
            assert sum(said.act.answers for said in told) <= turn.answers
            assert sum(not said.act.answers for said in told) <= turn.notes
            text, passed = ends.pop()
            if not text:
                board.fell_out(turn)
            elif turn.act.answers:
                board.answered(Answered(len(board.answers), turn, Told(passed, 0.5, 1, text)))
            else:
                board.noted(turn, text)
    assert board.rounds <= team.rounds
    assert board.empty_handed == (not board.answers)
    if board.answers:
        assert board.best().told.passed == any(each.told.passed for each in board.answers)
