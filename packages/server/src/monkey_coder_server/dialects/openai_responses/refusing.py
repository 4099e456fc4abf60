"""Our own errors as callers of Responses understand them: before an answer, and in the middle of its stream."""

from typing import Final

from monkey_coder_server.dialects.event_frames import one_line
from monkey_coder_server.dialects.openai_refusals import error_of
from monkey_coder_server.dialects.openai_responses.writing_frames import Item, Sink
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.ports.front import Problem, Refusal

_OUT_OF_CREDIT: Final = frozenset({"insufficient_credit", "budget_exceeded"})
_QUOTA: Final = "insufficient_quota"
"""The code at which Codex stops at once, with status 429 (CONTRACT §3)."""
_SERVER: Final = "server_error"
_SERVERS: Final = frozenset({"internal", "provider_error", "provider_timeout", "unavailable"})


def refuse(problem: Problem) -> Refusal:
    """The HTTP answer."""
    status = 429 if problem.code in _OUT_OF_CREDIT else problem.status
    return Refusal(status, one_line({"error": _error(problem)}))


def failure(problem: Problem) -> Json:
    """The `error` of a response that failed."""
    error = _error(problem)
    return {"code": error["code"], "message": error["message"]}


def say_failure(sink: Sink, problem: Problem, response: Item) -> None:
    """Write an error in mid-stream: `error`, at which OpenAI's SDKs raise, then what ends a turn of Codex."""
    error = _error(problem)
    sink.say("error", code=error["code"], message=error["message"], param=error["param"], error=error)
    sink.say("response.failed", response=response)


def _error(problem: Problem) -> dict[str, Json]:
    error = error_of(problem)
    if problem.code in _OUT_OF_CREDIT:
        error["code"] = _QUOTA
    elif problem.code in _SERVERS:
        error["code"] = _SERVER
    return error
