"""An error has the words OpenAI's own clients know, and a status that stops them where trying again is no use."""

import json
from types import MappingProxyType

import pytest

from monkey_coder_server.dialects.openai_refusals import refusal
from monkey_coder_server.ports.front import Problem


@pytest.mark.parametrize(
    ("code", "status", "told", "type_", "named"),
    [
        ("invalid_request", 400, 400, "invalid_request_error", "invalid_request"),
        ("invalid_api_key", 401, 401, "invalid_request_error", "invalid_api_key"),
        ("insufficient_credit", 402, 400, "insufficient_quota", "insufficient_quota"),
        ("budget_exceeded", 402, 400, "insufficient_quota", "budget_exceeded"),
        ("model_not_found", 404, 404, "invalid_request_error", "model_not_found"),
        ("context_too_long", 400, 400, "invalid_request_error", "context_length_exceeded"),
        ("rate_limited", 429, 429, "requests", "rate_limit_exceeded"),
        ("provider_error", 502, 502, "server_error", "provider_error"),
    ],
)
def test_each_problem_has_its_words(code: str, status: int, told: int, type_: str, named: str) -> None:
    problem = Problem(code=code, status=status, message="No.", request_id="req_1", facts=MappingProxyType({}))
    refused = refusal(problem)
    assert refused.status == told
    assert json.loads(refused.body) == {"error": {"message": "No.", "type": type_, "param": None, "code": named}}
