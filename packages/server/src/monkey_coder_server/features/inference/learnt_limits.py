"""What a provider says, beside an answer, of how much of its rate limit is left to a key."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

FAMILIES = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
)
"""What is left, and when it is renewed: OpenAI, Groq, xAI and Moonshot; Anthropic. Others say nothing."""
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s|d)")
_SPAN = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|h|m|s|d))+\Z")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
UNSAID = 1.0
"""Seconds until a limit is renewed whose provider does not say when."""


def spent_for(headers: Mapping[str, str], clock: Callable[[], datetime]) -> float:
    """Seconds until the key can be used again by what it has left; 0 when something is left, or nothing is said."""
    if "0" not in headers.values():  # looked for in all of them at once, as it is hardly ever there
        return 0.0
    used_up = [reset for left, reset in FAMILIES if headers.get(left) == "0"]
    if not used_up:
        return 0.0
    now = clock()
    return max([_until(headers.get(reset, ""), now) for reset in used_up])


def _until(written: str, now: datetime) -> float:
    """A span as Go prints it (`6m0.5s`), plain seconds, or a moment by RFC 3339."""
    if _SPAN.match(written):
        return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(written))
    try:
        return float(written) if written.isdecimal() else (datetime.fromisoformat(written) - now).total_seconds()
    except (ValueError, TypeError):
        return UNSAID
