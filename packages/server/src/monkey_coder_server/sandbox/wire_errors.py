"""Errors in each provider's own words and shape (statuses and bodies after the recordings)."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import msgspec

HTML_502 = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    b"<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """An HTTP error answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """A request the provider would not serve: `kind` is a row of the tables below."""

    def __init__(self, kind: str, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.param = param
        self.code = code


def refuse(kind: str, message: str, *, param: str | None = None, code: str | None = None) -> NoReturn:
    """Turn the request away."""
    raise Refused(kind, message, param=param, code=code)


KINDS: dict[str, tuple[int, str]] = {
    "invalid": (400, "The request is invalid."),
    "auth": (401, "The API key is not valid."),
    "payment": (402, "Your credit balance is too low."),
    "forbidden": (403, "You are not allowed to do this."),
    "not_found": (404, "The requested resource was not found."),
    "too_large": (413, "The request is too large."),
    "rate_limit": (429, "Rate limit reached for requests. Please try again later."),
    "quota": (429, "You exceeded your current quota, please check your plan and billing details."),
    "server": (500, "The server had an error while processing your request. Sorry about that!"),
    "bad_gateway": (502, "Bad gateway."),
    "unavailable": (503, "The engine is currently overloaded, please try again later."),
    "overloaded": (529, "Overloaded"),
}
"""Kind → status, message where the caller gives none."""

FAULT_KINDS = {
    "400": "invalid",
    "401": "auth",
    "402": "payment",
    "403": "forbidden",
    "404": "not_found",
    "413": "too_large",
    "429": "rate_limit",
    "quota": "quota",
    "500": "server",
    "502": "bad_gateway",
    "503": "unavailable",
    "529": "overloaded",
}

_OPENAI: dict[str, tuple[str, str | None]] = {
    "invalid": ("invalid_request_error", None),
    "auth": ("invalid_request_error", "invalid_api_key"),
    "payment": ("insufficient_quota", "insufficient_quota"),
    "forbidden": ("request_forbidden", "unsupported_country_region_territory"),
    "not_found": ("invalid_request_error", "model_not_found"),
    "too_large": ("invalid_request_error", "request_too_large"),
    "rate_limit": ("requests", "rate_limit_exceeded"),
    "quota": ("insufficient_quota", "insufficient_quota"),
    "server": ("server_error", None),
    "bad_gateway": ("server_error", None),
    "unavailable": ("server_error", None),
    "overloaded": ("server_error", None),
}
_GROQ = _OPENAI | {
    "forbidden": ("permissions_error", "forbidden"),
    "too_large": ("tokens", "rate_limit_exceeded"),
    "rate_limit": ("tokens", "rate_limit_exceeded"),
    "quota": ("invalid_request_error", "blocked_api_access"),
    "server": ("internal_server_error", None),
    "unavailable": ("service_unavailable", None),
    "overloaded": ("over_capacity", None),
}
_XAI = {
    "invalid": "Client specified an invalid argument",
    "auth": "Client specified an invalid argument",
    "payment": "Some resource has been exhausted",
    "forbidden": "The caller does not have permission to execute the specified operation",
    "not_found": "Some requested entity was not found",
    "too_large": "Client specified an invalid argument",
    "rate_limit": "Some resource has been exhausted",
    "quota": "Some resource has been exhausted",
    "server": "Internal error",
    "bad_gateway": "The service is currently unavailable",
    "unavailable": "The service is currently unavailable",
    "overloaded": "The service is currently unavailable",
}
_PERPLEXITY = {
    "invalid": "bad_request",
    "auth": "invalid_api_key",
    "payment": "insufficient_credits",
    "forbidden": "permission_denied",
    "not_found": "invalid_model",
    "too_large": "too_many_prompt_tokens",
    "rate_limit": "rate_limit_exceeded",
    "quota": "insufficient_quota",
    "server": "internal_server_error",
    "bad_gateway": "bad_gateway",
    "unavailable": "service_unavailable",
    "overloaded": "overloaded",
}
_MOONSHOT = {
    "invalid": "invalid_request_error",
    "auth": "invalid_authentication_error",
    "payment": "exceeded_current_quota_error",
    "forbidden": "permission_denied_error",
    "not_found": "resource_not_found_error",
    "too_large": "invalid_request_error",
    "rate_limit": "rate_limit_reached_error",
    "quota": "exceeded_current_quota_error",
    "server": "server_error",
    "bad_gateway": "server_error",
    "unavailable": "engine_overloaded_error",
    "overloaded": "engine_overloaded_error",
}
_ANTHROPIC = {
    "invalid": "invalid_request_error",
    "auth": "authentication_error",
    "payment": "billing_error",
    "forbidden": "permission_error",
    "not_found": "not_found_error",
    "too_large": "request_too_large",
    "rate_limit": "rate_limit_error",
    "quota": "invalid_request_error",
    "server": "api_error",
    "bad_gateway": "api_error",
    "unavailable": "overloaded_error",
    "overloaded": "overloaded_error",
}
_GOOGLE = {
    "invalid": "INVALID_ARGUMENT",
    "auth": "INVALID_ARGUMENT",
    "payment": "FAILED_PRECONDITION",
    "forbidden": "PERMISSION_DENIED",
    "not_found": "NOT_FOUND",
    "too_large": "INVALID_ARGUMENT",
    "rate_limit": "RESOURCE_EXHAUSTED",
    "quota": "RESOURCE_EXHAUSTED",
    "server": "INTERNAL",
    "bad_gateway": "UNAVAILABLE",
    "unavailable": "UNAVAILABLE",
    "overloaded": "UNAVAILABLE",
}
_SENTENCES = {
    ("openai", "auth"): "Incorrect API key provided: sk-test. You can find your API key at "
    "https://platform.openai.com/account/api-keys.",
    ("openai", "forbidden"): "Country, region, or territory not supported",
    ("openai", "rate_limit"): "Rate limit reached for this model in organization org-test on requests per min (RPM): "
    "Limit 500, Used 500, Requested 1. Please try again in 120ms.",
    ("groq", "auth"): "Invalid API Key",
    ("groq", "rate_limit"): "Rate limit reached for this model in organization `org_test` on tokens per minute (TPM): "
    "Limit 7000, Used 6900, Requested ~1290. Please try again in 2s. Visit https://console.groq.com/docs/rate-limits "
    "for more information.",
    ("xai", "auth"): "Incorrect API key provided: in***ey. You can obtain an API key from https://console.x.ai.",
    ("xai", "quota"): "Your team has either used all available credits or reached its monthly spending limit. To "
    "continue making API requests, please purchase more credits or raise your spending limit.",
    ("perplexity", "auth"): "Invalid API key provided. Ensure your API key is correct and active.",
    ("moonshot", "auth"): "Invalid Authentication",
    ("moonshot", "rate_limit"): "Your account org-test request reached organization max RPM: 3, please try again after "
    "1 seconds",
    ("moonshot", "unavailable"): "The engine is currently overloaded, please try again later",
    ("anthropic", "auth"): "invalid x-api-key",
    (
        "anthropic",
        "quota",
    ): "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to "
    "upgrade or purchase credits.",
    ("anthropic", "rate_limit"): "This request would exceed your organization's rate limit of 450,000 input tokens per "
    "minute. For details, refer to: https://docs.claude.com/en/api/rate-limits.",
    ("anthropic", "server"): "Internal server error",
    ("google", "auth"): "API key not valid. Please pass a valid API key.",
    ("google", "rate_limit"): "You exceeded your current quota, please check your plan and billing details. For more "
    "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.",
    ("google", "server"): "An internal error has occurred. Please retry or report in "
    "https://developers.generativeai.google/guide/troubleshooting",
    ("google", "unavailable"): "The model is overloaded. Please try again later.",
    ("google", "overloaded"): "The model is overloaded. Please try again later.",
}
"""(provider, kind) → sentence, mostly from the recordings. Anthropic's empty balance is a 400."""
_STATUSES = {
    ("anthropic", "quota"): 400,
    ("xai", "auth"): 400,
    ("google", "auth"): 400,
    ("perplexity", "not_found"): 400,
    ("google", "overloaded"): 503,
}


def _openai(kind: str, refused: Refused) -> dict[str, Any]:
    type_, code = _OPENAI[kind]
    error = {"message": refused.message, "type": type_, "param": refused.param, "code": refused.code or code}
    return {"error": error}


def _groq(kind: str, refused: Refused) -> dict[str, Any]:
    type_, code = _GROQ[kind]
    error: dict[str, Any] = {"message": refused.message, "type": type_}
    if refused.code or code:
        error["code"] = refused.code or code
    return {"error": error}


def _xai(kind: str, refused: Refused) -> dict[str, Any]:
    return {"code": _XAI[kind], "error": refused.message}


def _perplexity(kind: str, refused: Refused) -> dict[str, Any]:
    return {
        "error": {
            "message": refused.message,
            "type": refused.code or _PERPLEXITY[kind],
            "code": status("perplexity", kind),
        }
    }


def _moonshot(kind: str, refused: Refused) -> dict[str, Any]:
    return {"error": {"message": refused.message, "type": _MOONSHOT[kind]}}


def _anthropic(kind: str, refused: Refused) -> dict[str, Any]:
    return {"type": "error", "error": {"type": _ANTHROPIC[kind], "message": refused.message}}


def _google(kind: str, refused: Refused) -> dict[str, Any]:
    error: dict[str, Any] = {"code": status("google", kind), "message": refused.message, "status": _GOOGLE[kind]}
    if kind == "auth":
        metadata = {"service": "generativelanguage.googleapis.com"}
        error["details"] = [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": metadata,
            },
            {
                "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
                "locale": "en-US",
                "message": refused.message,
            },
        ]
    return {"error": error}


_BODIES: dict[str, Callable[[str, Refused], dict[str, Any]]] = {
    "openai": _openai,
    "groq": _groq,
    "xai": _xai,
    "perplexity": _perplexity,
    "moonshot": _moonshot,
    "anthropic": _anthropic,
    "google": _google,
}


def status(provider: str, kind: str) -> int:
    """The status a provider gives to a kind of error."""
    return _STATUSES.get((provider, kind), KINDS[kind][0])


def body(provider: str, refused: Refused) -> tuple[int, dict[str, Any]]:
    """Status and JSON body of an error."""
    return status(provider, refused.kind), _BODIES[provider](refused.kind, refused)


def render(provider: str, refused: Refused, *, request_id: str, retry_after: str = "") -> ErrorReply:
    """The whole HTTP answer of an error."""
    number, content = body(provider, refused)
    headers = _headers(provider, refused.kind, number, retry_after)
    if number == 502:
        return ErrorReply(502, HTML_502, "text/html", headers)
    if provider == "anthropic":
        content["request_id"] = request_id
    if provider == "google":
        if retry_after and refused.kind in {"rate_limit", "quota"}:
            retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{retry_after}s"}
            content["error"]["details"] = [retry]
        return ErrorReply(number, json.dumps(content, indent=2).encode(), "application/json; charset=UTF-8", headers)
    return ErrorReply(number, msgspec.json.encode(content), "application/json", headers)


def _headers(provider: str, kind: str, number: int, retry_after: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    if retry_after and provider != "google":
        headers["retry-after"] = retry_after
        if provider == "moonshot":
            headers |= {"x-retry-after": retry_after, "msh-cooldown-seconds": retry_after}
    if provider == "anthropic":
        headers["x-should-retry"] = "true" if number >= 429 else "false"
    elif provider == "openai" and kind == "quota":
        headers["x-should-retry"] = "false"
    return headers


def fault(provider: str, name: str, message: str) -> Refused:
    """The refusal a scripted error fault stands for, in the provider's own words unless others are given."""
    kind = FAULT_KINDS[name]
    return Refused(kind, message or sentence(provider, kind))


def sentence(provider: str, kind: str) -> str:
    """What the provider says about that kind of error when there is nothing special to say."""
    return _SENTENCES.get((provider, kind), KINDS[kind][1])
