"""Google's errors: `{"error": {"code", "message", "status", "details"}}`, also in a list or inside a stream."""

from collections.abc import Mapping
from http import HTTPStatus

from monkey_coder_server.dialects.wire import (
    UNREADABLE,
    as_count,
    as_list,
    as_object,
    as_text,
    excerpt,
    kind_of_status,
    parse_json,
    retry_after_seconds,
)
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure

_KIND_OF_STATUS = {
    "INVALID_ARGUMENT": FailureKind.INVALID_REQUEST,
    "FAILED_PRECONDITION": FailureKind.PERMISSION,
    "OUT_OF_RANGE": FailureKind.INVALID_REQUEST,
    "UNAUTHENTICATED": FailureKind.AUTHENTICATION,
    "PERMISSION_DENIED": FailureKind.PERMISSION,
    "NOT_FOUND": FailureKind.NOT_FOUND,
    "RESOURCE_EXHAUSTED": FailureKind.RATE_LIMIT,
    "UNAVAILABLE": FailureKind.OVERLOADED,
    "DEADLINE_EXCEEDED": FailureKind.TIMEOUT,
    "CANCELLED": FailureKind.CUT_SHORT,
    "INTERNAL": FailureKind.SERVER_ERROR,
    "UNKNOWN": FailureKind.SERVER_ERROR,
}
"""google.rpc.Code names; FAILED_PRECONDITION is Gemini's word for a region or a plan that may not call."""

_KEY_REASONS = frozenset({"API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED", "ACCESS_TOKEN_EXPIRED", "CREDENTIALS_MISSING"})
_TOO_LONG = "input token count"
_EXHAUSTED_WORDS = ("prepayment credits are depleted", "spending cap", "billing account")


def read_error(status: int, headers: Mapping[str, str], body: bytes, *, provider: str) -> ProviderFailure:
    """Read an HTTP error answer."""
    retry_after = retry_after_seconds(headers)
    document = parse_json(body)
    error = error_in(document) or as_object(document)
    if not error:
        message = excerpt(body) or f"Error code: {status}"
        phrase = _phrase(status) if document is UNREADABLE else None
        return ProviderFailure(provider, kind_of_status(status), message, status, type=phrase, retry_after=retry_after)
    return failure_of(error, provider=provider, status=status, retry_after=retry_after)


def _phrase(status: int) -> str | None:
    """HTTP's own words, which Google's SDK gives as the status of an error that is not JSON (RFC 9110 §15)."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return None


def error_in(document: Json) -> dict[str, Json] | None:
    """The `error` object of an answer or of a list of one, if there is any."""
    if isinstance(document, list) and document:
        document = document[0]
    return as_object(as_object(document).get("error")) or None


def failure_of(
    error: Mapping[str, Json], *, provider: str, status: int, retry_after: float | None = None
) -> ProviderFailure:
    """The failure an `error` object tells of; `status` is that of the HTTP answer (200 inside a stream)."""
    code = as_count(error.get("code"))
    word = as_text(error.get("status"))
    message = as_text(error.get("message")) or word or "an error without a message"
    details = [as_object(each) for each in as_list(error.get("details"))]
    if retry_after is None:
        retry_after = _retry_delay(details)
    return ProviderFailure(
        provider,
        _kind(word, code or status, message, details),
        message,
        status,
        type=word,
        code=None if code is None else str(code),
        retry_after=retry_after,
    )


def _kind(word: str | None, code: int, message: str, details: list[dict[str, Json]]) -> FailureKind:
    kind = _KIND_OF_STATUS.get(word or "")
    if kind is None:
        kind = kind_of_status(code) if code >= 400 else FailureKind.SERVER_ERROR
    lowered = message.lower()
    if kind is FailureKind.INVALID_REQUEST:
        if any(as_text(each.get("reason")) in _KEY_REASONS for each in details) or "api key not valid" in lowered:
            return FailureKind.AUTHENTICATION
        if _TOO_LONG in lowered:
            return FailureKind.CONTEXT_TOO_LONG
    if kind is FailureKind.RATE_LIMIT and (_by_the_day(details) or any(word in lowered for word in _EXHAUSTED_WORDS)):
        return FailureKind.QUOTA
    return kind


def _by_the_day(details: list[dict[str, Json]]) -> bool:
    """Whether a violated quota is counted by the day (`…PerDayPerProject…`), so that waiting a minute is no use."""
    quotas = (as_object(each) for detail in details for each in as_list(detail.get("violations")))
    return any("PerDay" in (as_text(quota.get("quotaId")) or "") for quota in quotas)


def _retry_delay(details: list[dict[str, Json]]) -> float | None:
    """google.rpc.RetryInfo's `retryDelay`, a duration such as `"48.9s"`."""
    for detail in details:
        delay = as_text(detail.get("retryDelay"))
        if delay is not None and delay.endswith("s"):
            try:
                return max(0.0, float(delay[:-1]))
            except ValueError:
                continue
    return None
