"""What went wrong on the way to a provider: as it is raised within, and in our vocabulary for a user to act on."""

import ssl

from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.ports.upstream import UpstreamFailed


class Broken(Exception):
    """No answer came, or not the whole of it: the connection is closed."""


class NotHttp(Broken):
    """What came is not HTTP, or more of it than may be. Its text says why."""


class NoRoute(Broken):
    """A base URL that leads nowhere."""


class TooSlow(Broken):
    """There was no connection in time."""


class Unreachable(Broken):
    """There is no connection, and why: from the look-up of the name when `looking_up`, else from the connecting."""

    def __init__(self, cause: OSError, *, looking_up: bool = False) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.looking_up = looking_up


def failed(provider: str, kind: FailureKind, message: str, status: int | None = None) -> UpstreamFailed:
    """An `UpstreamFailed` to raise."""
    return UpstreamFailed(ProviderFailure(provider, kind, message, status=status))


def before_headers(provider: str, broken: Broken, *, connect: float) -> UpstreamFailed:
    """No status line came. A refused or slow connection cost the provider nothing, so it is CONNECTION."""
    if isinstance(broken, NotHttp):
        return failed(provider, FailureKind.MALFORMED, f"{provider} did not answer in HTTP: {broken}")
    if isinstance(broken, TooSlow):
        message = f"No connection to {provider} within {connect:g} s."
    elif isinstance(broken, Unreachable):
        message = _no_way(provider, broken)
    elif isinstance(broken, NoRoute):
        message = f"The base URL of {provider} is not valid."
    else:
        message = f"{provider} closed the connection before answering."
    return failed(provider, FailureKind.CONNECTION, message)


def _no_way(provider: str, broken: Unreachable) -> str:
    """Why there is no connection."""
    cause = broken.cause
    kind, reason = type(cause).__name__, cause.strerror
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"The certificate of {provider} is not valid."
    if isinstance(cause, ssl.SSLError):
        reason = getattr(cause, "reason", None) or kind
        return f"{provider} does not agree on TLS: {reason.lower().replace('_', ' ')}."
    if broken.looking_up:
        return f"The host of {provider} has no address: {reason or kind}."
    return f"Cannot connect to {provider}: {reason or kind}."


def in_body(provider: str, status: int) -> UpstreamFailed:
    """The connection broke, or the framing with it, after the status line."""
    return failed(
        provider, FailureKind.CUT_SHORT, f"{provider} cut the connection in the middle of its answer.", status
    )
