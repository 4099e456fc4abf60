"""The turns a team can come to take, in the order they are started: what each does and how much it is told."""

from enum import StrEnum
from typing import NamedTuple

from monkey_coder_server.domain.teamwork.team import Strategy, Team

NOT_APPROVED = 0.5
"""How often a critique is expected to find something; stated, not measured. It moves what a quote expects only."""
LEAD = 1
"""The agent that plans, merges and writes anew."""


class Act(StrEnum):
    """What an agent does in a turn."""

    DRAFT = "draft"
    IMPROVE = "improve"
    PLAN = "plan"
    MERGE = "merge"
    CRITIQUE = "critique"
    REWORK = "rework"

    @property
    def answers(self) -> bool:
        """Whether what is written can be the answer; else it is a note for other agents, and shorter."""
        return self not in {Act.PLAN, Act.CRITIQUE}

    @property
    def first(self) -> bool:
        """Whether it is an agent's own answer, before there is one of all."""
        return self in {Act.DRAFT, Act.IMPROVE}


class Turn(NamedTuple):
    """One call of a model. `agent` counts from 1.

    `answers` and `notes` are how many of either it is told at most. `likely` is how often it is expected to be taken.
    """

    agent: int
    act: Act
    answers: int = 0
    notes: int = 0
    likely: float = 1.0


def stages(team: Team) -> tuple[tuple[Turn, ...], ...]:
    """Every turn that may be taken; those of a stage are started together, once the stage before is over."""
    return (*_first(team), *_merged(team), *_reflected(team))


def _first(team: Team) -> tuple[tuple[Turn, ...], ...]:
    if team.strategy is Strategy.SEQUENTIAL:
        later = [(Turn(agent, Act.IMPROVE, answers=1),) for agent in range(2, team.agents + 1)]
        return ((Turn(LEAD, Act.DRAFT),), *later)
    if team.plans:
        workers = range(2, team.agents + 1)
        return (Turn(LEAD, Act.PLAN),), tuple([Turn(agent, Act.DRAFT, notes=1) for agent in workers])
    return (tuple([Turn(agent, Act.DRAFT) for agent in range(1, team.agents + 1)]),)


def _merged(team: Team) -> tuple[tuple[Turn, ...], ...]:
    return ((Turn(LEAD, Act.MERGE, answers=team.writers, notes=int(team.plans)),),) if team.merges else ()


def _reflected(team: Team) -> tuple[tuple[Turn, ...], ...]:
    """Where there is another agent, it is the critic: nobody sees their own mistakes best."""
    critic = min(2, team.agents)
    found: list[tuple[Turn, ...]] = []
    likely = 1.0
    for _ in range(team.rounds):
        found.append((Turn(critic, Act.CRITIQUE, answers=1, likely=likely),))
        likely *= NOT_APPROVED
        found.append((Turn(LEAD, Act.REWORK, answers=1, notes=1, likely=likely),))
    return tuple(found)
