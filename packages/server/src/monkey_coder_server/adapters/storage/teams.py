"""Teams and projects as rows: made, called otherwise, and deleted with their keys."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage import key_rows
from monkey_coder_server.adapters.storage.bounded import refuse_full
from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.team_tables import projects, teams
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Row, Transaction
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.ports.teams import Archived, Project, Team

_CHANGES = "teams of organizations"
"""One change at a time, so that no project is added to a team that is being deleted."""
_NO_TEAM = "This organization has no team of that id."
_FULL = "This organization has {{}} {}, which is the most."
_NO_PROJECT = "This organization has no project of that id."
_TEAM_TAKEN = "This organization has a team of that name already."

_TEAM = (teams.c.team_id, teams.c.account_id, teams.c.name, teams.c.created_at)
_PROJECT = (
    projects.c.account_id,
    projects.c.project_id,
    projects.c.team_id,
    projects.c.created_at,
    projects.c.name,
)
_THEIR_TEAMS = (teams.c.account_id == bindparam("account"), teams.c.archived_at.is_(None))
_THEIR_PROJECTS = (projects.c.account_id == bindparam("account"), projects.c.archived_at.is_(None))
_ONE_TEAM = (*_THEIR_TEAMS, teams.c.team_id == bindparam("team"))
_ONE_PROJECT = (*_THEIR_PROJECTS, projects.c.project_id == bindparam("project"))
_ADD_TEAM = Query(insert_or_not(teams).on_conflict_do_nothing())
_TEAMS = Query(select(*_TEAM).where(*_THEIR_TEAMS).order_by(teams.c.created_at, teams.c.team_id))
_FIND_TEAM = Query(select(*_TEAM).where(*_ONE_TEAM))
_CALLED = Query(
    select(teams.c.team_id).where(
        *_THEIR_TEAMS, teams.c.name == bindparam("called"), teams.c.team_id != bindparam("team")
    )
)
_RENAME_TEAM = Query(update(teams).where(*_ONE_TEAM).values(name=bindparam("called")))
_ARCHIVE_TEAM = Query(update(teams).where(*_ONE_TEAM).values(archived_at=bindparam("at")))
_HOW_MANY_TEAMS = Query(select(func.count()).where(*_THEIR_TEAMS))
_HOW_MANY_PROJECTS = Query(select(func.count()).where(*_THEIR_PROJECTS))
_ADD_PROJECT = Query(insert_or_not(projects).on_conflict_do_nothing())
_PROJECTS = Query(select(*_PROJECT).where(*_THEIR_PROJECTS).order_by(projects.c.created_at, projects.c.project_id))
_FIND_PROJECT = Query(select(*_PROJECT).where(*_ONE_PROJECT))
_RENAME_PROJECT = Query(update(projects).where(*_ONE_PROJECT).values(name=bindparam("called")))
_ARCHIVE_PROJECT = Query(update(projects).where(*_ONE_PROJECT).values(archived_at=bindparam("at")))
_ARCHIVE_PROJECTS = Query(
    update(projects)
    .where(*_THEIR_PROJECTS, projects.c.team_id == bindparam("team"))
    .values(archived_at=bindparam("at"))
)


class SqlTeams:
    """`ports.teams.Teams`. Writes are durable on return; `keys_changed` is told of revoked keys."""

    def __init__(self, writer: Writing, readers: Reading, *, keys_changed: Callable[[], Awaitable[None]]) -> None:
        self._writer = writer
        self._readers = readers
        self._keys_changed = keys_changed

    async def add_team(self, team: Team, *, most: int | None = None) -> None:
        """Store a team. Raises `Conflict` when the organization has one of that name, or `most` of them."""
        await self._writer.perform(partial(_add_team, team, most))

    async def teams(self, account_id: str) -> Sequence[Team]:
        """All teams, oldest first."""
        rows = await self._readers.read_of(account_id, lambda reading: reading.rows(_TEAMS, {"account": account_id}))
        return [_team(row) for row in rows]

    async def rename_team(self, account_id: str, team_id: str, name: str) -> Team:
        """Call a team otherwise. Raises `NotFound`, `Conflict` when the organization has one of that name."""
        return await self._writer.perform(partial(_rename_team, account_id, team_id, name))

    async def archive_team(self, account_id: str, team_id: str, at: datetime) -> Archived:
        """Delete a team with its projects. Raises `NotFound`."""
        archived = await self._writer.perform(partial(_archive_team, account_id, team_id, at))
        await self._keys_changed()
        return archived

    async def add_project(self, project: Project, *, most: int | None = None) -> None:
        """Store a project. Raises `NotFound` without such a team.

        Raises `Conflict` when there is, or was, one of that id, or there are `most` of them.
        """
        await self._writer.perform(partial(_add_project, project, most))

    async def projects(self, account_id: str) -> Sequence[Project]:
        """All projects, oldest first."""
        rows = await self._readers.read_of(account_id, lambda reading: reading.rows(_PROJECTS, {"account": account_id}))
        return [_project(row) for row in rows]

    async def rename_project(self, account_id: str, project_id: str, name: str) -> Project:
        """Call a project otherwise. Raises `NotFound`."""
        return await self._writer.perform(partial(_rename_project, account_id, project_id, name))

    async def archive_project(self, account_id: str, project_id: str, at: datetime) -> Archived:
        """Delete a project. Raises `NotFound`."""
        archived = await self._writer.perform(partial(_archive_project, account_id, project_id, at))
        await self._keys_changed()
        return archived


def _add_team(team: Team, most: int | None, transaction: Transaction) -> None:
    transaction.alone(_CHANGES)
    of = {"account": team.account_id}
    refuse_full(transaction, _HOW_MANY_TEAMS, of, most=most, told=_FULL.format("teams"))
    row: Parameters = {
        "team_id": team.team_id,
        "account_id": team.account_id,
        "name": team.name,
        "created_at": to_micros(team.created_at),
        "archived_at": None,
    }
    if not transaction.change(_ADD_TEAM, row):
        raise Conflict(_TEAM_TAKEN)


def _rename_team(account_id: str, team_id: str, name: str, transaction: Transaction) -> Team:
    transaction.alone(_CHANGES)
    own: Parameters = {"account": account_id, "team": team_id}
    if transaction.row(_CALLED, {**own, "called": name}) is not None:
        raise Conflict(_TEAM_TAKEN)
    transaction.change(_RENAME_TEAM, {**own, "called": name})
    row = transaction.row(_FIND_TEAM, own)
    if row is None:
        raise NotFound(_NO_TEAM)
    return _team(row)


def _archive_team(account_id: str, team_id: str, at: datetime, transaction: Transaction) -> Archived:
    transaction.alone(_CHANGES)
    own: Parameters = {"account": account_id, "team": team_id, "at": to_micros(at)}
    if not transaction.change(_ARCHIVE_TEAM, own):
        raise NotFound(_NO_TEAM)
    ended = transaction.change(_ARCHIVE_PROJECTS, own)
    return Archived(ended, key_rows.revoke_of(transaction, account_id, Holder(HolderKind.TEAM, team_id), at))


def _add_project(project: Project, most: int | None, transaction: Transaction) -> None:
    transaction.alone(_CHANGES)
    of = {"account": project.account_id}
    refuse_full(transaction, _HOW_MANY_PROJECTS, of, most=most, told=_FULL.format("projects"))
    team: Parameters = {"account": project.account_id, "team": project.team_id}
    if project.team_id is not None and transaction.row(_FIND_TEAM, team) is None:
        raise NotFound(_NO_TEAM)
    row: Parameters = {
        "account_id": project.account_id,
        "project_id": project.project_id,
        "team_id": project.team_id,
        "created_at": to_micros(project.created_at),
        "name": project.name,
        "archived_at": None,
    }
    if not transaction.change(_ADD_PROJECT, row):
        raise Conflict("This organization has, or had, a project of that id: what was spent stays counted under it.")


def _rename_project(account_id: str, project_id: str, name: str, transaction: Transaction) -> Project:
    own: Parameters = {"account": account_id, "project": project_id}
    transaction.change(_RENAME_PROJECT, {**own, "called": name})
    row = transaction.row(_FIND_PROJECT, own)
    if row is None:
        raise NotFound(_NO_PROJECT)
    return _project(row)


def _archive_project(account_id: str, project_id: str, at: datetime, transaction: Transaction) -> Archived:
    transaction.alone(_CHANGES)
    own: Parameters = {"account": account_id, "project": project_id, "at": to_micros(at)}
    if not transaction.change(_ARCHIVE_PROJECT, own):
        raise NotFound(_NO_PROJECT)
    return Archived(1, key_rows.revoke_of(transaction, account_id, Holder(HolderKind.PROJECT, project_id), at))


def _team(row: Row) -> Team:
    team_id, owner, name, at = row
    return Team(team_id, owner, name, from_micros(at))


def _project(row: Row) -> Project:
    owner, project_id, team_id, at, name = row
    return Project(owner, project_id, team_id, from_micros(at), name)
