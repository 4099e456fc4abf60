"""API keys: where each provider looks for one, and how it turns a wrong one away."""

from collections.abc import Mapping

from monkey_coder_server.sandbox.wire_errors import refuse

_WRONG = {
    "openai": "Incorrect API key provided: {key}. You can find your API key at https://platform.openai.com/account/api-keys.",
    "groq": "Invalid API Key",
    "xai": "Incorrect API key provided: {key}. You can obtain an API key from https://console.x.ai.",
    "perplexity": "Invalid API key provided. Ensure your API key is correct and active.",
    "moonshot": "Invalid Authentication",
    "anthropic": "invalid x-api-key",
    "google": "API key not valid. Please pass a valid API key.",
}
_MISSING = {
    "openai": "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer "
    "auth (i.e. Authorization: Bearer YOUR_KEY).",
    "xai": "No API key was provided. You can obtain an API key from https://console.x.ai.",
    "anthropic": "x-api-key header is required",
    "google": "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
    "other form of API consumer identity to call this API.",
}


def check(provider: str, headers: Mapping[str, str], query: Mapping[str, str]) -> None:
    """Raise Refused unless the request carries a key this provider would take: any that does not start with `bad`."""
    key = _key(provider, headers, query)
    if not key:
        kind = "forbidden" if provider == "google" else "auth"
        refuse(kind, _MISSING.get(provider, _WRONG[provider]))
    if key.startswith("bad"):
        refuse("auth", _WRONG[provider].format(key=_masked(key)))


def _key(provider: str, headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    if provider == "google":
        return headers.get("x-goog-api-key", "") or query.get("key", "")
    if provider == "anthropic" and headers.get("x-api-key"):
        return headers["x-api-key"]
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _masked(key: str) -> str:
    return key if len(key) < 12 else f"{key[:8]}{'*' * (len(key) - 12)}{key[-4:]}"
