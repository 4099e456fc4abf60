"""From any error to one sentence, a hint and an exit code."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from monkey_coder import errors
from monkey_coder.cli.exits import Exit


@dataclass(frozen=True, slots=True)
class Failure:
    """What the user is told. `code` is the gateway's `error_code` or a word of the command line's own."""

    exit_code: Exit
    code: str
    message: str
    hint: str = ""
    request_id: str | None = None
    facts: Mapping[str, Any] | None = None
    """What a program can read beside the sentence."""


class CommandFailed(Exception):
    """Raised by a command that knows what to tell."""

    def __init__(
        self, exit_code: Exit, code: str, *, message: str, hint: str = "", facts: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.failure = Failure(exit_code, code, message, hint, facts=facts)


EXIT_CODES: Mapping[str, Exit] = {
    "invalid_request": Exit.USAGE,
    "invalid_api_key": Exit.NOT_AUTHENTICATED,
    "invalid_credentials": Exit.NOT_AUTHENTICATED,
    "not_authenticated": Exit.NOT_AUTHENTICATED,
    "insufficient_credit": Exit.NO_CREDIT,
    "budget_exceeded": Exit.NO_CREDIT,
    "payment_refused": Exit.NO_CREDIT,
    "model_not_allowed": Exit.NOT_AUTHENTICATED,
    "forbidden": Exit.NOT_AUTHENTICATED,
    "confirmation_required": Exit.NOT_AUTHENTICATED,
    "mfa_enrolment_required": Exit.NOT_AUTHENTICATED,
    "not_found": Exit.USAGE,
    "method_not_allowed": Exit.INTERNAL,
    "model_not_found": Exit.USAGE,
    "price_unknown": Exit.USAGE,
    "conflict": Exit.USAGE,
    "idempotency_conflict": Exit.USAGE,
    "request_in_progress": Exit.UNREACHABLE,
    "request_timeout": Exit.UNREACHABLE,
    "request_too_large": Exit.USAGE,
    "context_too_long": Exit.USAGE,
    "unsupported_media_type": Exit.INTERNAL,
    "upgrade_required": Exit.INTERNAL,
    "rate_limited": Exit.RATE_LIMITED,
    "authorization_pending": Exit.NOT_AUTHENTICATED,
    "slow_down": Exit.RATE_LIMITED,
    "access_denied": Exit.NOT_AUTHENTICATED,
    "expired_token": Exit.NOT_AUTHENTICATED,
    "invalid_grant": Exit.NOT_AUTHENTICATED,
    "unsupported_grant_type": Exit.INTERNAL,
    "provider_error": Exit.UNREACHABLE,
    "provider_timeout": Exit.UNREACHABLE,
    "not_cached": Exit.USAGE,
    "unavailable": Exit.UNREACHABLE,
    "internal": Exit.INTERNAL,
}
"""Total over the gateway's error codes; a test holds it to that."""

_HINTS: Mapping[str, str] = {
    "invalid_api_key": "Run `monkey auth login` for a key that works, or check MONKEY_CODER_API_KEY.",
    "invalid_credentials": "Check the email and the password and run `monkey auth login` again.",
    "not_authenticated": "Run `monkey auth login`.",
    "authorization_pending": "Answer on the page that the login named, then run it again.",
    "slow_down": "Wait a little and run it again.",
    "access_denied": "Run `monkey auth login` again if that was a mistake.",
    "expired_token": "Run `monkey auth login` again.",
    "invalid_grant": "Run `monkey auth login` again.",
    "payment_refused": "Pay another way, or ask the gateway's operator.",
    "model_not_allowed": "Choose another with --model (`monkey models` lists them) or use another key.",
    "forbidden": "Use a key that is allowed to do this.",
    "confirmation_required": "Log in again, or confirm it as the message says.",
    "mfa_enrolment_required": "Run `monkey auth mfa enroll`, then `monkey auth login`.",
    "model_not_found": "`monkey models` lists the names.",
    "price_unknown": "Choose another with --model.",
    "request_in_progress": "Wait a little and run it again.",
    "request_timeout": "Run it again; the request arrived too slowly.",
    "request_too_large": "Give fewer or smaller files.",
    "context_too_long": "Give fewer or smaller files, or choose a model with a longer context.",
    "rate_limited": "Wait a little and run it again.",
    "provider_error": "Nothing was charged; run it again or choose another with --model or --provider.",
    "provider_timeout": "Run it again, or allow more with --timeout.",
    "not_cached": "Ask without `only-if-cached`, so that a model is called.",
    "unavailable": "Wait a little and run it again.",
    "internal": "Tell the gateway's operator the request id.",
}
_CLASS_EXITS: tuple[tuple[type[errors.MonkeyCoderError], Exit], ...] = (
    (errors.AuthenticationError, Exit.NOT_AUTHENTICATED),
    (errors.PermissionDeniedError, Exit.NOT_AUTHENTICATED),
    (errors.InsufficientCreditError, Exit.NO_CREDIT),
    (errors.RateLimitError, Exit.RATE_LIMITED),
    (errors.InternalServerError, Exit.INTERNAL),
    (errors.ProviderError, Exit.UNREACHABLE),
    (errors.UnavailableError, Exit.UNREACHABLE),
    (errors.APIError, Exit.USAGE),
)


def describe(error: errors.MonkeyCoderError, *, max_cost: Decimal | None = None) -> Failure:
    """What to tell about an error of the SDK. `max_cost` is the task's own limit, if it had one."""
    if isinstance(error, errors.ConfigurationError):
        return Failure(Exit.CONFIGURATION, "configuration", error.message, "Correct it and run the command again.")
    if isinstance(error, errors.ResponseFormatError):
        return Failure(Exit.UNUSABLE_OUTPUT, "unusable_output", error.message, request_id=error.request_id)
    if isinstance(error, errors.NetworkError):
        return _network_failure(error)
    if isinstance(error, errors.MfaRequiredError):
        hint = (
            "Run `monkey auth login` where you can answer, or `monkey auth login --api-key-stdin` with a key you made."
        )
        return Failure(Exit.NOT_AUTHENTICATED, "mfa_required", error.message, hint)
    if _own_limit(error, max_cost):
        hint = "Raise --max-cost, or choose a cheaper route with --model auto:cheap."
        return Failure(Exit.STOPPED_BY_LIMIT, "budget_exceeded", error.message, hint, error.request_id)
    return _api_failure(error)


def _network_failure(error: errors.NetworkError) -> Failure:
    if isinstance(error, errors.RequestTimeoutError):
        return Failure(Exit.UNREACHABLE, "timeout", error.message, "Run it again, or allow more with --timeout.")
    if isinstance(error, errors.StreamInterruptedError):
        hint = "Run it again; `monkey usage` shows what was charged."
        return Failure(Exit.UNREACHABLE, "stream_interrupted", error.message, hint, error.request_id)
    hint = "Check the address (`monkey config get baseUrl`, --base-url) and that the gateway runs."
    return Failure(Exit.UNREACHABLE, "unreachable", error.message, hint)


def _own_limit(error: errors.MonkeyCoderError, max_cost: Decimal | None) -> bool:
    """A cap of key or account is no stop by --max-cost: the limit that the gateway names tells them apart."""
    if max_cost is None or not isinstance(error, errors.BudgetExceededError):
        return False
    return error.limit_usd is None or error.limit_usd == max_cost


def _api_failure(error: errors.MonkeyCoderError) -> Failure:
    code = error.error_code or ""
    exit_code = EXIT_CODES.get(code) or next(
        (known for kind, known in _CLASS_EXITS if isinstance(error, kind)), Exit.INTERNAL
    )
    hint = _HINTS.get(code, "")
    if exit_code is Exit.NO_CREDIT and not hint:
        hint = _credit_hint(error)
    elif exit_code is Exit.NOT_AUTHENTICATED and not hint:
        hint = _HINTS["invalid_api_key"]
    return Failure(exit_code, code or f"http_{error.status}", error.message, hint, error.request_id)


def _credit_hint(error: errors.MonkeyCoderError) -> str:
    if isinstance(error, errors.BudgetExceededError):
        return "`monkey usage` shows what was spent."
    url = error.top_up_url if isinstance(error, errors.APIError) else None
    if url and url not in error.message:
        return f"Add credit at {url}."
    return "" if url else "`monkey balance` shows what is left."
