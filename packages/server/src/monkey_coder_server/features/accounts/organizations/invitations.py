"""Invitations by mail: each good once, for some days, for who has the address and nobody else."""

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from monkey_coder_server.domain.errors import Conflict, Forbidden, NotFound
from monkey_coder_server.domain.roles import SCOPES_OF, Role, may_give
from monkey_coder_server.features.accounts import throttles
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.letters import Letter
from monkey_coder_server.features.accounts.organizations.people import MOST_MEMBERS, refuse_crowd, refuse_more
from monkey_coder_server.features.accounts.policy import checked_address
from monkey_coder_server.ports.organizations import Membership, Organization
from monkey_coder_server.ports.record import Record
from monkey_coder_server.ports.tickets import Ticket, digest_of
from monkey_coder_server.web.principal import Principal
from monkey_coder_server.web.request import Request

PURPOSE = "join an organization"
LIFETIME = timedelta(days=7)
MOST_OPEN = 200
_NONE = "There is no such invitation: it was answered or withdrawn, or has expired. Ask for a new one."
_GONE = NotFound("This organization has no open invitation of that id.")


class Terms(Record, frozen=True):
    """What an invitation says; kept as JSON with its ticket."""

    invitation_id: str
    email: str
    role: Role
    invited_by: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open one."""

    ticket: Ticket
    terms: Terms


_terms = msgspec.json.Decoder(Terms)


async def invite(
    use: Dependencies, request: Request, organization: Organization, *, email: str, role: Role
) -> Invitation:
    """Send an invitation; one that was open for the address is good no more.

    Raises `InvalidRequest`, `Forbidden`, `Conflict`, `RateLimited`.
    """
    principal = request.principal
    refuse_more(principal, role)
    address = checked_address(email)
    await refuse_crowd(use, organization.account_id)
    await throttles.count_invitation(use, inviter=principal.user_id, email=address, client_ip=request.client_ip)
    for each in await open_ones(use, organization.account_id):
        if each.terms.email.casefold() == address.casefold():
            await use.tickets.redeem(each.ticket.digest, PURPOSE, use.clock.now())
    token = use.random_text()
    terms = Terms(use.ids.new("inv"), address, role, principal.user_id)
    details = msgspec.json.encode(terms).decode()
    ticket = Ticket(digest_of(token), PURPOSE, organization.account_id, use.clock.now() + LIFETIME, details)
    if not await use.tickets.issue_one_of(ticket, MOST_OPEN, use.clock.now()):
        message = f"This organization has {MOST_OPEN} open invitations, which is the most; withdraw some first."
        raise Conflict(message)
    use.letters.send(address, _letter(organization, terms, token))
    return Invitation(ticket, terms)


async def open_ones(use: Dependencies, account_id: str) -> list[Invitation]:
    """The open invitations of an organization, those that expire first first."""
    found = await use.tickets.of_subject(PURPOSE, account_id, use.clock.now())
    return [Invitation(ticket, _terms.decode(ticket.details)) for ticket in found]


async def withdraw(use: Dependencies, account_id: str, invitation_id: str) -> Terms:
    """Make an invitation useless. Raises `NotFound`."""
    for each in await open_ones(use, account_id):
        if each.terms.invitation_id == invitation_id:
            if await use.tickets.redeem(each.ticket.digest, PURPOSE, use.clock.now()) is None:
                break
            return each.terms
    raise _GONE


async def accept(use: Dependencies, principal: Principal, token: str) -> Invitation:
    """Join. Raises `NotFound`, `Forbidden` for whose address is another, `Conflict` for a member."""
    invitation = await _for_caller(use, principal, token)
    terms, account_id, now = invitation.terms, invitation.ticket.subject, use.clock.now()
    inviter = await use.memberships.find(account_id, terms.invited_by)
    if inviter is None or not may_give(SCOPES_OF[inviter.role], terms.role):
        raise NotFound("Who sent this invitation could not send it any more; ask for a new one.")
    await refuse_crowd(use, account_id)
    if await use.tickets.redeem(invitation.ticket.digest, PURPOSE, now) is None:
        raise NotFound(_NONE)
    await use.organizations.add(Membership(account_id, principal.user_id, terms.role, now), most=MOST_MEMBERS)
    return invitation


async def decline(use: Dependencies, principal: Principal, token: str) -> Invitation:
    """Answer no. Raises `NotFound`, `Forbidden`."""
    invitation = await _for_caller(use, principal, token)
    if await use.tickets.redeem(invitation.ticket.digest, PURPOSE, use.clock.now()) is None:
        raise NotFound(_NONE)
    return invitation


async def _for_caller(use: Dependencies, principal: Principal, token: str) -> Invitation:
    ticket = await use.tickets.find(digest_of(token), PURPOSE, use.clock.now())
    if ticket is None:
        raise NotFound(_NONE)
    terms, user = _terms.decode(ticket.details), await use.accounts.by_id(principal.user_id)
    if user is None or user.email.casefold() != terms.email.casefold():
        raise Forbidden("This invitation is for another address: log in with the one it was sent to.")
    return Invitation(ticket, terms)


def _letter(organization: Organization, terms: Terms, token: str) -> Letter:
    return Letter(
        subject=f"Join {organization.name} on Monkey Coder",
        paragraphs=(
            f"You are invited to the organization {organization.name} as {terms.role.value}.",
            f"Log in with this address, or register it, and accept the invitation with this code: {token}",
        ),
        closing=(
            f"The code is good once, for {LIFETIME.days} days, and only for this address.",
            "`monkey orgs accept` asks for it. POST /v1/invitations/accept takes it as `token`, and so does …/decline.",
            "If you expected no invitation, there is nothing you need to do.",
        ),
    )
