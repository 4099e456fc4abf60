"""Who belongs to an organization and in which role."""

from monkey_coder_protocol.organizations import MemberInfo
from monkey_coder_server.domain.errors import Conflict, Forbidden, InvalidRequest, NotFound
from monkey_coder_server.domain.plans import DEFAULT_PLAN
from monkey_coder_server.domain.roles import Role, may_give
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.ports.accounts import SERVICE_ACCOUNT, User
from monkey_coder_server.ports.organizations import Change, Member, Membership, Organization
from monkey_coder_server.web.principal import Principal

SERVICE_DOMAIN = "service.invalid"
"""RFC 2606, section 2: no mail ever arrives there."""
MOST_MEMBERS = 1_000
LONGEST_NAME = 100


def checked_role(text: str) -> Role:
    """A role by its name. Raises `InvalidRequest`."""
    try:
        return Role(text)
    except ValueError as unknown:
        message = f"The field `role` must be one of {', '.join(Role)}."
        raise InvalidRequest(message) from unknown


def check_may_demand_factors(principal: Principal, *, wanted: bool) -> None:
    """Who demands a second factor of all has proved their own; only such a person lets it go. Raises `Forbidden`."""
    if not principal.second_factor:
        rule = "demanded of" if wanted else "waived for"
        message = f"A second factor is {rule} an organization by a person who logged in with theirs."
        raise Forbidden(message)


def checked_name(text: str) -> str:
    """A name as it is kept and shown. Raises `InvalidRequest`."""
    chosen = text.strip()
    if not chosen or len(chosen) > LONGEST_NAME or not chosen.isprintable():
        message = f"The field `name` must be 1 to {LONGEST_NAME} printable characters."
        raise InvalidRequest(message)
    return chosen


async def organization_of(use: Dependencies, principal: Principal) -> Organization:
    """The organization the caller acts for. Raises `NotFound` for an account of one's own, and for a deleted one."""
    found = await use.organizations.find(principal.account_id)
    if found is None or found.archived_at is not None:
        raise NotFound("This account is your own and no organization; GET /v1/organizations lists yours.")
    return found


def refuse_more(principal: Principal, role: Role) -> None:
    """Nobody gives a role that may do what they themselves may not. Raises `Forbidden`."""
    if not may_give(principal.scopes, role):
        message = f"The role `{role}` may do more than you, so only somebody who may do all of it can give it."
        raise Forbidden(message)


async def change_role(use: Dependencies, principal: Principal, user_id: str, role: Role) -> None:
    """Give a member another role. Raises `NotFound`, `Forbidden`, `Conflict` for the last owner."""
    refuse_more(principal, role)
    if role is Role.OWNER and await _is_service(use, principal.account_id, user_id):
        raise InvalidRequest("A service account cannot own an organization; give it another role.")
    await use.organizations.change(Change(principal.account_id, user_id, role, use.clock.now(), principal.scopes))


async def remove(use: Dependencies, principal: Principal, user_id: str) -> None:
    """Take a member out; their keys are revoked. Raises `NotFound`, `Forbidden`, `Conflict` for the last owner."""
    await use.organizations.change(Change(principal.account_id, user_id, None, use.clock.now(), principal.scopes))


async def leave(use: Dependencies, principal: Principal) -> None:
    """Go oneself. Raises `NotFound`, `Conflict` for the last owner."""
    await use.organizations.change(Change(principal.account_id, principal.user_id, None, use.clock.now()))


async def refuse_crowd(use: Dependencies, account_id: str) -> None:
    """Raises `Conflict` when an organization is full."""
    if len(await use.organizations.members(account_id)) >= MOST_MEMBERS:
        message = f"This organization has {MOST_MEMBERS} members, which is the most."
        raise Conflict(message)


async def make_service(use: Dependencies, principal: Principal, *, name: str, role: Role) -> Member:
    """A user with keys and no log-in. Raises `InvalidRequest`, `Forbidden`, `Conflict`."""
    refuse_more(principal, role)
    if role is Role.OWNER:
        raise InvalidRequest("A service account cannot own an organization; give it another role.")
    user_id, now = use.ids.new("usr"), use.clock.now()
    user = User(
        user_id=user_id,
        account_id=principal.account_id,
        email=f"{user_id}@{SERVICE_DOMAIN}",
        name=checked_name(name),
        password_hash="",
        plan=DEFAULT_PLAN,
        roles=(SERVICE_ACCOUNT,),
        created_at=now,
    )
    membership = Membership(principal.account_id, user_id, role, now)
    await use.organizations.add_service(user, membership, most=MOST_MEMBERS)
    return Member(user, membership)


def shown(member: Member) -> MemberInfo:
    """A member for the wire."""
    user, service = member.user, member.user.is_service
    return MemberInfo(
        user_id=user.user_id,
        email=None if service else user.email,
        name=user.name,
        role=member.membership.role.value,
        service_account=service,
        joined_at=member.membership.created_at.isoformat(),
    )


async def _is_service(use: Dependencies, account_id: str, user_id: str) -> bool:
    members = await use.organizations.members(account_id)
    return any(member.user.is_service for member in members if member.user.user_id == user_id)
