"""Response headers as each provider sets them (after the recordings)."""

from collections.abc import Callable

from monkey_coder_server.sandbox.identifiers import base62, uuid


def request_id(provider: str, number: int) -> str:
    """The id a provider puts into its response headers."""
    if provider in {"openai", "groq"}:
        return f"req_{base62(number, 32).lower()}"
    if provider == "anthropic":
        return f"req_011{base62(number, 21)}"
    return uuid(number)


def _openai(identifier: str) -> dict[str, str]:
    return {
        "x-request-id": identifier,
        "openai-processing-ms": "42",
        "openai-version": "2020-10-01",
        "x-ratelimit-limit-requests": "15000",
        "x-ratelimit-limit-tokens": "40000000",
        "x-ratelimit-remaining-requests": "14999",
        "x-ratelimit-remaining-tokens": "39999000",
        "x-ratelimit-reset-requests": "4ms",
        "x-ratelimit-reset-tokens": "0s",
    }


def _anthropic(identifier: str) -> dict[str, str]:
    limits = {"input-tokens": "2000000", "output-tokens": "400000", "requests": "4000", "tokens": "2400000"}
    headers = {"request-id": identifier, "x-envoy-upstream-service-time": "42"}
    for name, limit in limits.items():
        headers[f"anthropic-ratelimit-{name}-limit"] = limit
        headers[f"anthropic-ratelimit-{name}-remaining"] = limit
        headers[f"anthropic-ratelimit-{name}-reset"] = "2026-09-21T15:33:20Z"
    return headers


def _xai(identifier: str) -> dict[str, str]:
    return {
        "x-request-id": identifier,
        "x-zero-data-retention": "false",
        "x-ratelimit-limit-requests": "1800",
        "x-ratelimit-remaining-requests": "1799",
        "x-ratelimit-limit-tokens": "10000000",
        "x-ratelimit-remaining-tokens": "9999000",
    }


def _moonshot(identifier: str) -> dict[str, str]:
    return {"msh-request-id": identifier, "msh-trace-mode": "on", "vary": "Origin"}


_MAKERS: dict[str, Callable[[str], dict[str, str]]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "google": lambda _: {"vary": "Origin", "server-timing": "gfet4t7; dur=42"},
    "groq": lambda identifier: {"x-request-id": identifier, "vary": "Origin", "cache-control": "private, max-age=0"},
    "xai": _xai,
    "perplexity": lambda identifier: {"x-request-id": identifier},
    "moonshot": _moonshot,
}


def of(provider: str, identifier: str) -> dict[str, str]:
    """The headers of an answer with that request id."""
    return _MAKERS[provider](identifier)
