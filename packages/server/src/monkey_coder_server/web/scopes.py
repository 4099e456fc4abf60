"""What a key may be allowed to do. A key with `*` may do all of it, one with `billing:*` everything of billing."""

EXECUTE = "execute"
MODELS_READ = "models:read"
PROVIDERS_READ = "providers:read"
ROUTER_DEBUG = "router:debug"
BILLING_READ = "billing:read"
KEYS_MANAGE = "keys:manage"

SCOPES = frozenset({EXECUTE, MODELS_READ, PROVIDERS_READ, ROUTER_DEBUG, BILLING_READ, KEYS_MANAGE})
EVERYTHING = "*"


def known_scope(scope: str) -> bool:
    """Whether a scope, `*` or `prefix:*` covers anything there is."""
    if scope in SCOPES or scope == EVERYTHING:
        return True
    return scope.endswith(":*") and any(known.startswith(scope[:-1]) for known in SCOPES)


def covers(held: frozenset[str], wanted: str) -> bool:
    """Whether held scopes allow one: by name, by `*`, or by `prefix:*`."""
    return wanted in held or EVERYTHING in held or f"{wanted.partition(':')[0]}:*" in held
