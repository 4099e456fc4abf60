"""Each provider's way to say no becomes one kind, with its own words kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.openai_chat import OpenAIChat, Quirks
from monkey_coder_server.domain.errors import FailureKind as Kind

DIALECT = OpenAIChat(Quirks("openai"))


def said(message: str = "m", **fields: object) -> str:
    return json.dumps({"error": {"message": message, **fields}})


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, said("Unsupported parameter", code="unsupported_parameter"), Kind.INVALID_REQUEST),
        (400, said("too long", code="context_length_exceeded"), Kind.CONTEXT_TOO_LONG),
        (400, said("This model's maximum context length is 8192 tokens."), Kind.CONTEXT_TOO_LONG),
        (400, said("User input tokens exceeds", type="too_many_prompt_tokens", code=400), Kind.CONTEXT_TOO_LONG),
        (429, said("Request too large for m on TPM", code="rate_limit_exceeded"), Kind.CONTEXT_TOO_LONG),
        (413, "", Kind.CONTEXT_TOO_LONG),
        (400, said("no", code="content_policy_violation"), Kind.CONTENT_FILTER),
        (400, said("considered high risk", type="content_filter"), Kind.CONTENT_FILTER),
        (400, said("made a bad call", code="tool_use_failed"), Kind.MALFORMED),
        (400, '{"code":"x","error":"Incorrect API key provided: in***ey."}', Kind.AUTHENTICATION),
        (400, '{"code":"x","error":"This model\'s maximum prompt length is 131072"}', Kind.CONTEXT_TOO_LONG),
        (401, "<html>401</html>", Kind.AUTHENTICATION),
        (402, "", Kind.QUOTA),
        (403, said("no access"), Kind.PERMISSION),
        (403, said("pay", type="exceeded_current_quota_error"), Kind.QUOTA),
        (403, '{"code":"x","error":"Content violates usage guidelines."}', Kind.CONTENT_FILTER),
        (404, said(code="model_not_found"), Kind.NOT_FOUND),
        (400, said("Invalid model 'x'", type="invalid_model"), Kind.NOT_FOUND),
        (408, "", Kind.TIMEOUT),
        (429, said("slow down", code="rate_limit_exceeded"), Kind.RATE_LIMIT),
        (429, said("pay", code="insufficient_quota"), Kind.QUOTA),
        (429, said("pay", type="exceeded_current_quota_error"), Kind.QUOTA),
        (429, said("busy", type="engine_overloaded_error"), Kind.OVERLOADED),
        (429, '{"error":"You have used all available credits"}', Kind.QUOTA),
        (500, "", Kind.SERVER_ERROR),
        (500, said("oops", type="server_error"), Kind.SERVER_ERROR),
        (502, "<html>bad gateway</html>", Kind.SERVER_ERROR),
        (503, "", Kind.OVERLOADED),
        (504, "", Kind.TIMEOUT),
        (529, "", Kind.OVERLOADED),
        (503, said("busy", type="server_error"), Kind.OVERLOADED),
        (529, said("busy", type="server_error"), Kind.OVERLOADED),
        (413, said("The body is big", type="tokens", code="rate_limit_exceeded"), Kind.CONTEXT_TOO_LONG),
        (400, '{"code":"x","error":"The API key is not valid."}', Kind.AUTHENTICATION),
        (418, "", Kind.INVALID_REQUEST),
    ],
)
def test_an_error_is_of_one_kind(status: int, body: str, kind: Kind) -> None:
    failure = DIALECT.decode_error(status, {}, body.encode())
    assert failure.kind is kind
    assert failure.status == status
    assert failure.message


def test_the_providers_words_type_and_code_are_kept() -> None:
    failure = DIALECT.decode_error(401, {}, said("wrong key", type="auth", code=401).encode())
    assert (failure.message, failure.type, failure.code) == ("wrong key", "auth", "401")
    xai = DIALECT.decode_error(400, {}, b'{"code":"invalid argument","error":"words"}')
    assert (xai.message, xai.type, xai.code) == ("words", None, "invalid argument")
    listed = DIALECT.decode_error(400, {}, b'[{"error":{"message":"in a list"}}]')
    assert listed.message == "in a list"
    assert DIALECT.decode_error(422, {}, b'{"detail":"flat"}').message == "flat"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "7", "retry-after-ms": "1500"}, 1.5),
        (
            {"retry-after": "Tue, 24 Nov 2026 00:01:00 GMT", "date": "Tue, 24 Nov 2026 00:00:00 GMT"},
            60.0,
        ),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_when_to_come_back_is_read_from_the_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert DIALECT.decode_error(429, headers, b"").retry_after == seconds


def test_a_long_page_is_cut() -> None:
    assert len(DIALECT.decode_error(502, {}, b"x" * 100_000).message) <= 2_000
    assert len(DIALECT.decode_error(400, {}, said("y" * 100_000).encode()).message) <= 2_000


def test_type_and_code_are_kept_of_an_error_without_a_message() -> None:
    failure = DIALECT.decode_error(500, {}, b'{"error":{"type":"overloaded_error","code":"busy","message":null}}')
    assert (failure.kind, failure.type, failure.code) == (Kind.OVERLOADED, "overloaded_error", "busy")
    assert failure.message


def test_a_page_in_any_script_is_quoted_to_the_same_length() -> None:
    page = "错" * 1_000
    assert DIALECT.decode_error(502, {}, b"\n" * 3_000 + page.encode()).message == page[:600]


def test_an_empty_body_still_says_something() -> None:
    assert "503" in DIALECT.decode_error(503, {}, b"").message


@given(st.integers(100, 599), st.binary(max_size=60))
def test_no_bytes_whatsoever_make_it_raise(status: int, body: bytes) -> None:
    assert DIALECT.decode_error(status, {}, body).provider == "openai"
