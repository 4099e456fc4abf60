"""Our errors as Anthropic's: the official SDK raises its own types, and Claude Code knows what to do."""

import json

import anthropic
import pytest

from monkey_coder_server.dialects.anthropic_messages.front import MessagesFront
from monkey_coder_server.ports.front import Problem
from monkey_coder_server.web.problem import STATUS
from packages.server.tests.dialects.anthropic_messages import sdk

CASES = {
    "invalid_request": ("invalid_request_error", anthropic.BadRequestError),
    "price_unknown": ("invalid_request_error", anthropic.BadRequestError),
    "invalid_api_key": ("authentication_error", anthropic.AuthenticationError),
    "insufficient_credit": ("billing_error", anthropic.PaymentRequiredError),
    "budget_exceeded": ("billing_error", anthropic.PaymentRequiredError),
    "model_not_allowed": ("permission_error", anthropic.PermissionDeniedError),
    "model_not_found": ("not_found_error", anthropic.NotFoundError),
    "method_not_allowed": ("invalid_request_error", anthropic.APIStatusError),
    "request_timeout": ("timeout_error", anthropic.APIStatusError),
    "conflict": ("conflict_error", anthropic.ConflictError),
    "request_too_large": ("request_too_large", anthropic.APIStatusError),
    "rate_limited": ("rate_limit_error", anthropic.RateLimitError),
    "internal": ("api_error", anthropic.InternalServerError),
    "provider_error": ("api_error", anthropic.InternalServerError),
    "unavailable": ("overloaded_error", anthropic.InternalServerError),
    "provider_timeout": ("timeout_error", anthropic.InternalServerError),
}


def problem(code: str, message: str = "A sentence.", **facts: str) -> Problem:
    return Problem(code=code, status=STATUS[code], message=message, request_id="req_7", facts=facts)


@pytest.mark.parametrize("code", CASES)
def test_the_official_sdk_raises_its_own_type(code: str) -> None:
    kind, raised = CASES[code]
    refusal = MessagesFront().refuse(problem(code))
    assert json.loads(refusal.body) == {
        "type": "error",
        "error": {"type": kind, "message": "A sentence."},
        "request_id": "req_7",
    }
    assert refusal.status == STATUS[code]
    with pytest.raises(raised) as caught:
        sdk.client(refusal.status, refusal.body, dict(refusal.headers)).messages.create(**sdk.ASKED)
    assert isinstance(caught.value, anthropic.APIStatusError)
    assert (caught.value.status_code, caught.value.request_id) == (refusal.status, "req_7")


@pytest.mark.parametrize(
    ("message", "facts", "expected"),
    [
        (
            "Send less.",
            {"input_tokens": "213000", "context_window": "200000"},
            "prompt is too long: 213000 tokens > 200000 maximum. Send less.",
        ),
        ("Send less.", {}, "prompt is too long: Send less."),
        (
            "It does not fit: prompt is too long: 200016 tokens > 200000 maximum",
            {"input_tokens": "1", "context_window": "2"},
            "It does not fit: prompt is too long: 200016 tokens > 200000 maximum",
        ),
    ],
)
def test_a_prompt_that_is_too_long_is_told_in_the_words_claude_code_compacts_at(
    message: str, facts: dict[str, str], expected: str
) -> None:
    refusal = MessagesFront().refuse(problem("context_too_long", message, **facts))
    assert json.loads(refusal.body)["error"] == {"type": "invalid_request_error", "message": expected}
    assert refusal.status == 400
