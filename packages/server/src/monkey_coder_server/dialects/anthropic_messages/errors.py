"""Anthropic's errors: `{"type": "error", "error": {"type", "message"}}`, over HTTP or inside a stream."""

from collections.abc import Mapping

from monkey_coder_server.dialects.wire import (
    MESSAGE_LIMIT,
    as_object,
    as_text,
    excerpt,
    kind_of_status,
    parse_json,
    retry_after_seconds,
)
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure

_KIND_OF_TYPE = {
    "invalid_request_error": FailureKind.INVALID_REQUEST,
    "authentication_error": FailureKind.AUTHENTICATION,
    "billing_error": FailureKind.QUOTA,
    "permission_error": FailureKind.PERMISSION,
    "not_found_error": FailureKind.NOT_FOUND,
    "request_too_large": FailureKind.CONTEXT_TOO_LONG,
    "rate_limit_error": FailureKind.RATE_LIMIT,
    "timeout_error": FailureKind.TIMEOUT,
    "overloaded_error": FailureKind.OVERLOADED,
    "api_error": FailureKind.SERVER_ERROR,
}

_SAID_IN_WORDS = (
    ("prompt is too long", FailureKind.CONTEXT_TOO_LONG),
    ("exceed context limit", FailureKind.CONTEXT_TOO_LONG),
    ("credit balance is too low", FailureKind.QUOTA),
    ("api usage limits", FailureKind.QUOTA),
    ("content filtering policy", FailureKind.CONTENT_FILTER),
)
"""Distinctions Anthropic makes only in the sentence of an `invalid_request_error` or `api_error`."""


def read_error(status: int, headers: Mapping[str, str], body: bytes, *, provider: str) -> ProviderFailure:
    """Read an HTTP error answer."""
    retry_after = retry_after_seconds(headers)
    error = as_object(as_object(parse_json(body)).get("error"))
    if not error:
        message = excerpt(body) or f"Error code: {status}"
        return ProviderFailure(provider, kind_of_status(status), message, status, retry_after=retry_after)
    return failure_of(error, provider=provider, status=status, retry_after=retry_after)


def failure_of(
    error: Mapping[str, Json], *, provider: str, status: int, retry_after: float | None = None
) -> ProviderFailure:
    """The failure an `error` object tells of; `status` is that of the HTTP answer (200 inside a stream)."""
    type_ = as_text(error.get("type"))
    message = as_text(error.get("message")) or type_ or "an error without a message"
    kind = _KIND_OF_TYPE.get(type_ or "")
    if kind is None:
        kind = kind_of_status(status) if status >= 400 else FailureKind.SERVER_ERROR
    if kind in {FailureKind.INVALID_REQUEST, FailureKind.SERVER_ERROR}:
        kind = _kind_in_words(message) or kind
    return ProviderFailure(provider, kind, message, status, type=type_, retry_after=retry_after)


def failure_in_stream(event: Json, data: str, *, provider: str) -> ProviderFailure:
    """The failure an event named or typed `error` tells of; what is no error object is its message."""
    error = as_object(as_object(event).get("error"))
    if not error:
        error = {"message": data[:MESSAGE_LIMIT]} if data else {}
    return failure_of(error, provider=provider, status=200)


def _kind_in_words(message: str) -> FailureKind | None:
    lowered = message.lower()
    return next((kind for words, kind in _SAID_IN_WORDS if words in lowered), None)
