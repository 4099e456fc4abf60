"""Errors on the wire: one table from code to status, one native body."""

from collections.abc import Mapping
from math import ceil
from types import MappingProxyType

import msgspec

from monkey_coder_protocol.errors import ErrorBody
from monkey_coder_server.domain.errors import GatewayError, InsufficientCredit
from monkey_coder_server.domain.limits import LimitReached
from monkey_coder_server.web.respond import Headers, Response, json_reply


class MethodNotAllowed(GatewayError):
    """The path exists, the method does not; `facts["allow"]` lists those that do."""

    code = "method_not_allowed"


class UnsupportedMediaType(GatewayError):
    """The body is not JSON, or is compressed."""

    code = "unsupported_media_type"


class RequestTimeout(GatewayError):
    """The body came too slowly."""

    code = "request_timeout"


class UpgradeRequired(GatewayError):
    """A WebSocket was asked for; this gateway speaks plain HTTP."""

    code = "upgrade_required"


STATUS: Mapping[str, int] = MappingProxyType(
    {
        "invalid_request": 400,
        "price_unknown": 400,
        "context_too_long": 400,
        "authorization_pending": 400,
        "slow_down": 400,
        "access_denied": 400,
        "expired_token": 400,
        "invalid_grant": 400,
        "unsupported_grant_type": 400,
        "invalid_api_key": 401,
        "invalid_credentials": 401,
        "not_authenticated": 401,
        "insufficient_credit": 402,
        "budget_exceeded": 402,
        "payment_refused": 402,
        "model_not_allowed": 403,
        "forbidden": 403,
        "confirmation_required": 403,
        "mfa_enrolment_required": 403,
        "not_found": 404,
        "model_not_found": 404,
        "method_not_allowed": 405,
        "request_timeout": 408,
        "conflict": 409,
        "idempotency_conflict": 422,
        "request_in_progress": 409,
        "request_too_large": 413,
        "unsupported_media_type": 415,
        "upgrade_required": 426,
        "rate_limited": 429,
        "internal": 500,
        "provider_error": 502,
        "unavailable": 503,
        "provider_timeout": 504,
        "not_cached": 504,
    }
)
"""HTTP status by error code (CONTRACT §3). A code that is missing here is a defect: a test walks all of them."""

NEVER_RETRY = frozenset({401, 402})
"""Statuses after which an SDK must stop at once: trying again cannot help."""
NOT_CACHED = "not_cached"
"""Of this one alone among those with its status (RFC 9111, section 5.2.1.7) the same is true."""
IN_VAIN = frozenset({"invalid_request", "content_filter"})
"""Why a provider refused what it would refuse again (`facts["failure"]`)."""
_MONEY = frozenset({"insufficient_credit", "budget_exceeded"})


def status_of(error: GatewayError) -> int:
    """The HTTP status of an error."""
    return STATUS[error.code]


def problem_headers(error: GatewayError) -> Headers:
    """`Retry-After`, `x-should-retry`, `Allow` and authentication headers of an error."""
    status = status_of(error)
    headers: Headers = []
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(1, ceil(error.retry_after))))
    if status in NEVER_RETRY or error.code == NOT_CACHED or error.facts.get("failure") in IN_VAIN:
        headers.append((b"x-should-retry", b"false"))
    if status == 401:  # RFC 9110, section 15.5.2
        headers.append((b"www-authenticate", b'Bearer realm="monkey-coder"'))
    if "allow" in error.facts:
        headers.append((b"allow", error.facts["allow"].encode("ascii")))
    return headers


def sentence(error: GatewayError, *, top_up_url: str) -> str:
    """The message for people; for money errors with balance and limit, and where to top up if credit is what lacks."""
    if error.code not in _MONEY:
        return error.message
    parts = [error.message]
    for fact, label in (("balance_usd", "Balance"), ("limit_usd", "Limit")):
        amount = error.facts.get(fact)
        if amount is not None and amount not in error.message:
            parts.append(f"{label}: {amount} USD.")
    if isinstance(error, InsufficientCredit) and top_up_url and top_up_url not in error.message:
        parts.append(f"Top up at {top_up_url}")
    return " ".join(parts)


class NativeProblems:
    """Renders errors in the native shape. `top_up_url` is where a user adds credit."""

    def __init__(self, top_up_url: str) -> None:
        self.top_up_url = top_up_url

    def __call__(self, error: GatewayError, request_id: str) -> Response:
        """The native error body with its headers."""
        body = self.body(error, request_id)
        return json_reply(body, status=body.status_code, headers=problem_headers(error))

    def body(self, error: GatewayError, request_id: str) -> ErrorBody:
        """The body alone, for places that nest it (a stream's error event)."""
        text = sentence(error, top_up_url=self.top_up_url)
        return ErrorBody(
            detail=text,
            message=text,
            error_code=error.code,
            status_code=status_of(error),
            request_id=request_id,
            balance_usd=error.facts.get("balance_usd", msgspec.UNSET),
            limit_usd=error.facts.get("limit_usd", msgspec.UNSET),
            limit=dict(error.facts) if isinstance(error, LimitReached) else msgspec.UNSET,
            top_up_url=self.top_up_url if isinstance(error, InsufficientCredit) else msgspec.UNSET,
        )
