"""What went wrong on the way to a provider, in our vocabulary and in words a user can act on."""

import aiohttp
from aiohttp.http import HttpProcessingError

from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.ports.upstream import UpstreamFailed


def failed(provider: str, kind: FailureKind, message: str, status: int | None = None) -> UpstreamFailed:
    """An `UpstreamFailed` to raise."""
    return UpstreamFailed(ProviderFailure(provider, kind, message, status=status))


def before_headers(provider: str, error: Exception, *, connect: float) -> UpstreamFailed:
    """No status line came. A refused or slow connection cost the provider nothing, so it is CONNECTION."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return failed(provider, FailureKind.CONNECTION, f"No connection to {provider} within {connect:g} s.")
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorError):
        return failed(provider, FailureKind.CONNECTION, _no_way(provider, error))
    if isinstance(error, aiohttp.ClientResponseError | HttpProcessingError):
        reason = error.message.partition("\n")[0][:200]
        return failed(provider, FailureKind.MALFORMED, f"{provider} did not answer in HTTP: {reason}")
    if isinstance(error, aiohttp.InvalidURL):
        return failed(provider, FailureKind.CONNECTION, f"The base URL of {provider} is not valid.")
    return failed(provider, FailureKind.CONNECTION, f"{provider} closed the connection before answering.")


def _no_way(provider: str, error: aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorError) -> str:
    """Why there is no connection."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"The certificate of {provider} is not valid."
    kind, reason = type(error.os_error).__name__, error.os_error.strerror
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        reason = getattr(error.os_error, "reason", None) or kind
        return f"{provider} does not agree on TLS: {reason.lower().replace('_', ' ')}."
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"The host of {provider} has no address: {reason or kind}."
    return f"Cannot connect to {provider}: {reason or kind}."


def in_body(provider: str, status: int) -> UpstreamFailed:
    """The connection broke, or the framing with it, after the status line."""
    return failed(
        provider, FailureKind.CUT_SHORT, f"{provider} cut the connection in the middle of its answer.", status
    )
