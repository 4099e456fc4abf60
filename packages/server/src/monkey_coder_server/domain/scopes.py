"""What a key may be allowed to do. A key with `*` may do all of it, one with `billing:*` everything of billing."""

EXECUTE = "execute"
MODELS_READ = "models:read"
PROVIDERS_READ = "providers:read"
ROUTER_DEBUG = "router:debug"
BILLING_READ = "billing:read"
BILLING_MANAGE = "billing:manage"
KEYS_MANAGE = "keys:manage"
ORGANIZATION_READ = "organization:read"
ORGANIZATION_MANAGE = "organization:manage"
AUDIT_READ = "audit:read"

SCOPES = frozenset(
    {
        EXECUTE,
        MODELS_READ,
        PROVIDERS_READ,
        ROUTER_DEBUG,
        BILLING_READ,
        BILLING_MANAGE,
        KEYS_MANAGE,
        ORGANIZATION_READ,
        ORGANIZATION_MANAGE,
        AUDIT_READ,
    }
)
EVERYTHING = "*"
OPERATOR_SUPPORT = "operator:support"
OPERATOR_BILLING = "operator:billing"
OPERATOR_ADMIN = "operator:admin"
OPERATOR_SCOPES = frozenset({OPERATOR_SUPPORT, OPERATOR_BILLING, OPERATOR_ADMIN})
"""Of the people who run the gateway. No key has one of them, and no role in an account, owner's or other."""


def known_scope(scope: str) -> bool:
    """Whether a scope, `*` or `prefix:*` covers anything there is."""
    if scope in SCOPES or scope == EVERYTHING:
        return True
    return scope.endswith(":*") and any(known.startswith(scope[:-1]) for known in SCOPES)


def covers(held: frozenset[str], wanted: str) -> bool:
    """Whether held scopes allow one: by name, by `*`, or by `prefix:*`. An operator's is allowed by another alone."""
    if wanted in OPERATOR_SCOPES:
        return wanted in held or OPERATOR_ADMIN in held
    return wanted in held or EVERYTHING in held or f"{wanted.partition(':')[0]}:*" in held
