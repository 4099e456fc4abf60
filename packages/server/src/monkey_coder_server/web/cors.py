"""Cross-origin requests from browsers: an exact list of origins, never a wildcard, never cookies."""

from monkey_coder_server.web.asgi import Scope
from monkey_coder_server.web.respond import Headers, Response

_ALLOWED = (
    b"authorization",
    b"content-type",
    b"idempotency-key",
    b"x-api-key",
    b"x-goog-api-key",
    b"x-mk-confirmation",
    b"x-mk-organization",
)
_PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, POST, PATCH, DELETE"),
    (b"access-control-allow-headers", b", ".join(_ALLOWED)),
    (b"access-control-max-age", b"600"),
]
_EXPOSED = (
    b"access-control-expose-headers",
    b"retry-after, x-request-id, x-monkey-model, x-monkey-provider, x-monkey-cost, x-monkey-cache, x-monkey-receipt",
)


class Cors:
    """With no origins configured it does nothing."""

    def __init__(self, origins: frozenset[str]) -> None:
        self._origins = frozenset(origin.encode("ascii") for origin in origins)

    def preflight(self, scope: Scope) -> Response | None:
        """The answer to a browser's question, None when it is not one or the origin is not listed."""
        asks = any(name == b"access-control-request-method" for name, _ in scope["headers"])
        return Response(204, b"", _PREFLIGHT) if asks and self._origin(scope) is not None else None

    def headers(self, scope: Scope) -> Headers:
        """What an answer to a listed origin carries."""
        if not self._origins:
            return []
        origin = self._origin(scope)
        vary = (b"vary", b"origin")
        return [vary] if origin is None else [vary, (b"access-control-allow-origin", origin), _EXPOSED]

    def _origin(self, scope: Scope) -> bytes | None:
        for name, value in scope["headers"]:
            if name == b"origin":
                return value if value in self._origins else None
        return None
