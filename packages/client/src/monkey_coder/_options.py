"""What a client is made with, and the translation between httpx2's world and ours."""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from monkey_coder import _responses, errors, settings
from monkey_coder._requests import Request
from monkey_coder._retry import RetryPolicy
from monkey_coder_protocol.version import VERSION

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""An answer that is longer is refused instead of filling the memory."""


@dataclass(frozen=True, slots=True)
class RetryNotice:
    """Told to `on_retry` before the client waits `delay` seconds and tries again."""

    error: errors.MonkeyCoderError
    attempt: int
    delay: float


@dataclass(frozen=True, slots=True, repr=False)
class ClientOptions:
    """All times in seconds. `timeout` replaces each call's own total when it is set."""

    base_url: str
    api_key: str | None
    timeout: float | None
    connect_timeout: float
    idle_timeout: float
    retry: RetryPolicy
    user_agent: str
    on_response: Callable[[_responses.ResponseInfo], None] | None
    on_retry: Callable[[RetryNotice], None] | None

    def total(self, request: Request) -> float:
        """Seconds that this call may take with all its attempts."""
        return request.timeout if self.timeout is None else self.timeout


def client_options(  # noqa: PLR0913  # the public constructor's keywords, kept by name
    *,
    api_key: str | None,
    base_url: str | None,
    timeout: float | None,
    connect_timeout: float,
    idle_timeout: float,
    retry: RetryPolicy,
    user_agent: str | None,
    on_response: Callable[[_responses.ResponseInfo], None] | None,
    on_retry: Callable[[RetryNotice], None] | None,
) -> ClientOptions:
    """Fill what was not said from environment and files. Raises `ConfigurationError`."""
    if base_url is None or api_key is None:
        found = settings.load({"apiKey": api_key, "baseUrl": base_url})
        api_key, base_url = found.api_key, found.base_url
    if api_key is not None and not (api_key.isascii() and api_key.isprintable() and " " not in api_key):
        raise errors.ConfigurationError("The API key holds characters that no key has; copy it again.")
    return ClientOptions(
        base_url=settings.checked_base_url(base_url),
        api_key=api_key,
        timeout=timeout,
        connect_timeout=connect_timeout,
        idle_timeout=idle_timeout,
        retry=retry,
        user_agent=user_agent or f"monkey-coder/{VERSION} python/{platform.python_version()}",
        on_response=on_response,
        on_retry=on_retry,
    )


def httpx_arguments(options: ClientOptions, request: Request, *, remaining: float) -> dict[str, Any]:
    """Keywords for `build_request`. A stream may be silent for the idle time, another call for all that remains."""
    silence = min(options.idle_timeout, remaining) if request.streaming else remaining
    return {
        "method": request.method,
        "url": options.base_url + request.path,
        "content": request.body,
        "params": dict(request.query) or None,
        "headers": dict(request.headers),
        "timeout": httpx2.Timeout(
            connect=min(options.connect_timeout, remaining), read=silence, write=remaining, pool=remaining
        ),
    }


def network_error(cause: httpx2.HTTPError, options: ClientOptions) -> errors.NetworkError:
    """Our error for one of httpx2's; the sentence names the address and the cause."""
    where, reason = options.base_url, str(cause) or type(cause).__name__
    if isinstance(cause, httpx2.ConnectTimeout):
        return errors.ConnectionFailedError(f"No connection to {where} within {options.connect_timeout:g} s.")
    if isinstance(cause, (httpx2.ConnectError, httpx2.ProxyError)):
        return errors.ConnectionFailedError(f"Cannot reach {where}: {reason}.")
    if isinstance(cause, httpx2.TimeoutException):
        return errors.RequestTimeoutError(f"{where} was silent for too long.")
    return errors.NetworkError(f"The connection to {where} broke: {reason}.")


def lower_headers(headers: httpx2.Headers) -> dict[str, str]:
    """Header names in lower case, repeated ones joined."""
    return {name.lower(): value for name, value in headers.items()}


def out_of_time(options: ClientOptions, request: Request) -> errors.RequestTimeoutError:
    """The error for a call whose total time ran out."""
    return errors.RequestTimeoutError(
        f"{options.base_url} did not finish within {options.total(request):g} s; allow more with a longer timeout."
    )


def too_long() -> errors.ResponseFormatError:
    """The error for an answer beyond `MAX_ANSWER_BYTES`."""
    return errors.ResponseFormatError(f"The gateway's answer is longer than {MAX_ANSWER_BYTES} bytes.")


def event_stream_headers(headers: httpx2.Headers) -> dict[str, str]:
    """The headers of an event stream in lower case. Raises `ResponseFormatError` for anything else."""
    lower = lower_headers(headers)
    kind = lower.get("content-type", "no content type")
    if not kind.startswith("text/event-stream"):
        message = f"A stream of events was due, but {kind} came; is the base URL right?"
        raise errors.ResponseFormatError(message, request_id=lower.get("x-request-id"))
    return lower
