"""`/v1/organizations`: made, shown and changed, with their members and service accounts."""

from dataclasses import replace

import msgspec

from monkey_coder_protocol import organizations as wire
from monkey_coder_protocol.auth import Message
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.domain.scopes import ORGANIZATION_MANAGE, ORGANIZATION_READ
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.organizations import people
from monkey_coder_server.features.accounts.organizations.audit import Notes
from monkey_coder_server.features.accounts.rights import role_of
from monkey_coder_server.ports.organizations import Membership, Organization
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

MOST_ORGANIZATIONS = 20
_create = msgspec.json.Decoder(wire.CreateOrganization)
_change = msgspec.json.Decoder(wire.ChangeOrganization)
_change_member = msgspec.json.Decoder(wire.ChangeMember)
_create_service = msgspec.json.Decoder(wire.CreateServiceAccount)
_ALL = "/v1/organizations"
_ONE = "/v1/organizations/{organization_id}"
_MEMBER = f"{_ONE}/members/{{user_id}}"


class OrganizationRoutes:
    """The endpoints. Those of one organization act for it: the role somebody has in it is what counts."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use
        self._note = Notes(use).add

    def routes(self) -> tuple[Route, ...]:
        """Every route of organizations and their members."""
        return (
            Route("GET", _ALL, self.list_mine, auth="session", gives=wire.OrganizationList),
            Route(
                "POST",
                _ALL,
                self.create,
                auth="session",
                once=True,
                action="organization.create",
                takes=wire.CreateOrganization,
                gives=wire.OrganizationInfo,
            ),
            Route("GET", _ONE, self.show, scope=ORGANIZATION_READ, gives=wire.OrganizationInfo),
            Route(
                "PATCH",
                _ONE,
                self.change,
                scope=ORGANIZATION_MANAGE,
                action="organization.change",
                takes=wire.ChangeOrganization,
                gives=wire.OrganizationInfo,
            ),
            Route(
                "POST",
                f"{_ONE}/leave",
                self.leave,
                auth="session",
                scope=ORGANIZATION_READ,
                action="member.leave",
                gives=Message,
            ),
            Route("GET", f"{_ONE}/members", self.members, scope=ORGANIZATION_READ, gives=wire.MemberList),
            Route(
                "PATCH",
                _MEMBER,
                self.change_member,
                scope=ORGANIZATION_MANAGE,
                action="member.role",
                takes=wire.ChangeMember,
                gives=Message,
            ),
            Route(
                "DELETE", _MEMBER, self.remove_member, scope=ORGANIZATION_MANAGE, action="member.remove", gives=Message
            ),
            Route(
                "POST",
                f"{_ONE}/service-accounts",
                self.create_service,
                scope=ORGANIZATION_MANAGE,
                once=True,
                action="service.create",
                takes=wire.CreateServiceAccount,
                gives=wire.MemberInfo,
            ),
        )

    async def list_mine(self, request: Request) -> Reply:
        """The organizations the caller belongs to."""
        found = await self._use.organizations.of_user(request.principal.user_id)
        listed = [_shown(organization, membership.role) for organization, membership in found]
        return json_reply(wire.OrganizationList(listed, len(listed)))

    async def create(self, request: Request) -> Reply:
        """A new organization with an empty wallet, owned by the caller."""
        wish = await json_body(request, _create)
        use, user_id = self._use, request.principal.user_id
        name = people.checked_name(wish.name)
        organization = Organization(use.ids.new("acc"), name, use.clock.now())
        owner = Membership(organization.account_id, user_id, Role.OWNER, organization.created_at)
        await use.organizations.create(organization, owner, most=MOST_ORGANIZATIONS)
        await use.ledger.open_wallet(organization.account_id)
        await self._note(
            request, "organization.create", organization.account_id, name, account_id=organization.account_id
        )
        return json_reply(_shown(organization, Role.OWNER))

    async def show(self, request: Request) -> Reply:
        """One organization."""
        return json_reply(
            _shown(
                await people.organization_of(self._use, request.principal), await role_of(self._use, request.principal)
            )
        )

    async def change(self, request: Request) -> Reply:
        """Another name, or whether a second factor is required."""
        wish = await json_body(request, _change)
        organization = await people.organization_of(self._use, request.principal)
        if wish.name is not msgspec.UNSET:
            organization = replace(organization, name=people.checked_name(wish.name))
        if wish.second_factor_required is not msgspec.UNSET:
            people.check_may_demand_factors(request.principal, wanted=wish.second_factor_required)
            organization = replace(organization, second_factor_required=wish.second_factor_required)
        await self._use.organizations.update(organization)
        await self._note(request, "organization.change", organization.account_id, _told(organization))
        return json_reply(_shown(organization, await role_of(self._use, request.principal)))

    async def leave(self, request: Request) -> Reply:
        """The caller goes."""
        await people.organization_of(self._use, request.principal)
        await people.leave(self._use, request.principal)
        await self._note(request, "member.leave", request.principal.user_id)
        return json_reply(Message("You left the organization; the keys you had in it are revoked."))

    async def members(self, request: Request) -> Reply:
        """Everybody in it."""
        await people.organization_of(self._use, request.principal)
        listed = [people.shown(each) for each in await self._use.organizations.members(request.principal.account_id)]
        return json_reply(wire.MemberList(listed, len(listed)))

    async def change_member(self, request: Request) -> Reply:
        """Another role for a member."""
        wish = await json_body(request, _change_member)
        role, user_id = people.checked_role(wish.role), request.parameters["user_id"]
        await people.change_role(self._use, request.principal, user_id, role)
        await self._note(request, "member.role", user_id, role.value)
        return json_reply(Message("The role was changed."))

    async def remove_member(self, request: Request) -> Reply:
        """Take a member out."""
        user_id = request.parameters["user_id"]
        await people.remove(self._use, request.principal, user_id)
        await self._note(request, "member.remove", user_id)
        return json_reply(Message("The member was removed; the keys they had here are revoked."))

    async def create_service(self, request: Request) -> Reply:
        """A user for machines."""
        wish = await json_body(request, _create_service)
        await people.organization_of(self._use, request.principal)
        role = people.checked_role(wish.role)
        made = await people.make_service(self._use, request.principal, name=wish.name, role=role)
        await self._note(request, "service.create", made.user.user_id, f"{role.value}, {made.user.name}")
        return json_reply(people.shown(made))


def _told(organization: Organization) -> str:
    return f"{organization.name}, second factor {'required' if organization.second_factor_required else 'optional'}"


def _shown(organization: Organization, role: Role) -> wire.OrganizationInfo:
    return wire.OrganizationInfo(
        organization_id=organization.account_id,
        name=organization.name,
        role=role.value,
        second_factor_required=organization.second_factor_required,
        created_at=organization.created_at.isoformat(),
    )
