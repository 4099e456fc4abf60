"""Stable error codes and the native error body."""

from enum import StrEnum

import msgspec


class ErrorCode(StrEnum):
    """What went wrong, in words that never change; the HTTP status hangs on it."""

    INVALID_REQUEST = "invalid_request"
    INVALID_API_KEY = "invalid_api_key"
    INVALID_CREDENTIALS = "invalid_credentials"
    NOT_AUTHENTICATED = "not_authenticated"
    INSUFFICIENT_CREDIT = "insufficient_credit"
    BUDGET_EXCEEDED = "budget_exceeded"
    PAYMENT_REFUSED = "payment_refused"
    MODEL_NOT_ALLOWED = "model_not_allowed"
    FORBIDDEN = "forbidden"
    CONFIRMATION_REQUIRED = "confirmation_required"
    MFA_ENROLMENT_REQUIRED = "mfa_enrolment_required"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    MODEL_NOT_FOUND = "model_not_found"
    PRICE_UNKNOWN = "price_unknown"
    CONFLICT = "conflict"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    REQUEST_IN_PROGRESS = "request_in_progress"
    REQUEST_TIMEOUT = "request_timeout"
    REQUEST_TOO_LARGE = "request_too_large"
    CONTEXT_TOO_LONG = "context_too_long"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    UPGRADE_REQUIRED = "upgrade_required"
    RATE_LIMITED = "rate_limited"
    AUTHORIZATION_PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    ACCESS_DENIED = "access_denied"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - a word of RFC 8628
    INVALID_GRANT = "invalid_grant"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    PROVIDER_ERROR = "provider_error"
    PROVIDER_TIMEOUT = "provider_timeout"
    NOT_CACHED = "not_cached"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class ErrorBody(msgspec.Struct, kw_only=True):
    """The native error body. `detail` and `message` hold the same sentence: clients print either.

    `limit` tells of a spending limit that refused: `scope`, `period`, `unit`, what it allows, what is spent, held and
    available, and `resets_at`.
    """

    detail: str
    message: str
    error_code: str
    status_code: int
    request_id: str
    balance_usd: str | msgspec.UnsetType = msgspec.UNSET
    limit_usd: str | msgspec.UnsetType = msgspec.UNSET
    limit: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    top_up_url: str | msgspec.UnsetType = msgspec.UNSET
