"""Errors as OpenAI's SDKs raise them and Codex understands them; what a silence may be filled with."""

import json

import openai
import pytest

from monkey_coder_server.ports.front import Problem
from packages.server.tests.dialects.openai_responses.answers import FRONT, TOLD, client, frames, inbound, read_stream

CASES = [
    ("invalid_request", 400, 400, "invalid_request", openai.BadRequestError),
    ("context_too_long", 400, 400, "context_length_exceeded", openai.BadRequestError),
    ("invalid_api_key", 401, 401, "invalid_api_key", openai.AuthenticationError),
    ("insufficient_credit", 402, 429, "insufficient_quota", openai.RateLimitError),
    ("budget_exceeded", 402, 429, "insufficient_quota", openai.RateLimitError),
    ("model_not_allowed", 403, 403, "model_not_allowed", openai.PermissionDeniedError),
    ("model_not_found", 404, 404, "model_not_found", openai.NotFoundError),
    ("rate_limited", 429, 429, "rate_limit_exceeded", openai.RateLimitError),
    ("provider_error", 502, 502, "server_error", openai.InternalServerError),
    ("unavailable", 503, 503, "server_error", openai.InternalServerError),
    ("provider_timeout", 504, 504, "server_error", openai.InternalServerError),
]


def problem(code: str, status: int, facts: dict[str, str] | None = None) -> Problem:
    return Problem(code=code, status=status, message="It is so.", request_id="req_1", facts=facts or {})


@pytest.mark.parametrize(("code", "ours", "status", "theirs", "raised"), CASES, ids=[case[0] for case in CASES])
def test_the_sdk_raises_its_own_error(
    code: str, ours: int, status: int, theirs: str, raised: type[openai.APIStatusError]
) -> None:
    refusal = FRONT.refuse(problem(code, ours))
    assert refusal.status == status
    with pytest.raises(raised) as error:
        client(refusal.status, "application/json", refusal.body).responses.create(model="m", input="hi")
    assert (error.value.code, "It is so." in error.value.message) == (theirs, True)


def test_facts_say_it_more_exactly() -> None:
    facts = {"code": "previous_response_not_found", "param": "previous_response_id"}
    error = json.loads(FRONT.refuse(problem("invalid_request", 400, facts)).body)["error"]
    assert (error["code"], error["param"]) == ("previous_response_not_found", "previous_response_id")


def test_codex_is_told_in_mid_stream_that_credit_ran_out() -> None:
    writer = FRONT.writer(inbound(), TOLD, relayed=False)
    *_, failed = frames(writer.begin() + writer.fail(problem("insufficient_credit", 402)))
    assert failed["response"]["error"]["code"] == "insufficient_quota"


def test_silence_is_filled_with_comments_the_sdk_passes_over() -> None:
    comment = FRONT.keep_alive
    assert comment is not None
    assert comment.startswith(b":")
    assert read_stream(comment) == []
    assert FRONT.content_type(inbound()).startswith(b"text/event-stream")
