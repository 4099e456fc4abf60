"""Sockets to providers."""

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from monkey_coder_server.domain.errors import ProviderFailure
from monkey_coder_server.ports.provider import WireRequest
from monkey_coder_server.ports.record import Record


class Deadlines(Record, frozen=True):
    """Seconds. `first_byte` is from sending the request to the reply's status line, `idle` between two reads."""

    connect: float = 5.0
    first_byte: float = 120.0
    idle: float = 60.0
    total: float = 600.0


class UpstreamFailed(Exception):
    """No usable HTTP answer: kinds CONNECTION, TIMEOUT, CUT_SHORT or MALFORMED (too large, undecodable)."""

    def __init__(self, failure: ProviderFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class UpstreamReply(Protocol):
    """An answer whose body has not been read. Header names are lower case."""

    status: int
    headers: Mapping[str, str]

    async def read(self) -> bytes:
        """The whole body, bounded. Raises `UpstreamFailed`; the connection is given back."""

    def pieces(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises `UpstreamFailed`."""

    def close(self) -> None:
        """Give up the connection at once; harmless after the end."""


class Upstream(Protocol):
    """One pool a provider, so that one provider's overload cannot exhaust another's."""

    async def send(self, provider: str, base_url: str, request: WireRequest, deadlines: Deadlines) -> UpstreamReply:
        """POST and wait for the status line. Redirects are not followed. Raises `UpstreamFailed`."""

    async def close(self) -> None:
        """Close every pool."""
