"""What a caller is told after the last attempt: the provider's words, without our own affairs."""

from collections.abc import Sequence

from monkey_coder_server.domain.errors import (
    ContextTooLong,
    FailureKind,
    GatewayError,
    ProviderFailed,
    ProviderFailure,
    ProviderTimedOut,
)
from monkey_coder_server.features.inference.exchange import Answering
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.trail import Trail

OUR_OWN = frozenset({FailureKind.AUTHENTICATION, FailureKind.PERMISSION, FailureKind.QUOTA})
"""Kinds that concern the gateway's account: the provider's words (they name our key) are not passed on."""
SENTENCE = 300
"""Characters of a provider's message that are passed on."""


def all_rest(routes: Sequence[Route], now: float) -> ProviderFailure:
    """Why none of the routes could be called."""
    waits = [route.keys.wait(route.card.model, now) for route in routes]
    wait = min(waits)
    route = routes[waits.index(wait)]
    refused = route.keys.refusal(now)
    if refused is not None:
        return ProviderFailure(route.provider.name, refused, "The provider refuses our keys.")
    sentence = "The provider asked this gateway to wait before it sends more."
    return ProviderFailure(route.provider.name, FailureKind.RATE_LIMIT, sentence, retry_after=wait)


def refusal(failure: ProviderFailure, trail: Trail) -> GatewayError:
    """What the caller is told after the last attempt."""
    if failure.kind is FailureKind.CONTEXT_TOO_LONG:
        return ContextTooLong(f"The prompt does not fit the model's context window: {_said(failure, trail)}")
    tried = ", ".join(f"{one.provider}/{one.model} ({one.outcome})" for one in trail.records)
    suffix = f" Tried: {tried}." if len(trail.records) > 1 else ""
    if failure.kind is FailureKind.TIMEOUT:
        return ProviderTimedOut(f"{failure.provider} was too slow: {_said(failure, trail)}{suffix}")
    message = f"{failure.provider} could not serve the request ({failure.kind}): {_said(failure, trail)}{suffix}"
    return ProviderFailed(message, facts={"failure": failure.kind}, retry_after=failure.retry_after)


def _said(failure: ProviderFailure, trail: Trail) -> str:
    """The provider's own words, without the key they may quote."""
    if failure.kind in OUR_OWN:
        return "the provider refused this gateway's own account; the operator must look into it."
    words = " ".join(failure.message.split())
    if trail.route is not None:
        words = trail.route.keys.without_keys(words)
    return words if len(words) <= SENTENCE else f"{words[:SENTENCE]}…"


def unsaid(answering: Answering) -> ProviderFailure:
    """Of a stream that ended without a word of why."""
    return ProviderFailure(answering.route.provider.name, FailureKind.CUT_SHORT, "The answer broke off.")
