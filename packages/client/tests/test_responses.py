"""Answers become typed results or typed errors."""

from decimal import Decimal

import pytest

from monkey_coder import errors
from monkey_coder._responses import (
    ERROR_CLASSES,
    Reply,
    error_from,
    parse_execution,
    parse_object,
    parse_tokens,
    response_info,
    retry_after_seconds,
    stream_error,
)
from monkey_coder.results import money, route_name
from monkey_coder_protocol.errors import ErrorCode
from packages.client.tests.fake_gateway import Answer, error, execution, reply


def as_reply(answer: Answer) -> Reply:
    return Reply(answer.status, dict(answer.headers), b"".join(answer.pieces))


def test_every_error_code_has_a_class() -> None:
    assert {str(code) for code in ErrorCode} <= set(ERROR_CLASSES)


@pytest.mark.parametrize("code", list(ErrorCode))
def test_the_code_decides_the_class_whatever_the_status(code: ErrorCode) -> None:
    found = error_from(as_reply(error(418, code)))
    assert type(found) is ERROR_CLASSES[code]
    assert (found.error_code, found.status, found.request_id) == (code, 418, "req_err")
    assert str(found) == "It did not work."


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequestError),
        (401, errors.AuthenticationError),
        (402, errors.InsufficientCreditError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (409, errors.ConflictError),
        (422, errors.InvalidRequestError),
        (429, errors.RateLimitError),
        (500, errors.InternalServerError),
        (502, errors.ProviderError),
        (503, errors.UnavailableError),
        (504, errors.ProviderTimeoutError),
        (599, errors.InternalServerError),
        (302, errors.ResponseFormatError),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error_code": "of_tomorrow"}', b'{"error_code": 7}'])
def test_without_a_known_code_the_status_decides(status: int, kind: type, body: bytes) -> None:
    assert type(error_from(Reply(status, {}, body))) is kind


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"detail": "A.", "message": "B."}', "A."),
        (b'{"detail": [{"x": 1}], "message": "B."}', "B."),
        (b'{"error": "C."}', "C."),
        (b'{"error": {"message": "D."}}', "D."),
        (b'{"error": {"message": 4}}', "The gateway answered HTTP 500 without saying why."),
        (b'{"detail": " "}', "The gateway answered HTTP 500 without saying why."),
        (b"", "The gateway answered HTTP 500 without saying why."),
    ],
)
def test_the_sentence_is_found_where_gateways_put_it(body: bytes, sentence: str) -> None:
    assert str(error_from(Reply(500, {}, body))) == sentence


def test_money_errors_carry_exact_amounts_and_the_address() -> None:
    answer = error(402, "insufficient_credit", balance_usd="0.10", limit_usd="x", top_up_url="https://m.example/b")
    found = error_from(as_reply(answer))
    assert isinstance(found, errors.InsufficientCreditError)
    assert found.balance_usd == Decimal("0.10")
    assert found.limit_usd is None
    assert found.top_up_url == "https://m.example/b"


def test_retry_headers_are_read() -> None:
    found = error_from(as_reply(error(429, "rate_limited", retry_after="3", x_should_retry="FALSE")))
    assert isinstance(found, errors.RateLimitError)
    assert found.retry_after == 3
    assert found.should_retry is False


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "²"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 23 Nov 2026 08:00:30 GMT"}, None),
        ({"retry-after": "Mon, 23 Nov 2026 08:00:30 GMT", "date": "Mon, 23 Nov 2026 08:00:00 GMT"}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 08:00:30 GMT", "date": "Mon, 23 Nov 2026 09:00:00 GMT"}, 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds


def test_an_execution_reads_its_metadata() -> None:
    found = parse_execution(as_reply(reply(execution())))
    assert found.model == "gpt-5-mini"
    assert found.cost_usd == Decimal("0.00123")
    assert found.balance_usd == Decimal("4.99877")
    assert found.finish_reason == "stop"
    assert [artifact.filename for artifact in found.artifacts] == ["main.py", "app/core.py"]


def test_headers_fill_what_the_metadata_leaves_out() -> None:
    body = execution()
    body["result"]["metadata"] = {"model": "from-body"}
    headers = {"x-request-id": "req_9", "x-monkey-model": "from-header", "x-monkey-cost": "0.5"}
    found = parse_execution(Reply(200, headers, b"".join(reply(body).pieces)))
    assert (found.model, found.request_id, found.cost_usd) == ("from-body", "req_9", Decimal("0.5"))
    assert found.receipt_id is None


def test_a_failed_execution_has_empty_aids() -> None:
    found = parse_execution(as_reply(reply(execution(result=None, status="failed"))))
    assert (found.text, found.artifacts, found.metadata, found.cost_usd) == ("", [], {}, None)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"execution_id": 7}'])
def test_a_body_of_another_shape_is_a_format_error(body: bytes) -> None:
    with pytest.raises(errors.ResponseFormatError, match="base URL"):
        parse_execution(Reply(200, {}, body))


def test_free_objects_have_no_floats() -> None:
    assert parse_object(Reply(200, {}, b'{"cost": 0.1, "n": 2}')) == {"cost": Decimal("0.1"), "n": 2}
    with pytest.raises(errors.ResponseFormatError):
        parse_object(Reply(200, {}, b"[]"))


def test_a_second_factor_is_its_own_error() -> None:
    with pytest.raises(errors.MfaRequiredError) as caught:
        parse_tokens(Reply(200, {}, b'{"mfa_required": true, "mfa_token": "t"}'))
    assert caught.value.mfa_token == "t"


def test_a_stream_error_has_no_status_and_so_is_never_tried_again() -> None:
    found = stream_error("No.", "provider_error", request_id="r")
    assert isinstance(found, errors.ProviderError)
    assert found.status is None
    assert isinstance(stream_error("No.", None, request_id=None), errors.InternalServerError)


def test_response_info_reads_our_headers() -> None:
    headers = {"x-request-id": "r", "x-monkey-cost": "0.5", "x-monkey-cache": "hit", "x-monkey-provider": "openai"}
    info = response_info("GET", "/health", status=200, headers=headers)
    assert (info.request_id, info.cost_usd, info.cache, info.provider, info.model) == (
        "r",
        Decimal("0.5"),
        "hit",
        "openai",
        None,
    )


@pytest.mark.parametrize("value", [1, 1.5, None, "", "x", "NaN", "Infinity", True])
def test_money_is_a_decimal_string_or_nothing(value: object) -> None:
    assert money(value) is None


@pytest.mark.parametrize(
    ("provider", "model", "route"),
    [
        ("openai", "gpt-5", "openai/gpt-5"),
        ("openai", "openai/gpt-5", "openai/gpt-5"),
        ("groq", "openai/gpt-oss", "groq/openai/gpt-oss"),
        (None, "gpt-5", "gpt-5"),
        ("openai", None, ""),
    ],
)
def test_a_route_names_the_provider_once(provider: str | None, model: str | None, route: str) -> None:
    assert route_name(provider, model) == route
