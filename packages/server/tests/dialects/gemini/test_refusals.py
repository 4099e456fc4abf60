"""Errors in Google's words."""

import json

import pytest
from google.genai import errors

from monkey_coder_server.dialects.gemini.errors import read_error
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.ports.front import Refusal
from monkey_coder_server.web.problem import STATUS
from packages.server.tests.dialects.gemini.reading import FRONT, problem


def test_an_error_with_its_facts_and_when_to_come_back() -> None:
    refusal = FRONT.refuse(problem(429, code="rate_limited", message="Wait.", retry_after=1.5, facts={"limit": "60"}))
    assert refusal == Refusal(429, refusal.body)
    assert json.loads(refusal.body) == {
        "error": {
            "code": 429,
            "message": "Wait.",
            "status": "RESOURCE_EXHAUSTED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "RATE_LIMITED",
                    "domain": "monkey-coder",
                    "metadata": {"limit": "60", "request_id": "req_1"},
                },
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.500s"},
            ],
        }
    }


@pytest.mark.parametrize(("code", "status"), STATUS.items())
def test_every_error_of_ours_has_a_word_of_googles_and_its_sdks_class(code: str, status: int) -> None:
    refusal = FRONT.refuse(problem(status, code=code))
    body = json.loads(refusal.body)
    assert refusal.status == status
    assert body["error"]["status"] != "UNKNOWN"
    with pytest.raises(errors.ClientError if status < 500 else errors.ServerError) as raised:
        errors.APIError.raise_error(status, body, None)
    assert (raised.value.code, raised.value.message) == (status, "It broke.")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FailureKind.INVALID_REQUEST),
        (401, FailureKind.AUTHENTICATION),
        (402, FailureKind.PERMISSION),
        (404, FailureKind.NOT_FOUND),
        (429, FailureKind.RATE_LIMIT),
        (500, FailureKind.SERVER_ERROR),
        (503, FailureKind.OVERLOADED),
        (504, FailureKind.TIMEOUT),
        (507, FailureKind.SERVER_ERROR),
    ],
)
def test_our_own_reader_of_googles_errors_understands_them(status: int, kind: FailureKind) -> None:
    failure = read_error(status, {}, FRONT.refuse(problem(status, retry_after=3.0)).body, provider="google")
    assert (failure.kind, failure.message, failure.retry_after) == (kind, "It broke.", 3.0)
