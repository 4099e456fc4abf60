"""`/v1/organizations/…/invitations` for who invites, `/v1/invitations` for who is invited."""

import msgspec

from monkey_coder_protocol import organizations as wire
from monkey_coder_protocol.auth import Message
from monkey_coder_server.domain.scopes import ORGANIZATION_MANAGE
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.organizations import invitations
from monkey_coder_server.features.accounts.organizations.audit import Notes
from monkey_coder_server.features.accounts.organizations.people import checked_role, organization_of
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_ALL = "/v1/organizations/{organization_id}/invitations"
_invite = msgspec.json.Decoder(wire.Invite)
_answer = msgspec.json.Decoder(wire.InvitationAnswer)


class InvitationRoutes:
    """The endpoints of both sides."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use
        self._note = Notes(use).add

    def routes(self) -> tuple[Route, ...]:
        """Every route of invitations."""
        return (
            Route("GET", _ALL, self.list_open, scope=ORGANIZATION_MANAGE, gives=wire.InvitationList),
            Route(
                "POST",
                _ALL,
                self.invite,
                scope=ORGANIZATION_MANAGE,
                once=True,
                action="invitation.send",
                takes=wire.Invite,
                gives=wire.InvitationInfo,
            ),
            Route(
                "DELETE",
                f"{_ALL}/{{invitation_id}}",
                self.withdraw,
                scope=ORGANIZATION_MANAGE,
                action="invitation.withdraw",
                gives=Message,
            ),
            Route(
                "POST",
                "/v1/invitations/accept",
                self.accept,
                auth="session",
                action="invitation.accept",
                takes=wire.InvitationAnswer,
                gives=Message,
            ),
            Route(
                "POST",
                "/v1/invitations/decline",
                self.decline,
                auth="session",
                action="invitation.decline",
                takes=wire.InvitationAnswer,
                gives=Message,
            ),
        )

    async def list_open(self, request: Request) -> Reply:
        """Invitations that nobody has answered yet."""
        await organization_of(self._use, request.principal)
        listed = [_shown(each) for each in await invitations.open_ones(self._use, request.principal.account_id)]
        return json_reply(wire.InvitationList(listed, len(listed)))

    async def invite(self, request: Request) -> Reply:
        """Invite somebody by mail."""
        wish = await json_body(request, _invite)
        organization, role = await organization_of(self._use, request.principal), checked_role(wish.role)
        sent = await invitations.invite(self._use, request, organization, email=wish.email, role=role)
        details = f"{sent.terms.email} as {role.value}"
        await self._note(request, "invitation.send", sent.terms.invitation_id, details)
        return json_reply(_shown(sent))

    async def withdraw(self, request: Request) -> Reply:
        """Take an invitation back."""
        terms = await invitations.withdraw(self._use, request.principal.account_id, request.parameters["invitation_id"])
        await self._note(request, "invitation.withdraw", terms.invitation_id, terms.email)
        return json_reply(Message("The invitation was withdrawn."))

    async def accept(self, request: Request) -> Reply:
        """Join the organization."""
        wish = await json_body(request, _answer)
        joined = await invitations.accept(self._use, request.principal.user_id, wish.token)
        await self._answered(request, "invitation.accept", joined.invitation)
        account_id = joined.organization.account_id
        return json_reply(Message(f"You are in; act for it with the header x-mk-organization: {account_id}"))

    async def decline(self, request: Request) -> Reply:
        """Answer no."""
        wish = await json_body(request, _answer)
        declined = await invitations.decline(self._use, request.principal.user_id, wish.token)
        await self._answered(request, "invitation.decline", declined)
        return json_reply(Message("The invitation was declined."))

    async def _answered(self, request: Request, action: str, invitation: invitations.Invitation) -> None:
        terms, account_id = invitation.terms, invitation.ticket.subject
        await self._note(request, action, terms.invitation_id, terms.role.value, account_id=account_id)


def _shown(invitation: invitations.Invitation) -> wire.InvitationInfo:
    terms = invitation.terms
    return wire.InvitationInfo(
        invitation_id=terms.invitation_id,
        email=terms.email,
        role=terms.role.value,
        invited_by=terms.invited_by,
        expires_at=invitation.ticket.expires_at.isoformat(),
    )
