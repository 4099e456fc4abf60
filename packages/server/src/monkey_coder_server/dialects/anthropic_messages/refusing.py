"""Our own errors in Anthropic's shape, so that its SDK raises its own types and its agents do the right thing."""

import re
from typing import Final

from monkey_coder_server.dialects.anthropic_messages.frames import frame, one_line
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.ports.front import Problem, Refusal

_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_TOO_LONG = "prompt is too long"
"""Claude Code compacts a conversation when it reads these words, and reads both numbers after them."""
_FIGURES = re.compile(r"prompt is too long:? *\d+ tokens > \d+ maximum", re.IGNORECASE)


def refuse(problem: Problem) -> Refusal:
    """The HTTP answer."""
    return Refusal(problem.status, one_line(_record(problem)), (("request-id", problem.request_id),))


def error_frame(problem: Problem) -> bytes:
    """The event that ends a stream with an error."""
    return frame(_record(problem))


def _record(problem: Problem) -> dict[str, Json]:
    kind = _TYPES.get(problem.status, "invalid_request_error" if problem.status < 500 else "api_error")
    error = {"type": kind, "message": _message(problem)}
    return {"type": "error", "error": error, "request_id": problem.request_id}


def _message(problem: Problem) -> str:
    """The sentence; of a prompt that is too long in Anthropic's words, with both numbers where they are known."""
    if problem.code != "context_too_long" or _FIGURES.search(problem.message):
        return problem.message
    tokens, window = problem.facts.get("input_tokens"), problem.facts.get("context_window")
    if tokens is None or window is None:
        return f"{_TOO_LONG}: {problem.message}"
    return f"{_TOO_LONG}: {tokens} tokens > {window} maximum. {problem.message}"
