"""Teams and projects of organizations, and what they rule on models."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from monkey_coder_server.domain.model_rules import ModelRule


@dataclass(frozen=True, slots=True)
class Team:
    """Some projects of an organization under one roof."""

    team_id: str
    account_id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Project:
    """What keys are made for. It is of one team, or of none, for good: what was spent stays where it was counted.

    `name` is what people call it; the id, which keys and books name, stays.
    """

    account_id: str
    project_id: str
    team_id: str | None
    created_at: datetime
    name: str = ""


class Archived(NamedTuple):
    """What ended with a team or a project."""

    projects: int
    keys: int


class Teams(Protocol):
    """Teams and projects by their organization. What is deleted is listed no more; its rows stay for the books.

    Keys of what is deleted are revoked with it. Its limits and rules stay where they are and are shown no more: they
    bind its last requests until every process knows of the revocation.
    """

    async def add_team(self, team: Team, *, most: int | None = None) -> None:
        """Store a team. Raises `Conflict` when the organization has one of that name, or `most` of them."""

    async def teams(self, account_id: str) -> Sequence[Team]:
        """All teams, oldest first."""

    async def rename_team(self, account_id: str, team_id: str, name: str) -> Team:
        """Call a team otherwise. Raises `NotFound`, `Conflict` when the organization has one of that name."""

    async def archive_team(self, account_id: str, team_id: str, at: datetime) -> Archived:
        """Delete a team with its projects. Raises `NotFound`."""

    async def add_project(self, project: Project, *, most: int | None = None) -> None:
        """Store a project. Raises `NotFound` without such a team.

        Raises `Conflict` when there is, or was, one of that id, or there are `most` of them.
        """

    async def projects(self, account_id: str) -> Sequence[Project]:
        """All projects, oldest first."""

    async def rename_project(self, account_id: str, project_id: str, name: str) -> Project:
        """Call a project otherwise. Raises `NotFound`."""

    async def archive_project(self, account_id: str, project_id: str, at: datetime) -> Archived:
        """Delete a project. Raises `NotFound`."""


class ModelRules(Protocol):
    """What is ruled on models. `standing` reads memory; changes of other processes are seen within ten seconds."""

    async def put(self, account_id: str, rule: ModelRule) -> None:
        """Set the rule of a holder in place of the one it had; one that says nothing is none."""

    async def rules(self, account_id: str) -> Sequence[ModelRule]:
        """Every rule of an account."""

    def standing(
        self, account_id: str, *, key_id: str = "", project_id: str | None = None, team_id: str | None = None
    ) -> tuple[ModelRule, ...]:
        """The rules that count for a request, the widest first."""
