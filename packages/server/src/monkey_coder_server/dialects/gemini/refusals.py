"""Errors as Google writes them: `{"error": {"code", "message", "status", "details"}}` (google.rpc.Status)."""

from typing import Final

from monkey_coder_server.dialects.wire import write_json
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.ports.front import Problem, Refusal

_WORDS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    426: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""google.rpc.Code by HTTP status. 402 has none; Google says FAILED_PRECONDITION of a project without billing."""


def refusal_of(problem: Problem) -> Refusal:
    """The error with its own status: Google's SDKs tell errors apart by it alone."""
    return Refusal(problem.status, error_body(problem))


def error_body(problem: Problem) -> bytes:
    """The error object. Its details hold our code, facts and request id, and when to come back."""
    facts = {**problem.facts, "request_id": problem.request_id}
    details: list[Json] = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": problem.code.upper(),
            "domain": "monkey-coder",
            "metadata": facts,
        }
    ]
    if problem.retry_after is not None:
        details.append(
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{problem.retry_after:.3f}s"}
        )
    word = _WORDS.get(problem.status, "UNKNOWN")
    error = {"code": problem.status, "message": problem.message, "status": word, "details": details}
    return write_json({"error": error})
