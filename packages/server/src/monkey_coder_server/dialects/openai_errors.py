"""What the providers of the OpenAI family say when they refuse or fail, on its own or inside a stream."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from monkey_coder_server.dialects.wire import (
    MESSAGE_LIMIT,
    UNREADABLE,
    as_object,
    as_text,
    excerpt,
    kind_of_status,
    parse_json,
    retry_after_seconds,
)
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure

_WORDS = {
    "tool_use_failed": FailureKind.MALFORMED,  # Groq: the model wrote a call that does not fit its tool
    "context_length_exceeded": FailureKind.CONTEXT_TOO_LONG,
    "string_above_max_length": FailureKind.CONTEXT_TOO_LONG,
    "too_many_prompt_tokens": FailureKind.CONTEXT_TOO_LONG,  # Perplexity
    "content_filter": FailureKind.CONTENT_FILTER,
    "content_policy_violation": FailureKind.CONTENT_FILTER,
    "insufficient_quota": FailureKind.QUOTA,
    "billing_hard_limit_reached": FailureKind.QUOTA,
    "billing_not_active": FailureKind.QUOTA,
    "exceeded_current_quota_error": FailureKind.QUOTA,  # Moonshot, as 429 or 403: waiting does not help
    "engine_overloaded_error": FailureKind.OVERLOADED,  # Moonshot, as 429
    "overloaded_error": FailureKind.OVERLOADED,
    "invalid_api_key": FailureKind.AUTHENTICATION,
    "invalid_authentication_error": FailureKind.AUTHENTICATION,
    "incorrect_api_key_error": FailureKind.AUTHENTICATION,
    "authentication_error": FailureKind.AUTHENTICATION,
    "permission_error": FailureKind.PERMISSION,
    "permission_denied_error": FailureKind.PERMISSION,
    "model_not_found": FailureKind.NOT_FOUND,
    "invalid_model": FailureKind.NOT_FOUND,
    "resource_not_found_error": FailureKind.NOT_FOUND,
}
"""What a provider's `code` or `type` says whatever the status."""

_WORDS_IN_STREAMS = {
    "rate_limit_reached_error": FailureKind.RATE_LIMIT,
    "rate_limit_error": FailureKind.RATE_LIMIT,
    "rate_limit_exceeded": FailureKind.RATE_LIMIT,
    "invalid_request_error": FailureKind.INVALID_REQUEST,
}
"""What they say where there is no status: with one, these words are also used for a 413 (Groq) or a 503."""

_PHRASES = (
    (
        FailureKind.CONTEXT_TOO_LONG,
        (
            r"context[ _](length|window)|maximum prompt length|prompt is too long|request (is )?too large"
            r"|model token limit|messages is too long"
        ),
    ),
    (FailureKind.AUTHENTICATION, r"(incorrect|invalid) api key|api key (provided )?is (invalid|incorrect|not valid)"),
    (FailureKind.CONTENT_FILTER, r"content (violates|policy)|usage guidelines|considered high risk"),
    (FailureKind.QUOTA, r"exceeded your current quota|used all available credits|insufficient (balance|credit)"),
)
_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PHRASES)
"""What only the message says: xAI gives no code, and a request larger than a minute's tokens never fits."""


@dataclass(frozen=True, slots=True)
class Said:
    """A provider's error in its own words. `status` is what an error inside a stream says of itself."""

    message: str
    type: str | None = None
    code: str | None = None
    status: int | None = None


def decode_error(provider: str, status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
    """Read an HTTP error. Header names are lower case."""
    said = _read(parse_json(body)) or Said("")
    if not said.message:
        said = replace(said, message=excerpt(body) or f"Error code: {status}")
    return ProviderFailure(
        provider=provider,
        kind=_kind(said, status),
        message=said.message,
        status=status,
        type=said.type,
        code=said.code,
        retry_after=retry_after_seconds(headers),
    )


def failure_in_answer(provider: str, value: Json) -> ProviderFailure | None:
    """The error an answer of status 200 carries; `value` is the whole frame. None when it carries none.

    An empty `error` is none: the official SDKs read on.
    """
    if not as_object(value).get("error"):
        return None
    said = _read(value) or Said("")
    message = said.message or "An error occurred during streaming"
    return ProviderFailure(provider, _kind(said, said.status), message, type=said.type, code=said.code)


def _read(value: Json) -> Said | None:
    """The error in any of the shapes in use, its message empty where it has none; None for what is no object."""
    if value is UNREADABLE:
        return None
    if isinstance(value, list) and value:
        value = value[0]
    outer = as_object(value)
    error = outer.get("error")
    if isinstance(error, str):  # xAI
        return Said(error[:MESSAGE_LIMIT], code=_word(outer.get("code")))
    inner = as_object(error) or outer
    message = as_text(inner.get("message")) or as_text(inner.get("detail")) or ""
    status = inner.get("status_code")
    return Said(
        message[:MESSAGE_LIMIT],
        type=as_text(inner.get("type")),
        code=_word(inner.get("code")),
        status=status if isinstance(status, int) else None,
    )


def _word(value: Json) -> str | None:
    """A code as text; Perplexity sends numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else as_text(value)


def _kind(said: Said, status: int | None) -> FailureKind:
    for word in (said.code, said.type):
        if word in _WORDS:
            return _WORDS[word]
    for kind, pattern in _PATTERNS:
        if pattern.search(said.message):
            return kind
    if status is None and said.code is not None and re.fullmatch(r"[45]\d\d", said.code):
        status = int(said.code)
    if status is not None:
        return kind_of_status(status)
    known = (_WORDS_IN_STREAMS.get(word or "") for word in (said.code, said.type))
    return next((kind for kind in known if kind is not None), FailureKind.SERVER_ERROR)
