"""Cross-origin requests from browsers: an exact list of origins, never a wildcard, never cookies."""

from collections.abc import Iterable

from monkey_coder_server.web.asgi import Scope
from monkey_coder_server.web.respond import Headers, Response

ALLOWED_HEADERS = (
    "anthropic-beta",
    "anthropic-dangerous-direct-browser-access",
    "anthropic-version",
    "authorization",
    "cache-control",
    "content-type",
    "idempotency-key",
    "openai-organization",
    "openai-project",
    "x-api-key",
    "x-goog-api-client",
    "x-goog-api-key",
    "x-mk-collapse",
    "x-mk-confirmation",
    "x-mk-failed",
    "x-mk-max-cost",
    "x-mk-organization",
    "x-mk-verifier",
    "x-mk-weights",
    "x-monkey-cache",
    "x-monkey-prompt-cache",
    "x-stainless-arch",
    "x-stainless-helper-method",
    "x-stainless-lang",
    "x-stainless-os",
    "x-stainless-package-version",
    "x-stainless-retry-count",
    "x-stainless-runtime",
    "x-stainless-runtime-version",
    "x-stainless-timeout",
)
"""What a script may send: every header that the code reads of programs, and those that the SDKs add in a browser."""
_READ = (b"age", b"retry-after", b"x-request-id", b"x-monkey-model", b"x-monkey-provider", b"x-monkey-cost")
_EXPOSED = (b"access-control-expose-headers", b", ".join((*_READ, b"x-monkey-cache", b"x-monkey-receipt")))
"""What a script may read of an answer."""


class Cors:
    """With no origins configured it does nothing. `methods` are those that routes take."""

    def __init__(self, origins: frozenset[str], methods: Iterable[str]) -> None:
        self._origins = frozenset(origin.encode("ascii") for origin in origins)
        self._preflight: Headers = [
            (b"access-control-allow-methods", ", ".join(sorted(methods)).encode("ascii")),
            (b"access-control-allow-headers", ", ".join(ALLOWED_HEADERS).encode("ascii")),
            (b"access-control-max-age", b"600"),
        ]

    def preflight(self, scope: Scope) -> Response | None:
        """The answer to a browser's question, None when it is not one or the origin is not listed."""
        asks = any(name == b"access-control-request-method" for name, _ in scope["headers"])
        return Response(204, b"", self._preflight) if asks and self._origin(scope) is not None else None

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
