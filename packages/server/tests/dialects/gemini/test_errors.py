"""What Google's errors mean to us."""

import json
from typing import Any

import pytest

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.providers.google import PROVIDER


def quota(identifier: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": identifier}]}


INVALID_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
BY_MINUTE = quota("GenerateContentPaidTierInputTokensPerModelPerMinute")
BY_DAY = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier")
DELAY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "48.9s"}

KINDS = [
    (400, "INVALID_ARGUMENT", "Invalid value at 'contents'", [], FailureKind.INVALID_REQUEST),
    (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [], FailureKind.AUTHENTICATION),
    (400, "INVALID_ARGUMENT", "API Key not found.", [INVALID_KEY], FailureKind.AUTHENTICATION),
    (400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum (8).", [], FailureKind.CONTEXT_TOO_LONG),
    (400, "FAILED_PRECONDITION", "User location is not supported", [], FailureKind.PERMISSION),
    (401, "UNAUTHENTICATED", "no", [], FailureKind.AUTHENTICATION),
    (403, "PERMISSION_DENIED", "no", [], FailureKind.PERMISSION),
    (404, "NOT_FOUND", "models/x is not found", [], FailureKind.NOT_FOUND),
    (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", [BY_MINUTE], FailureKind.RATE_LIMIT),
    (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", [BY_DAY], FailureKind.QUOTA),
    (429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted.", [], FailureKind.QUOTA),
    (500, "INTERNAL", "oops", [], FailureKind.SERVER_ERROR),
    (503, "UNAVAILABLE", "The model is overloaded.", [], FailureKind.OVERLOADED),
    (504, "DEADLINE_EXCEEDED", "slow", [], FailureKind.TIMEOUT),
    (418, "UNHEARD_OF", "tea", [], FailureKind.INVALID_REQUEST),
]


@pytest.mark.parametrize("wrapped", [False, True], ids=["object", "list"])
@pytest.mark.parametrize("case", KINDS, ids=lambda case: f"{case[0]} {case[4]}")
def test_an_error_body(case: tuple[int, str, str, list[dict[str, Any]], FailureKind], wrapped: bool) -> None:
    status, word, message, details, kind = case
    document: Any = {"error": {"code": status, "message": message, "status": word, "details": details}}
    failure = PROVIDER.dialect.decode_error(status, {}, json.dumps([document] if wrapped else document).encode())
    assert (failure.kind, failure.status, failure.type, failure.message) == (kind, status, word, message)
    assert (failure.provider, failure.code, failure.retry_after) == ("google", str(status), None)


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [
        ({}, [DELAY], 48.9),
        ({"retry-after": "5"}, [DELAY], 5.0),
        ({}, [{"retryDelay": "soon"}, DELAY], 48.9),
        ({}, [], None),
    ],
)
def test_when_to_come_back(headers: dict[str, str], details: list[dict[str, Any]], seconds: float | None) -> None:
    body = json.dumps({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": details}}).encode()
    assert PROVIDER.dialect.decode_error(429, headers, body).retry_after == seconds


def test_a_body_that_is_not_json_is_judged_by_its_status() -> None:
    failure = PROVIDER.dialect.decode_error(502, {}, b"<html>gateway</html>")
    assert failure.kind is FailureKind.SERVER_ERROR
    assert (failure.message, failure.type) == ("<html>gateway</html>", "Bad Gateway")
    assert PROVIDER.dialect.decode_error(599, {}, b"").type is None
    assert PROVIDER.dialect.decode_error(502, {}, b"[]").type is None


def test_an_error_without_its_envelope_is_read() -> None:
    failure = PROVIDER.dialect.decode_error(401, {}, b'{"message":"no","status":"UNAUTHENTICATED"}')
    assert (failure.kind, failure.message, failure.type) == (FailureKind.AUTHENTICATION, "no", "UNAUTHENTICATED")
