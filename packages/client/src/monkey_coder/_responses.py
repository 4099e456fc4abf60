"""From an HTTP reply to a typed result or a typed error. Pure: no sockets, no clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec

from monkey_coder import errors
from monkey_coder.results import Execution, money
from monkey_coder_protocol import auth

T = TypeVar("T")

ERROR_CLASSES: Mapping[str, type[errors.APIError]] = {
    "invalid_request": errors.InvalidRequestError,
    "invalid_api_key": errors.AuthenticationError,
    "invalid_credentials": errors.AuthenticationError,
    "not_authenticated": errors.AuthenticationError,
    "insufficient_credit": errors.InsufficientCreditError,
    "budget_exceeded": errors.BudgetExceededError,
    "payment_refused": errors.PaymentRefusedError,
    "model_not_allowed": errors.PermissionDeniedError,
    "forbidden": errors.PermissionDeniedError,
    "confirmation_required": errors.PermissionDeniedError,
    "mfa_enrolment_required": errors.PermissionDeniedError,
    "not_found": errors.NotFoundError,
    "method_not_allowed": errors.InvalidRequestError,
    "model_not_found": errors.ModelNotFoundError,
    "price_unknown": errors.PriceUnknownError,
    "conflict": errors.ConflictError,
    "idempotency_conflict": errors.ConflictError,
    "request_in_progress": errors.RequestInProgressError,
    "request_timeout": errors.UnavailableError,
    "request_too_large": errors.InvalidRequestError,
    "context_too_long": errors.InvalidRequestError,
    "unsupported_media_type": errors.InvalidRequestError,
    "upgrade_required": errors.InvalidRequestError,
    "rate_limited": errors.RateLimitError,
    "authorization_pending": errors.InvalidRequestError,
    "slow_down": errors.InvalidRequestError,
    "access_denied": errors.PermissionDeniedError,
    "expired_token": errors.AuthenticationError,
    "invalid_grant": errors.AuthenticationError,
    "unsupported_grant_type": errors.InvalidRequestError,
    "provider_error": errors.ProviderError,
    "provider_timeout": errors.ProviderTimeoutError,
    "not_cached": errors.NotFoundError,
    "unavailable": errors.UnavailableError,
    "internal": errors.InternalServerError,
}
"""By `error_code`, total over the protocol's `ErrorCode`: a test holds it to that."""

_BY_STATUS: Mapping[int, type[errors.APIError]] = {
    401: errors.AuthenticationError,
    402: errors.InsufficientCreditError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    429: errors.RateLimitError,
    502: errors.ProviderError,
    503: errors.UnavailableError,
    504: errors.ProviderTimeoutError,
}
_FREE_FORM = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ResponseInfo:
    """What the headers of any answer tell: given to a client's `on_response`."""

    method: str
    path: str
    status: int
    request_id: str | None
    model: str | None
    provider: str | None
    cost_usd: Decimal | None
    receipt_id: str | None
    cache: str | None


def response_info(method: str, path: str, *, status: int, headers: Mapping[str, str]) -> ResponseInfo:
    """Read the gateway's `x-request-id` and `x-monkey-*` headers."""
    return ResponseInfo(
        method=method,
        path=path,
        status=status,
        request_id=headers.get("x-request-id"),
        model=headers.get("x-monkey-model"),
        provider=headers.get("x-monkey-provider"),
        cost_usd=money(headers.get("x-monkey-cost")),
        receipt_id=headers.get("x-monkey-receipt"),
        cache=headers.get("x-monkey-cache"),
    )


def parse_as(kind: type[T]) -> Callable[[Reply], T]:
    """A parser of a JSON body into `kind`. The parser raises `ResponseFormatError`."""
    decoder = msgspec.json.Decoder(kind)

    def parse(reply: Reply) -> T:
        try:
            return decoder.decode(reply.body)
        except msgspec.MsgspecError as error:
            raise _unreadable(reply, error) from error

    return parse


def parse_object(reply: Reply) -> dict[str, Any]:
    """A JSON object of free shape; numbers with a fraction become `Decimal`, never float."""
    try:
        return _FREE_FORM.decode(reply.body)
    except msgspec.MsgspecError as error:
        raise _unreadable(reply, error) from error


def parse_execution(reply: Reply) -> Execution:
    """The twelve-key response; what only the headers tell is added to `result.metadata`."""
    return complete_metadata(parse_as(Execution)(reply), reply.headers)


def complete_metadata(execution: Execution, headers: Mapping[str, str]) -> Execution:
    """Fill request id, route, cost and receipt from the headers where the body leaves them out."""
    if execution.result is not None:
        for key, header in (
            ("request_id", "x-request-id"),
            ("model", "x-monkey-model"),
            ("provider", "x-monkey-provider"),
            ("cost_usd", "x-monkey-cost"),
            ("receipt_id", "x-monkey-receipt"),
        ):
            if header in headers:
                execution.result.metadata.setdefault(key, headers[header])
    return execution


def parse_tokens(reply: Reply) -> auth.TokenResponse:
    """Session tokens; raises `MfaRequiredError` where the account asks for a second factor."""
    body = parse_object(reply)
    if body.get("mfa_required") is True:
        raise errors.MfaRequiredError(
            "This account asks for a second factor after the password.", mfa_token=str(body.get("mfa_token", ""))
        )
    return parse_as(auth.TokenResponse)(reply)


def error_from(reply: Reply) -> errors.MonkeyCoderError:
    """The typed error for an answer that is not 2xx, whatever stands in its body."""
    body = _lenient_object(reply.body)
    code = body.get("error_code")
    code = code if isinstance(code, str) else None
    request_id = reply.headers.get("x-request-id") or _text(body.get("request_id"))
    if reply.status < 400:
        return errors.ResponseFormatError(
            f"The gateway answered HTTP {reply.status} where a result was due; is the base URL right?",
            status=reply.status,
            request_id=request_id,
        )
    error = _class_for(code, reply.status)(
        _sentence(body, reply.status),
        error_code=code,
        status=reply.status,
        request_id=request_id,
        retry_after=retry_after_seconds(reply.headers),
        should_retry=_flag(reply.headers.get("x-should-retry")),
    )
    error.balance_usd = money(body.get("balance_usd"))
    error.limit_usd = money(body.get("limit_usd"))
    error.top_up_url = _text(body.get("top_up_url"))
    return error


def stream_error(message: str, code: str | None, *, request_id: str | None) -> errors.APIError:
    """The typed error for an `error` event; no status, the stream had begun with 200."""
    return _class_for(code, 500)(message, error_code=code, request_id=request_id)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds (RFC 9110, 10.2.3); a date counts from the reply's own `Date`."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        until, now = parsedate_to_datetime(value), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _class_for(code: str | None, status: int) -> type[errors.APIError]:
    fallback = errors.InternalServerError if status >= 500 else errors.InvalidRequestError
    return ERROR_CLASSES.get(code or "", _BY_STATUS.get(status, fallback))


def _sentence(body: Mapping[str, Any], status: int) -> str:
    nested = body.get("error")
    candidates = [body.get("detail"), body.get("message"), nested]
    if isinstance(nested, Mapping):
        candidates.append(nested.get("message"))
    for candidate in candidates:
        if isinstance(candidate, str) and candidate.strip():
            return candidate.strip()
    return f"The gateway answered HTTP {status} without saying why."


def _lenient_object(body: bytes) -> Mapping[str, Any]:
    try:
        return _FREE_FORM.decode(body)
    except msgspec.MsgspecError:
        return {}


def _unreadable(reply: Reply, cause: Exception) -> errors.ResponseFormatError:
    return errors.ResponseFormatError(
        f"The gateway's answer cannot be read ({cause}); is the base URL right?",
        status=reply.status,
        request_id=reply.headers.get("x-request-id"),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _flag(value: str | None) -> bool | None:
    return {"true": True, "false": False}.get((value or "").strip().lower())
