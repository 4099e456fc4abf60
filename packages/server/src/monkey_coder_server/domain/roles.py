"""What a person may do in an account: the scopes of their role there. Alone in one's own account one is its owner."""

from enum import StrEnum

from monkey_coder_server.domain.scopes import (
    AUDIT_READ,
    BILLING_MANAGE,
    BILLING_READ,
    EVERYTHING,
    EXECUTE,
    KEYS_MANAGE,
    MODELS_READ,
    ORGANIZATION_MANAGE,
    ORGANIZATION_READ,
    PROVIDERS_READ,
    ROUTER_DEBUG,
    SCOPES,
    covers,
)


class Role(StrEnum):
    """What somebody is in an organization."""

    OWNER = "owner"
    ADMIN = "admin"
    BILLING = "billing"
    DEVELOPER = "developer"
    VIEWER = "viewer"


_LOOKING = frozenset({MODELS_READ, PROVIDERS_READ, ORGANIZATION_READ})
_WORKING = _LOOKING | {EXECUTE, ROUTER_DEBUG, KEYS_MANAGE, BILLING_READ}

SCOPES_OF: dict[Role, frozenset[str]] = {
    Role.OWNER: frozenset({EVERYTHING}),
    Role.ADMIN: _WORKING | {ORGANIZATION_MANAGE, AUDIT_READ},
    Role.BILLING: _LOOKING | {BILLING_READ, BILLING_MANAGE},
    Role.DEVELOPER: _WORKING,
    Role.VIEWER: _LOOKING | {BILLING_READ},
}
"""A developer manages only the keys that are their own; that is judged where keys are."""


def may_give(held: frozenset[str], role: Role) -> bool:
    """Whether who holds these scopes may give somebody a role, or take it: nobody gives what they may not do."""
    return all(covers(held, scope) for scope in SCOPES_OF[role])


def narrowed(held: frozenset[str], allowed: frozenset[str]) -> frozenset[str]:
    """What is left of held scopes where only some are allowed; as they are where nothing is taken."""
    if all(covers(allowed, scope) for scope in held):
        return held
    return frozenset(scope for scope in SCOPES if covers(held, scope) and covers(allowed, scope))
