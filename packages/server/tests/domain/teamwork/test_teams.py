"""What teams are, which turns they take, and how much each turn is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_protocol.execute import COORDINATION_STRATEGIES
from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Text, Tool, ToolChoice
from monkey_coder_server.domain.prompt_tokens import prompt_size
from monkey_coder_server.domain.teamwork.rooms import INSTRUCTIONS, LEAST, Room, cut, room
from monkey_coder_server.domain.teamwork.saying import Said, approves, asked, concern_of
from monkey_coder_server.domain.teamwork.team import MOST_AGENTS, MOST_ROUNDS, Strategy, Team
from monkey_coder_server.domain.teamwork.turns import Act, Turn, stages

TEAMS = st.builds(
    Team,
    agents=st.integers(1, MOST_AGENTS),
    strategy=st.sampled_from(Strategy),
    threshold=st.floats(0, 1),
    rounds=st.integers(0, MOST_ROUNDS),
)
ASKED = ModelRequest(
    (Message(Role.SYSTEM, (Text("Be brief."),)), Message(Role.USER, (Text("sort a list"),))),
    tools=(Tool("run"),),
    tool_choice=ToolChoice("required"),
)
WIDE = Room(10_000, 10_000, 0)


def acts(team: Team) -> list[str]:
    return [" ".join(f"{turn.act.value}{turn.agent}" for turn in stage) for stage in stages(team)]


def words(request: ModelRequest) -> str:
    return "".join(part.text for part in request.messages[-1].parts if isinstance(part, Text))


@pytest.mark.parametrize(
    ("strategy", "agents", "taken"),
    [
        ("sequential", 3, ["draft1", "improve2", "improve3"]),
        ("parallel", 3, ["draft1 draft2 draft3"]),
        ("collaborative", 3, ["draft1 draft2 draft3", "merge1"]),
        ("hierarchical", 3, ["plan1", "draft2 draft3", "merge1"]),
        ("hierarchical", 2, ["plan1", "draft2"]),
        ("sequential", 1, ["draft1"]),
        ("parallel", 1, ["draft1"]),
        ("collaborative", 1, ["draft1"]),
        ("hierarchical", 1, ["draft1"]),
    ],
)
def test_each_strategy_takes_its_own_turns(strategy: str, agents: int, taken: list[str]) -> None:
    team = Team(agents, Strategy(strategy))
    assert acts(team) == taken
    critic = min(agents, 2)
    assert acts(Team(agents, Strategy(strategy), rounds=2)) == [*taken, *[f"critique{critic}", "rework1"] * 2]


@given(team=TEAMS)
def test_turns_are_bounded_whatever_is_asked(team: Team) -> None:
    turns = [turn for stage in stages(team) for turn in stage]
    assert len(turns) <= MOST_AGENTS + 2 + 2 * MOST_ROUNDS
    assert sum(turn.act.first for turn in turns) == team.writers >= 1
    assert all(1 <= turn.agent <= team.agents and 0 < turn.likely <= 1 for turn in turns)
    assert team.alone == (len(turns) == 1 and not team.rounds and team.agents == 1)


@given(team=TEAMS)
def test_smaller_teams_take_fewer_turns_each_and_are_never_alone(team: Team) -> None:
    sizes = [sum(map(len, stages(each))) for each in (team, *team.smaller())]
    assert sizes == sorted(sizes, reverse=True)
    assert not any(each.alone for each in team.smaller())
    assert all(each.strategy is team.strategy and each.threshold == team.threshold for each in team.smaller())


TEXTS = st.text(alphabet=st.sampled_from("aß語🙂\n \ud800<&"), max_size=4_000)


@given(text=TEXTS, size=st.integers(0, 9_000))
def test_a_cut_text_fits_and_one_that_fits_is_not_cut(text: str, size: int) -> None:
    shown = cut(text, size)
    assert len(shown.encode("utf-8", "surrogatepass")) <= size
    if len(text.encode("utf-8", "surrogatepass")) <= size:
        assert shown == text


def test_clients_know_every_way_of_working_together() -> None:
    assert set(COORDINATION_STRATEGIES) == set(Strategy)


def test_of_a_long_text_beginning_and_end_are_told() -> None:
    assert cut("a" * 30 + "z" * 30, 27) == f"{'a' * 15}\n[…]\n{'z' * 5}"


@given(team=TEAMS, texts=st.lists(TEXTS, min_size=10, max_size=10), answer=st.integers(1, 3_000), at=st.integers(0, 30))
def test_no_turn_is_told_more_than_its_room(team: Team, texts: list[str], answer: int, at: int) -> None:
    turns = [turn for stage in stages(team) for turn in stage]
    turn = turns[at % len(turns)]
    base = prompt_size(ASKED).most_tokens
    told = room(turn, base=base, window=200_000, answer=answer, note=max(1, answer // 4))
    assert told is not None
    earlier = [Said(8, Act.IMPROVE, text, (text,)) for text in texts[: turn.answers]]
    earlier += [Said(8, Act.CRITIQUE, text, (text,)) for text in texts[8 : 8 + turn.notes]]
    assert prompt_size(asked(ASKED, team, turn, earlier, told)).most_tokens <= told.prompt


@given(
    turn=st.sampled_from([turn for stage in stages(Team(8, rounds=1)) for turn in stage]), base=st.integers(0, 9_000)
)
def test_a_prompt_fits_the_models_window_or_the_turn_cannot_be_taken(turn: Turn, base: int) -> None:
    told = room(turn, base=base, window=16_000, answer=4_000, note=1_000)
    texts = turn.answers + turn.notes
    if told is None:
        assert texts * LEAST > 16_000 - base - INSTRUCTIONS - texts * 1_024
    else:
        assert not texts or told.prompt <= 16_000
        assert not turn.answers or told.answer >= LEAST


def test_a_request_of_one_agent_is_as_it_came_and_so_is_the_first_agents_own() -> None:
    assert asked(ASKED, Team(1, rounds=1), Turn(1, Act.DRAFT), (), WIDE) is ASKED
    assert asked(ASKED, Team(3), Turn(1, Act.DRAFT), (), WIDE) is ASKED


def test_agents_care_for_different_things_and_the_request_stands_first() -> None:
    said = [words(asked(ASKED, Team(8), Turn(agent, Act.DRAFT), (), WIDE)) for agent in range(2, 9)]
    assert len(set(said)) == 7
    assert all(text.startswith("sort a list\n\n----\n") for text in said)
    assert len({concern_of(agent) for agent in range(1, 9)}) == 8


def test_an_agent_is_told_what_others_wrote_and_what_checks_found_wrong_with_it() -> None:
    earlier = (Said(1, Act.PLAN, "first think"), Said(2, Act.DRAFT, "print(1", ("The file app.py does not parse.",)))
    request = asked(ASKED, Team(3, Strategy.HIERARCHICAL), Turn(1, Act.MERGE, 2, 1), earlier, WIDE)
    text = words(request)
    assert "Work by the plan below." in text
    assert '<plan agent="1">\nfirst think\n</plan>' in text
    assert '<answer agent="2">\nprint(1\n</answer>\nAutomatic checks of this answer found: The file app.py' in text
    assert request.tools == ASKED.tools


def test_plans_and_critiques_call_no_tools() -> None:
    for act in (Act.PLAN, Act.CRITIQUE):
        request = asked(ASKED, Team(2), Turn(2, act), (), WIDE)
        assert (request.tools, request.tool_choice) == ((), None)


def test_to_improve_nothing_is_to_write_a_draft() -> None:
    text = words(asked(ASKED, Team(2, Strategy.SEQUENTIAL), Turn(2, Act.IMPROVE, 1), (), WIDE))
    assert "Another agent answered" not in text
    assert "correctness" in text


def test_what_is_added_belongs_to_the_users_last_message() -> None:
    request = ModelRequest((Message(Role.USER, (Text("a"),)), Message(Role.ASSISTANT, (Text("b"),))))
    told = asked(request, Team(2), Turn(2, Act.DRAFT), (), WIDE)
    assert [message.role for message in told.messages] == [Role.USER, Role.ASSISTANT]
    assert len(told.messages[0].parts) == 2


def test_a_request_without_a_users_words_has_no_task() -> None:
    with pytest.raises(ValueError, match="no task"):
        asked(ModelRequest((Message(Role.SYSTEM, ()),)), Team(2), Turn(2, Act.DRAFT), (), WIDE)


@pytest.mark.parametrize("text", ["APPROVED", "approved.", "**Approved**\n\nIt is right.", "  `APPROVED`!  "])
def test_a_critique_that_finds_nothing_says_so_in_its_first_line(text: str) -> None:
    assert approves(text)


@pytest.mark.parametrize("text", ["", "Not approved", "APPROVED if line 3 is corrected", "1. It is wrong.\nAPPROVED"])
def test_any_other_critique_finds_something(text: str) -> None:
    assert not approves(text)
