"""What went wrong at Stripe in our own words: no id, no card, no text of theirs leaves this file."""

import logging
import re
import traceback
from pathlib import PurePath

import stripe

from monkey_coder_server.domain.errors import GatewayError, IdempotencyConflict, PaymentRefused, Unavailable

logger = logging.getLogger(__name__)
RETRY_AFTER = 5.0
"""Seconds, where Stripe names none."""
_OPERATORS_RETRY = 60.0
_WORD = re.compile(r"[a-z][a-z_]{0,59}", re.ASCII)
_PARAMETER = re.compile(r"[a-z][a-z_]{0,59}(\[([a-z_]{1,60}|[0-9]{1,3})\]){0,5}", re.ASCII)
_IN_USE = frozenset({"idempotency_key_in_use", "lock_timeout"})


def told(error: Exception) -> GatewayError:
    """What to raise in place of an error of a call. It is not to be chained to it: that one holds their text."""
    if isinstance(error, GatewayError):
        return error
    if not isinstance(error, stripe.StripeError):
        return _unreadable(error)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        logger.error("the payment processor does not take our key for this: %s", type(error).__name__)
        return Unavailable(
            "The payment processor does not take this gateway's key; its operator has to set another.",
            retry_after=_OPERATORS_RETRY,
        )
    if isinstance(error, stripe.IdempotencyError):
        return IdempotencyConflict("A payment was asked for under this key before, and not the same one.")
    if isinstance(error, stripe.InvalidRequestError | stripe.CardError) and error.code not in _IN_USE:
        return _refused(error)
    return _away(error)


def _away(error: stripe.StripeError) -> Unavailable:
    """Not reached, too slow, too busy, or broken: whatever was asked for may or may not have happened."""
    logger.warning("the payment processor is away: %s, status %s", type(error).__name__, error.http_status)
    return Unavailable(
        "The payment processor cannot be reached right now; try again in a moment, nothing is paid twice.",
        retry_after=_retry_after(error),
    )


def _retry_after(error: stripe.StripeError) -> float:
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    named = str(headers.get("retry-after", ""))
    return float(named) if named.isascii() and named.isdigit() and len(named) <= 4 else RETRY_AFTER


def _refused(error: stripe.InvalidRequestError | stripe.CardError) -> PaymentRefused:
    refusal = _clean(error.code, _WORD) or type(error).__name__
    parameter = _clean(error.param, _PARAMETER)
    if refusal == "resource_missing" and parameter == "customer":
        refusal = "customer_gone"
    logger.warning("the payment processor refused a request: %s, parameter %s", refusal, parameter or "none")
    return PaymentRefused(
        f"The payment processor refused this ({refusal}); trying again cannot help.", facts={"refusal": refusal}
    )


def _clean(word: object, shape: re.Pattern[str]) -> str:
    """A word of theirs if it can be no id: those hold digits."""
    text = str(word or "")
    return text if shape.fullmatch(text) else ""


def _unreadable(error: Exception) -> Unavailable:
    """A mistake of ours or an answer of another shape. Where it was is logged, not what was in hand."""
    *_, last = traceback.extract_tb(error.__traceback__)
    where = f"{PurePath(last.filename).name}:{last.lineno}"
    logger.error("an answer of the payment processor could not be read: %s at %s", type(error).__name__, where)
    return Unavailable(
        "The payment processor answered in a way this gateway cannot read; its operator has to look into it.",
        retry_after=_OPERATORS_RETRY,
    )
