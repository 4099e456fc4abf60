"""What somebody may do with an account's keys: what their role in it allows; alone in one of their own, all of it."""

from collections.abc import Sequence

from monkey_coder_protocol.auth import CreateKeyRequest
from monkey_coder_server.domain.errors import Forbidden, NotFound
from monkey_coder_server.domain.roles import SCOPES_OF, Role, may_give, narrowed
from monkey_coder_server.domain.scopes import EVERYTHING, ORGANIZATION_MANAGE, covers, known_scope
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.ports.accounts import KeyRecord
from monkey_coder_server.web.principal import Principal

_NO_KEY = "This account has no key of that id; GET /v1/keys lists them."


async def role_of(use: Dependencies, principal: Principal) -> Role:
    """What the caller, or who their key belongs to, is in the account. Raises `Forbidden` for who is no member now."""
    if principal.role is not None:
        return principal.role
    membership = await use.memberships.find(principal.account_id, principal.user_id)
    if membership is not None:
        return membership.role
    if await use.organizations.find(principal.account_id) is None:
        return Role.OWNER
    raise Forbidden("Who this key was made for is no member of its organization any more.")


async def seen_keys(use: Dependencies, principal: Principal) -> Sequence[KeyRecord]:
    """The account's keys that are the caller's to manage: all of them, or only their own."""
    keys = await use.keys.list(principal.account_id)
    if covers(SCOPES_OF[await role_of(use, principal)], ORGANIZATION_MANAGE):
        return keys
    return [key for key in keys if key.user_id == principal.user_id]


async def seen_key(use: Dependencies, principal: Principal, key_id: str) -> KeyRecord:
    """One of them. Raises `NotFound`."""
    for key in await seen_keys(use, principal):
        if key.key_id == key_id:
            return key
    raise NotFound(_NO_KEY)


async def granted(use: Dependencies, principal: Principal, wish: CreateKeyRequest) -> tuple[str, list[str]]:
    """Whose a wished key will be, and its scopes: by default all that its user may do here.

    Raises `Forbidden`, `NotFound`.
    """
    role, user_id = await role_of(use, principal), principal.user_id
    if wish.service_account is not None:
        user_id = wish.service_account
        role = await _service_role(use, principal, user_id, by=role)
    allowed = SCOPES_OF[role]
    if wish.scopes is None:
        return user_id, sorted(narrowed(frozenset({EVERYTHING}), allowed))
    refuse_beyond(role, frozenset(wish.scopes))
    return user_id, wish.scopes


def refuse_beyond(role: Role, wanted: frozenset[str]) -> None:
    """Nobody has a key that may do what they may not. Raises `Forbidden`."""
    missing = [scope for scope in wanted if known_scope(scope) and not covers(SCOPES_OF[role], scope)]
    if missing:
        message = f"The role `{role}` lacks the scope `{min(missing)}`, so no key of it can have it."
        raise Forbidden(message)


async def _service_role(use: Dependencies, principal: Principal, user_id: str, *, by: Role) -> Role:
    for member in await use.organizations.members(principal.account_id):
        if member.user.user_id == user_id and member.user.is_service:
            role = member.membership.role
            if not covers(SCOPES_OF[by], ORGANIZATION_MANAGE) or not may_give(SCOPES_OF[by], role):
                raise Forbidden("Only who could give this service account its role can make keys for it.")
            return role
    raise NotFound("This organization has no service account of that id.")
