"""Errors as OpenAI's own SDKs expect them (platform error codes; statuses by the outside contract, section 3)."""

from collections.abc import Mapping
from types import MappingProxyType

from monkey_coder_server.dialects.wire import write_json
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.ports.front import Problem, Refusal

_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "invalid_api_key": ("invalid_request_error", "invalid_api_key"),
        "not_authenticated": ("invalid_request_error", "invalid_api_key"),
        "insufficient_credit": ("insufficient_quota", "insufficient_quota"),
        "budget_exceeded": ("insufficient_quota", "budget_exceeded"),
        "context_too_long": ("invalid_request_error", "context_length_exceeded"),
        "rate_limited": ("requests", "rate_limit_exceeded"),
    }
)
"""Type and code where OpenAI has words of its own; others keep ours as their code."""
_STATUSES = MappingProxyType({"insufficient_credit": 400, "budget_exceeded": 400})
"""What stops clients at once, where OpenAI's own 429 would be tried again for minutes."""


def error_of(problem: Problem) -> dict[str, Json]:
    """The `error` object. Its code and parameter may be said more exactly in the problem's facts."""
    kind = "server_error" if problem.status >= 500 else "invalid_request_error"
    type_, code = _WORDS.get(problem.code, (kind, problem.code))
    facts = problem.facts
    return {
        "message": problem.message,
        "type": type_,
        "param": facts.get("param"),
        "code": facts.get("code") or code,
    }


def refusal(problem: Problem) -> Refusal:
    """The answer of every endpoint of OpenAI's but Responses."""
    return Refusal(_STATUSES.get(problem.code, problem.status), write_json({"error": error_of(problem)}))
