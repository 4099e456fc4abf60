"""One tree of errors with stable codes; the edge maps a code to a status and a wire shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

_NO_FACTS: Mapping[str, str] = MappingProxyType({})


LONGEST_MESSAGE = 1_000
"""Characters: a sentence may quote what a caller or a provider sent, but not all of it."""


class GatewayError(Exception):
    """A failure a caller is told about: one sentence for people, a code and facts for programs."""

    code = "internal"

    def __init__(self, message: str, *, facts: Mapping[str, str] = _NO_FACTS, retry_after: float | None = None) -> None:
        if len(message) > LONGEST_MESSAGE:
            message = f"{message[:LONGEST_MESSAGE]}…"
        super().__init__(message)
        self.message = message
        self.facts = facts
        self.retry_after = retry_after


class InvalidRequest(GatewayError):
    """The body, a parameter or a combination of them is wrong."""

    code = "invalid_request"


class InvalidApiKey(GatewayError):
    """The API key is malformed, unknown, revoked or expired."""

    code = "invalid_api_key"


class InvalidCredentials(GatewayError):
    """E-mail and password, or a refresh token, do not match."""

    code = "invalid_credentials"


class NotAuthenticated(GatewayError):
    """No credential was sent, or a session ended."""

    code = "not_authenticated"


class InsufficientCredit(GatewayError):
    """The wallet cannot cover the most this request may cost."""

    code = "insufficient_credit"


class BudgetExceeded(GatewayError):
    """A cap below the wallet (key, day, month, max_cost) refused; `facts["limit"]` names it."""

    code = "budget_exceeded"


class PaymentRefused(GatewayError):
    """The payment processor refused what was asked of it, and would again; `facts["refusal"]` is its word for why.

    A card that is declined is none: that is the state of a payment. `customer_gone`: it was deleted there.
    """

    code = "payment_refused"


class ModelNotAllowed(GatewayError):
    """The key's allow-list does not hold this model."""

    code = "model_not_allowed"


class Forbidden(GatewayError):
    """The credential is good, the action is not allowed to it."""

    code = "forbidden"


class ConfirmationRequired(GatewayError):
    """The person must first prove anew that it is them, for this very action."""

    code = "confirmation_required"


class MfaEnrolmentRequired(GatewayError):
    """The person must first have a second factor, and have proved it in this session."""

    code = "mfa_enrolment_required"


class NotFound(GatewayError):
    """No such thing, or not this account's."""

    code = "not_found"


class ModelNotFound(GatewayError):
    """No model of that name."""

    code = "model_not_found"


class PriceUnknown(GatewayError):
    """The model has no trustworthy price, so it is refused rather than billed at 0."""

    code = "price_unknown"


class Conflict(GatewayError):
    """The thing exists already."""

    code = "conflict"


class IdempotencyConflict(GatewayError):
    """The same idempotency key came with another body."""

    code = "idempotency_conflict"


class RequestInProgress(GatewayError):
    """The same idempotency key is being served right now."""

    code = "request_in_progress"


class RequestTooLarge(GatewayError):
    """The body exceeds the gateway's bound."""

    code = "request_too_large"


class ContextTooLong(GatewayError):
    """The prompt does not fit the context window of any candidate."""

    code = "context_too_long"


class RateLimited(GatewayError):
    """Our own limit; `retry_after` says when to come back."""

    code = "rate_limited"


class ProviderFailed(GatewayError):
    """The provider refused or failed after all attempts."""

    code = "provider_error"


class ProviderTimedOut(GatewayError):
    """The provider was too slow."""

    code = "provider_timeout"


class NotCached(GatewayError):
    """The caller wants a kept answer or none, and none is kept."""

    code = "not_cached"


class Unavailable(GatewayError):
    """A store we need is away."""

    code = "unavailable"


class AuthorizationPending(GatewayError):
    """The person has not answered yet (RFC 8628, section 3.5, as the three that follow)."""

    code = "authorization_pending"


class SlowDown(GatewayError):
    """The program asked again too soon; its interval is five seconds longer now."""

    code = "slow_down"


class AccessDenied(GatewayError):
    """The person said no."""

    code = "access_denied"


class ExpiredToken(GatewayError):
    """The device code is not good any more."""

    code = "expired_token"


class InvalidGrant(GatewayError):
    """A code is unknown, used, expired or another's (RFC 6749, section 5.2, as the next)."""

    code = "invalid_grant"


class UnsupportedGrantType(GatewayError):
    """The `grant_type` is not one this endpoint takes."""

    code = "unsupported_grant_type"


class FailureKind(StrEnum):
    """Why a provider call failed, across all providers."""

    INVALID_REQUEST = "invalid_request"
    AUTHENTICATION = "authentication"
    PERMISSION = "permission"
    NOT_FOUND = "not_found"
    CONTEXT_TOO_LONG = "context_too_long"
    CONTENT_FILTER = "content_filter"
    RATE_LIMIT = "rate_limit"
    QUOTA = "quota"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    CUT_SHORT = "cut_short"
    MALFORMED = "malformed"


ANOTHER_CANDIDATE_MAY_WORK = frozenset(FailureKind) - {FailureKind.INVALID_REQUEST, FailureKind.CONTENT_FILTER}
"""Kinds after which the next candidate is tried. A wrong key or model of ours is our fault, not the caller's."""


@dataclass(frozen=True, slots=True)
class ProviderFailure:
    """A provider's error in its own words. `status` is None when no HTTP answer came; `retry_after` in seconds."""

    provider: str
    kind: FailureKind
    message: str
    status: int | None = None
    type: str | None = None
    code: str | None = None
    retry_after: float | None = None

    @property
    def moves_on(self) -> bool:
        """Whether another candidate may serve the request."""
        return self.kind in ANOTHER_CANDIDATE_MAY_WORK
