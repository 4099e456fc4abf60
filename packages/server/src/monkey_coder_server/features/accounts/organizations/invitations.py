"""Invitations by mail: each good once, for some days, for who has the address and nobody else."""

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from monkey_coder_server.domain.errors import Conflict, Forbidden, NotFound
from monkey_coder_server.domain.roles import SCOPES_OF, Role, may_give
from monkey_coder_server.features.accounts import throttles
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.letters import Letter, Link
from monkey_coder_server.features.accounts.organizations.people import MOST_MEMBERS, refuse_crowd, refuse_more
from monkey_coder_server.features.accounts.policy import checked_address
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.organizations import Membership, Organization
from monkey_coder_server.ports.record import Record
from monkey_coder_server.ports.tickets import Ticket, digest_of
from monkey_coder_server.web.request import Request

PURPOSE, PAGE = "join an organization", "/invitation"
LIFETIME = timedelta(days=7)
MOST_OPEN = 200
_NONE = "There is no such invitation: it was answered or withdrawn, or has expired. Ask for a new one."
_LAPSED = "Who sent this invitation could not send it any more; ask for a new one."
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


@dataclass(frozen=True, slots=True)
class Offer:
    """An open one with whose it is: the organization, and who sent it."""

    invitation: Invitation
    organization: Organization
    inviter: User


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
    inviter = await use.accounts.by_id(principal.user_id)
    use.letters.send(address, _letter(organization, terms, inviter, token))
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


async def offer(use: Dependencies, token: str) -> Offer:
    """What an invitation offers. Raises `NotFound`, also for one that its sender could not send any more."""
    ticket = await use.tickets.find(digest_of(token), PURPOSE, use.clock.now())
    if ticket is None:
        raise NotFound(_NONE)
    terms = _terms.decode(ticket.details)
    organization = await use.organizations.find(ticket.subject)
    inviter = await use.accounts.by_id(terms.invited_by)
    membership = await use.memberships.find(ticket.subject, terms.invited_by)
    if organization is None or inviter is None or membership is None:
        raise NotFound(_LAPSED)
    if not may_give(SCOPES_OF[membership.role], terms.role):
        raise NotFound(_LAPSED)
    return Offer(Invitation(ticket, terms), organization, inviter)


async def accept(use: Dependencies, user_id: str, token: str) -> Offer:
    """Join. Raises `NotFound`, `Forbidden` for whose address is another, `Conflict` for a member."""
    offered, now = await offer(use, token), use.clock.now()
    invitation = await _for_caller(use, user_id, offered.invitation.ticket)
    account_id = offered.organization.account_id
    await refuse_crowd(use, account_id)
    if await use.tickets.redeem(invitation.ticket.digest, PURPOSE, now) is None:
        raise NotFound(_NONE)
    await use.organizations.add(Membership(account_id, user_id, invitation.terms.role, now), most=MOST_MEMBERS)
    return offered


async def decline(use: Dependencies, user_id: str, token: str) -> Invitation:
    """Answer no. Raises `NotFound`, `Forbidden`."""
    ticket = await use.tickets.find(digest_of(token), PURPOSE, use.clock.now())
    if ticket is None:
        raise NotFound(_NONE)
    invitation = await _for_caller(use, user_id, ticket)
    if await use.tickets.redeem(ticket.digest, PURPOSE, use.clock.now()) is None:
        raise NotFound(_NONE)
    return invitation


def meant(terms: Terms, user: User) -> bool:
    """Whether an invitation is for this person."""
    return user.email.casefold() == terms.email.casefold()


async def _for_caller(use: Dependencies, user_id: str, ticket: Ticket) -> Invitation:
    terms, user = _terms.decode(ticket.details), await use.accounts.by_id(user_id)
    if user is None or not meant(terms, user):
        raise Forbidden("This invitation is for another address: log in with the one it was sent to.")
    return Invitation(ticket, terms)


def _letter(organization: Organization, terms: Terms, inviter: User | None, token: str) -> Letter:
    sender = "Somebody" if inviter is None or inviter.is_service else inviter.email
    return Letter(
        subject=f"Join {organization.name} on Monkey Coder",
        paragraphs=(f"{sender} invites you to the organization {organization.name} as {terms.role.value}.",),
        link=Link("See the invitation", f"{PAGE}?token={token}"),
        closing=(
            f"It is good once, for {LIFETIME.days} days, and for this address alone. Log in there, or make an account.",
            f"Or accept it in a terminal: `monkey orgs accept` asks for this code: {token}",
            "If you expected no invitation, there is nothing you need to do.",
        ),
    )
