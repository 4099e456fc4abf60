"""Teams, projects and organizations called otherwise, and deleted with their keys."""

import msgspec

from monkey_coder_protocol import organizations as wire
from monkey_coder_protocol.auth import Message
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.scopes import EVERYTHING, ORGANIZATION_MANAGE
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.organizations import invitations
from monkey_coder_server.features.accounts.organizations.audit import Notes
from monkey_coder_server.features.accounts.organizations.people import checked_name, organization_of
from monkey_coder_server.features.accounts.organizations.team_routes import shown_project, shown_team
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_ONE = "/v1/organizations/{organization_id}"
_TEAM = f"{_ONE}/teams/{{team_id}}"
_PROJECT = f"{_ONE}/projects/{{project_id}}"
_team = msgspec.json.Decoder(wire.ChangeTeam)
_project = msgspec.json.Decoder(wire.ChangeProject)


class ClosingRoutes:
    """The endpoints. What is deleted ends for everybody at once; the books, and the audit trail, keep it."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use
        self._note = Notes(use).add

    def routes(self) -> tuple[Route, ...]:
        """Every route that renames or deletes. An organization is its owners' to delete."""
        manage, proof = ORGANIZATION_MANAGE, Action.ORGANIZATION
        return (
            Route(
                "PATCH",
                _TEAM,
                self.rename_team,
                scope=manage,
                action="team.change",
                takes=wire.ChangeTeam,
                gives=wire.TeamInfo,
            ),
            Route("DELETE", _TEAM, self.delete_team, scope=manage, action="team.delete", confirm=proof, gives=Message),
            Route(
                "PATCH",
                _PROJECT,
                self.rename_project,
                scope=manage,
                action="project.change",
                takes=wire.ChangeProject,
                gives=wire.ProjectInfo,
            ),
            Route(
                "DELETE",
                _PROJECT,
                self.delete_project,
                scope=manage,
                action="project.delete",
                confirm=proof,
                gives=Message,
            ),
            Route(
                "DELETE",
                _ONE,
                self.delete_organization,
                auth="session",
                scope=EVERYTHING,
                action="organization.delete",
                confirm=proof,
                gives=Message,
            ),
        )

    async def rename_team(self, request: Request) -> Reply:
        """Another name for a team."""
        wish = await json_body(request, _team)
        account_id, team_id = await self._account(request), request.parameters["team_id"]
        team = await self._use.teams.rename_team(account_id, team_id, checked_name(wish.name))
        await self._note(request, "team.change", team_id, team.name)
        return json_reply(shown_team(team))

    async def delete_team(self, request: Request) -> Reply:
        """End a team with its projects; their keys are revoked."""
        account_id, team_id = await self._account(request), request.parameters["team_id"]
        ended = await self._use.teams.archive_team(account_id, team_id, self._use.clock.now())
        told = f"{_counted(ended.projects, 'project')}, {_counted(ended.keys, 'key')}"
        await self._note(request, "team.delete", team_id, told)
        return json_reply(Message(f"The team was deleted, and with it {told}."))

    async def rename_project(self, request: Request) -> Reply:
        """Another name for a project; its id stays."""
        wish = await json_body(request, _project)
        account_id, project_id = await self._account(request), request.parameters["project_id"]
        project = await self._use.teams.rename_project(account_id, project_id, checked_name(wish.name))
        await self._note(request, "project.change", project_id, project.name)
        return json_reply(shown_project(project))

    async def delete_project(self, request: Request) -> Reply:
        """End a project; its keys are revoked."""
        account_id, project_id = await self._account(request), request.parameters["project_id"]
        ended = await self._use.teams.archive_project(account_id, project_id, self._use.clock.now())
        told = _counted(ended.keys, "key")
        await self._note(request, "project.delete", project_id, told)
        return json_reply(Message(f"The project was deleted, and with it {told}."))

    async def delete_organization(self, request: Request) -> Reply:
        """End an organization without credit: its keys are revoked, and nobody belongs to it any more."""
        use, organization = self._use, await organization_of(self._use, request.principal)
        account_id = organization.account_id
        keys = await use.organizations.archive(account_id, use.clock.now(), invitations=invitations.PURPOSE)
        told = _counted(keys, "key")
        await self._note(request, "organization.delete", account_id, f"{organization.name}, {told}")
        return json_reply(Message(f"The organization was deleted, and with it {told}."))

    async def _account(self, request: Request) -> str:
        return (await organization_of(self._use, request.principal)).account_id


def _counted(count: int, called: str) -> str:
    return f"{count} {called}" if count == 1 else f"{count} {called}s"
