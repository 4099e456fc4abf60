"""`client.organizations`, sync and async: they only name the prepared calls."""

from monkey_coder import _organization_calls as calls
from monkey_coder._accounts import AsyncCaller, Caller
from monkey_coder_protocol import auth
from monkey_coder_protocol import organizations as wire


class Organizations:
    """Accounts that several people act for: with the token of a session, or a key of the organization.

    `confirmation` is what `mfa.confirm("organization", …)` gave; a session younger than five minutes needs none.
    """

    def __init__(self, client: Caller) -> None:
        self._client = client

    def list(self) -> wire.OrganizationList:
        """The organizations of the person. Takes the token of a session, no key."""
        return self._client.call(calls.list_mine())

    def create(self, name: str) -> wire.OrganizationInfo:
        """Make one, and be its first owner. Takes the token of a session, no key."""
        return self._client.call(calls.create(name))

    def get(self, organization_id: str) -> wire.OrganizationInfo:
        """One organization."""
        return self._client.call(calls.get(organization_id))

    def change(self, organization_id: str, changes: wire.ChangeOrganization) -> wire.OrganizationInfo:
        """Call it otherwise, or say whether a second factor is required."""
        return self._client.call(calls.change(organization_id, changes))

    def delete(self, organization_id: str, *, confirmation: str | None = None) -> auth.Message:
        """Delete one that has no credit. Takes the token of an owner's session, no key."""
        return self._client.call(calls.delete(organization_id, confirmation))

    def leave(self, organization_id: str) -> auth.Message:
        """Go; the keys the person had in it end."""
        return self._client.call(calls.leave(organization_id))

    def members(self, organization_id: str) -> wire.MemberList:
        """Everybody in it."""
        return self._client.call(calls.members(organization_id))

    def change_member(self, organization_id: str, user_id: str, role: str) -> auth.Message:
        """Give a member another role."""
        return self._client.call(calls.change_member(organization_id, user_id, role))

    def remove_member(self, organization_id: str, user_id: str) -> auth.Message:
        """Take a member out; the keys they had in it end."""
        return self._client.call(calls.remove_member(organization_id, user_id))

    def create_service_account(self, organization_id: str, name: str, role: str) -> wire.MemberInfo:
        """A member for machines: keys, and no log-in."""
        return self._client.call(calls.create_service_account(organization_id, name, role))

    def create_key(self, organization_id: str, key: str | auth.CreateKeyRequest) -> auth.CreatedKey:
        """Make a key of the organization. The answer is the only place that shows its secret."""
        return self._client.call(calls.create_key(organization_id, key))

    def policy(self, organization_id: str, key_id: str) -> wire.KeyPolicy:
        """What limits and rules of all levels come to for a key."""
        return self._client.call(calls.policy(organization_id, key_id))

    def invitations(self, organization_id: str) -> wire.InvitationList:
        """Invitations that nobody has answered yet."""
        return self._client.call(calls.invitations(organization_id))

    def invite(self, organization_id: str, email: str, role: str) -> wire.InvitationInfo:
        """Invite somebody by mail."""
        return self._client.call(calls.invite(organization_id, email, role))

    def withdraw(self, organization_id: str, invitation_id: str) -> auth.Message:
        """Take an invitation back."""
        return self._client.call(calls.withdraw(organization_id, invitation_id))

    def accept(self, token: str) -> auth.Message:
        """Join by the code of a mail. Takes the token of a session, no key."""
        return self._client.call(calls.answer("accept", token))

    def decline(self, token: str) -> auth.Message:
        """Answer no. Takes the token of a session, no key."""
        return self._client.call(calls.answer("decline", token))

    def teams(self, organization_id: str) -> wire.TeamList:
        """Its teams."""
        return self._client.call(calls.teams(organization_id))

    def create_team(self, organization_id: str, name: str) -> wire.TeamInfo:
        """A new team."""
        return self._client.call(calls.create_team(organization_id, name))

    def rename_team(self, organization_id: str, team_id: str, name: str) -> wire.TeamInfo:
        """Call a team otherwise."""
        return self._client.call(calls.rename_team(organization_id, team_id, name))

    def delete_team(self, organization_id: str, team_id: str, *, confirmation: str | None = None) -> auth.Message:
        """Delete a team with its projects and their keys."""
        return self._client.call(calls.delete_team(organization_id, team_id, confirmation))

    def projects(self, organization_id: str) -> wire.ProjectList:
        """Its projects."""
        return self._client.call(calls.projects(organization_id))

    def create_project(self, organization_id: str, project: str | wire.CreateProject) -> wire.ProjectInfo:
        """A new project, by its id, or with a team or a name."""
        return self._client.call(calls.create_project(organization_id, project))

    def rename_project(self, organization_id: str, project_id: str, name: str) -> wire.ProjectInfo:
        """Call a project otherwise; its id stays."""
        return self._client.call(calls.rename_project(organization_id, project_id, name))

    def delete_project(self, organization_id: str, project_id: str, *, confirmation: str | None = None) -> auth.Message:
        """Delete a project with its keys."""
        return self._client.call(calls.delete_project(organization_id, project_id, confirmation))

    def limits(self, organization_id: str) -> wire.LimitList:
        """Every limit in it, as it stands."""
        return self._client.call(calls.limits(organization_id))

    def set_limit(self, organization_id: str, limit: wire.SetLimit) -> wire.LimitList:
        """Set a limit of a level, or take it back."""
        return self._client.call(calls.set_limit(organization_id, limit))

    def rates(self, organization_id: str) -> wire.RateList:
        """Every rate in it: requests and tokens a minute, requests at once."""
        return self._client.call(calls.rates(organization_id))

    def set_rates(self, organization_id: str, rate: wire.SetRate) -> wire.RateList:
        """Set rates of a holder, or take them back with null."""
        return self._client.call(calls.set_rates(organization_id, rate))

    def model_rules(self, organization_id: str) -> wire.ModelRuleList:
        """What its levels say of models."""
        return self._client.call(calls.model_rules(organization_id))

    def set_model_rule(self, organization_id: str, rule: wire.SetModelRule) -> wire.ModelRuleList:
        """Say what a level says of models, in place of what it said before."""
        return self._client.call(calls.set_model_rule(organization_id, rule))


class AsyncOrganizations:
    """The same, asynchronously."""

    def __init__(self, client: AsyncCaller) -> None:
        self._client = client

    async def list(self) -> wire.OrganizationList:
        """The organizations of the person. Takes the token of a session, no key."""
        return await self._client.call(calls.list_mine())

    async def create(self, name: str) -> wire.OrganizationInfo:
        """Make one, and be its first owner. Takes the token of a session, no key."""
        return await self._client.call(calls.create(name))

    async def get(self, organization_id: str) -> wire.OrganizationInfo:
        """One organization."""
        return await self._client.call(calls.get(organization_id))

    async def change(self, organization_id: str, changes: wire.ChangeOrganization) -> wire.OrganizationInfo:
        """Call it otherwise, or say whether a second factor is required."""
        return await self._client.call(calls.change(organization_id, changes))

    async def delete(self, organization_id: str, *, confirmation: str | None = None) -> auth.Message:
        """Delete one that has no credit. Takes the token of an owner's session, no key."""
        return await self._client.call(calls.delete(organization_id, confirmation))

    async def leave(self, organization_id: str) -> auth.Message:
        """Go; the keys the person had in it end."""
        return await self._client.call(calls.leave(organization_id))

    async def members(self, organization_id: str) -> wire.MemberList:
        """Everybody in it."""
        return await self._client.call(calls.members(organization_id))

    async def change_member(self, organization_id: str, user_id: str, role: str) -> auth.Message:
        """Give a member another role."""
        return await self._client.call(calls.change_member(organization_id, user_id, role))

    async def remove_member(self, organization_id: str, user_id: str) -> auth.Message:
        """Take a member out; the keys they had in it end."""
        return await self._client.call(calls.remove_member(organization_id, user_id))

    async def create_service_account(self, organization_id: str, name: str, role: str) -> wire.MemberInfo:
        """A member for machines: keys, and no log-in."""
        return await self._client.call(calls.create_service_account(organization_id, name, role))

    async def create_key(self, organization_id: str, key: str | auth.CreateKeyRequest) -> auth.CreatedKey:
        """Make a key of the organization. The answer is the only place that shows its secret."""
        return await self._client.call(calls.create_key(organization_id, key))

    async def policy(self, organization_id: str, key_id: str) -> wire.KeyPolicy:
        """What limits and rules of all levels come to for a key."""
        return await self._client.call(calls.policy(organization_id, key_id))

    async def invitations(self, organization_id: str) -> wire.InvitationList:
        """Invitations that nobody has answered yet."""
        return await self._client.call(calls.invitations(organization_id))

    async def invite(self, organization_id: str, email: str, role: str) -> wire.InvitationInfo:
        """Invite somebody by mail."""
        return await self._client.call(calls.invite(organization_id, email, role))

    async def withdraw(self, organization_id: str, invitation_id: str) -> auth.Message:
        """Take an invitation back."""
        return await self._client.call(calls.withdraw(organization_id, invitation_id))

    async def accept(self, token: str) -> auth.Message:
        """Join by the code of a mail. Takes the token of a session, no key."""
        return await self._client.call(calls.answer("accept", token))

    async def decline(self, token: str) -> auth.Message:
        """Answer no. Takes the token of a session, no key."""
        return await self._client.call(calls.answer("decline", token))

    async def teams(self, organization_id: str) -> wire.TeamList:
        """Its teams."""
        return await self._client.call(calls.teams(organization_id))

    async def create_team(self, organization_id: str, name: str) -> wire.TeamInfo:
        """A new team."""
        return await self._client.call(calls.create_team(organization_id, name))

    async def rename_team(self, organization_id: str, team_id: str, name: str) -> wire.TeamInfo:
        """Call a team otherwise."""
        return await self._client.call(calls.rename_team(organization_id, team_id, name))

    async def delete_team(self, organization_id: str, team_id: str, *, confirmation: str | None = None) -> auth.Message:
        """Delete a team with its projects and their keys."""
        return await self._client.call(calls.delete_team(organization_id, team_id, confirmation))

    async def projects(self, organization_id: str) -> wire.ProjectList:
        """Its projects."""
        return await self._client.call(calls.projects(organization_id))

    async def create_project(self, organization_id: str, project: str | wire.CreateProject) -> wire.ProjectInfo:
        """A new project, by its id, or with a team or a name."""
        return await self._client.call(calls.create_project(organization_id, project))

    async def rename_project(self, organization_id: str, project_id: str, name: str) -> wire.ProjectInfo:
        """Call a project otherwise; its id stays."""
        return await self._client.call(calls.rename_project(organization_id, project_id, name))

    async def delete_project(
        self, organization_id: str, project_id: str, *, confirmation: str | None = None
    ) -> auth.Message:
        """Delete a project with its keys."""
        return await self._client.call(calls.delete_project(organization_id, project_id, confirmation))

    async def limits(self, organization_id: str) -> wire.LimitList:
        """Every limit in it, as it stands."""
        return await self._client.call(calls.limits(organization_id))

    async def set_limit(self, organization_id: str, limit: wire.SetLimit) -> wire.LimitList:
        """Set a limit of a level, or take it back."""
        return await self._client.call(calls.set_limit(organization_id, limit))

    async def rates(self, organization_id: str) -> wire.RateList:
        """Every rate in it: requests and tokens a minute, requests at once."""
        return await self._client.call(calls.rates(organization_id))

    async def set_rates(self, organization_id: str, rate: wire.SetRate) -> wire.RateList:
        """Set rates of a holder, or take them back with null."""
        return await self._client.call(calls.set_rates(organization_id, rate))

    async def model_rules(self, organization_id: str) -> wire.ModelRuleList:
        """What its levels say of models."""
        return await self._client.call(calls.model_rules(organization_id))

    async def set_model_rule(self, organization_id: str, rule: wire.SetModelRule) -> wire.ModelRuleList:
        """Say what a level says of models, in place of what it said before."""
        return await self._client.call(calls.set_model_rule(organization_id, rule))
