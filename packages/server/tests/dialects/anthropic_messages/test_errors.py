"""What Anthropic's errors mean to us."""

import json

import pytest

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.providers.anthropic import PROVIDER

KINDS = [
    (400, "invalid_request_error", "messages: at least one is required", FailureKind.INVALID_REQUEST),
    (400, "invalid_request_error", "prompt is too long: 200016 tokens > 200000 maximum", FailureKind.CONTEXT_TOO_LONG),
    (400, "invalid_request_error", "input length and `max_tokens` exceed context limit", FailureKind.CONTEXT_TOO_LONG),
    (400, "invalid_request_error", "Your credit balance is too low to access the API", FailureKind.QUOTA),
    (400, "invalid_request_error", "You have reached your specified API usage limits", FailureKind.QUOTA),
    (400, "invalid_request_error", "Output blocked by content filtering policy", FailureKind.CONTENT_FILTER),
    (401, "authentication_error", "invalid x-api-key", FailureKind.AUTHENTICATION),
    (402, "billing_error", "no card", FailureKind.QUOTA),
    (403, "permission_error", "no", FailureKind.PERMISSION),
    (404, "not_found_error", "model: x", FailureKind.NOT_FOUND),
    (413, "request_too_large", "too large", FailureKind.CONTEXT_TOO_LONG),
    (429, "rate_limit_error", "slow down", FailureKind.RATE_LIMIT),
    (500, "api_error", "oops", FailureKind.SERVER_ERROR),
    (504, "timeout_error", "slow", FailureKind.TIMEOUT),
    (529, "overloaded_error", "Overloaded", FailureKind.OVERLOADED),
    (418, "unheard_of", "tea", FailureKind.INVALID_REQUEST),
]


@pytest.mark.parametrize(("status", "type_", "message", "kind"), KINDS)
def test_an_error_body(status: int, type_: str, message: str, kind: FailureKind) -> None:
    body = json.dumps({"type": "error", "error": {"type": type_, "message": message}}).encode()
    failure = PROVIDER.dialect.decode_error(status, {"retry-after": "41"}, body)
    assert (failure.kind, failure.status, failure.type, failure.message) == (kind, status, type_, message)
    assert failure.provider == "anthropic"
    assert failure.retry_after == 41.0


@pytest.mark.parametrize(
    ("status", "kind"),
    [(529, FailureKind.OVERLOADED), (502, FailureKind.SERVER_ERROR), (429, FailureKind.RATE_LIMIT)],
)
def test_a_body_that_is_not_json_is_judged_by_its_status(status: int, kind: FailureKind) -> None:
    failure = PROVIDER.dialect.decode_error(status, {}, b"<html>gateway</html>")
    assert failure.kind is kind
    assert failure.message == "<html>gateway</html>"
    assert PROVIDER.dialect.decode_error(status, {}, b"").message == f"Error code: {status}"
