"""Teams and projects as rows."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.team_tables import projects, teams
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Transaction
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.ports.teams import Project, Team

_ADD_TEAM = Query(insert_or_not(teams).on_conflict_do_nothing())
_TEAMS = Query(
    select(teams.c.team_id, teams.c.account_id, teams.c.name, teams.c.created_at)
    .where(teams.c.account_id == bindparam("account"))
    .order_by(teams.c.created_at, teams.c.team_id)
)
_TEAM = Query(
    select(teams.c.team_id).where(teams.c.account_id == bindparam("account"), teams.c.team_id == bindparam("team"))
)
_ADD_PROJECT = Query(insert_or_not(projects).on_conflict_do_nothing())
_PROJECTS = Query(
    select(projects.c.account_id, projects.c.project_id, projects.c.team_id, projects.c.created_at)
    .where(projects.c.account_id == bindparam("account"))
    .order_by(projects.c.created_at, projects.c.project_id)
)


class SqlTeams:
    """`ports.teams.Teams`. Writes are durable on return."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def add_team(self, team: Team) -> None:
        """Store a team. Raises `Conflict` when the organization has one of that name."""
        await self._writer.perform(partial(_add_team, team))

    async def teams(self, account_id: str) -> Sequence[Team]:
        """All teams, oldest first."""
        rows = await self._readers.read_of(account_id, lambda reading: reading.rows(_TEAMS, {"account": account_id}))
        return [Team(team_id, owner, name, from_micros(at)) for team_id, owner, name, at in rows]

    async def add_project(self, project: Project) -> None:
        """Store a project. Raises `Conflict` when there is one of that id, `NotFound` when there is no such team."""
        await self._writer.perform(partial(_add_project, project))

    async def projects(self, account_id: str) -> Sequence[Project]:
        """All projects, oldest first."""
        rows = await self._readers.read_of(account_id, lambda reading: reading.rows(_PROJECTS, {"account": account_id}))
        return [Project(owner, project_id, team_id, from_micros(at)) for owner, project_id, team_id, at in rows]


def _add_team(team: Team, transaction: Transaction) -> None:
    row: Parameters = {
        "team_id": team.team_id,
        "account_id": team.account_id,
        "name": team.name,
        "created_at": to_micros(team.created_at),
    }
    if not transaction.change(_ADD_TEAM, row):
        raise Conflict("This organization has a team of that name already.")


def _add_project(project: Project, transaction: Transaction) -> None:
    team: Parameters = {"account": project.account_id, "team": project.team_id}
    if project.team_id is not None and transaction.row(_TEAM, team) is None:
        raise NotFound("This organization has no team of that id.")
    row: Parameters = {
        "account_id": project.account_id,
        "project_id": project.project_id,
        "team_id": project.team_id,
        "created_at": to_micros(project.created_at),
    }
    if not transaction.change(_ADD_PROJECT, row):
        raise Conflict("This organization has a project of that id already.")
