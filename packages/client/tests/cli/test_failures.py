"""Every error has an exit code and says what to do."""

from decimal import Decimal

import pytest

from monkey_coder import errors
from monkey_coder._responses import ERROR_CLASSES
from monkey_coder.cli.exits import Exit
from monkey_coder.cli.failures import EXIT_CODES, describe
from monkey_coder_protocol.errors import ErrorCode

SILENT = {
    "invalid_request",
    "not_found",
    "method_not_allowed",
    "conflict",
    "idempotency_conflict",
    "unsupported_media_type",
    "upgrade_required",
    "unsupported_grant_type",
}
"""Codes whose own sentence says all there is to do."""


def raised(code: str, **money: object) -> errors.APIError:
    error = ERROR_CLASSES[code]("It did not work.", error_code=code, status=400, request_id="r")
    for name, value in money.items():
        setattr(error, name, value)
    return error


def test_every_error_code_has_an_exit_code() -> None:
    assert {str(code) for code in ErrorCode} <= set(EXIT_CODES)
    assert set(EXIT_CODES) == set(ERROR_CLASSES)


@pytest.mark.parametrize("code", sorted(EXIT_CODES))
def test_each_code_ends_as_the_table_says_and_keeps_the_request_id(code: str) -> None:
    failure = describe(raised(code))
    assert (failure.exit_code, failure.code, failure.request_id) == (EXIT_CODES[code], code, "r")
    assert bool(failure.hint) == (code not in SILENT)


@pytest.mark.parametrize(
    ("error", "exit_code", "code"),
    [
        (errors.ConfigurationError("bad"), 78, "configuration"),
        (errors.ConnectionFailedError("refused"), 69, "unreachable"),
        (errors.NetworkError("cut"), 69, "unreachable"),
        (errors.RequestTimeoutError("slow"), 69, "timeout"),
        (errors.StreamInterruptedError("cut"), 69, "stream_interrupted"),
        (errors.ResponseFormatError("html"), 65, "unusable_output"),
        (errors.MfaRequiredError("second", mfa_token="t"), 77, "mfa_required"),
        (errors.AuthenticationError("no", status=401), 77, "http_401"),
        (errors.PermissionDeniedError("no", status=403), 77, "http_403"),
        (errors.InsufficientCreditError("no", status=402), 4, "http_402"),
        (errors.RateLimitError("no", status=429), 5, "http_429"),
        (errors.InternalServerError("no", status=500), 70, "http_500"),
        (errors.ProviderError("no", status=502), 69, "http_502"),
        (errors.UnavailableError("no", status=503), 69, "http_503"),
        (errors.InvalidRequestError("no", status=400), 2, "http_400"),
        (errors.InvalidRequestError("no", status=400, error_code="of_tomorrow"), 2, "of_tomorrow"),
        (errors.MonkeyCoderError("?"), 70, "http_None"),
    ],
)
def test_errors_without_a_known_code_are_told_by_their_class(
    error: errors.MonkeyCoderError, exit_code: int, code: str
) -> None:
    failure = describe(error)
    assert (failure.exit_code, failure.code) == (exit_code, code)


@pytest.mark.parametrize(
    ("max_cost", "limit", "exit_code"),
    [
        (None, None, Exit.NO_CREDIT),
        (None, "0.10", Exit.NO_CREDIT),
        ("0.10", None, Exit.STOPPED_BY_LIMIT),
        ("0.10", "0.1", Exit.STOPPED_BY_LIMIT),
        ("0.10", "5.00", Exit.NO_CREDIT),
    ],
)
def test_a_stop_by_max_cost_is_told_from_a_cap(max_cost: str | None, limit: str | None, exit_code: Exit) -> None:
    error = raised("budget_exceeded", limit_usd=Decimal(limit) if limit else None)
    assert describe(error, max_cost=Decimal(max_cost) if max_cost else None).exit_code is exit_code


@pytest.mark.parametrize(
    ("message", "url", "hint"),
    [
        ("No credit.", "https://m.example/b", "Add credit at https://m.example/b."),
        ("No credit, see https://m.example/b.", "https://m.example/b", ""),
        ("No credit.", None, "`monkey balance` shows what is left."),
    ],
)
def test_the_address_to_pay_at_is_said_once(message: str, url: str | None, hint: str) -> None:
    error = errors.InsufficientCreditError(message, error_code="insufficient_credit", status=402)
    error.top_up_url = url
    assert describe(error).hint == hint
