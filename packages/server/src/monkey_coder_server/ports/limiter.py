"""Rate limits."""

from typing import Protocol

from monkey_coder_server.ports.record import Record


class Verdict(Record, frozen=True):
    """`retry_after` in seconds when refused; `remaining` requests in the present window."""

    allowed: bool
    limit: int
    remaining: int
    retry_after: float


class Limiter(Protocol):
    """A token bucket per subject."""

    async def take(self, subject: str, *, limit: int, period: float, cost: int = 1) -> Verdict:
        """Take `cost` of `limit` per `period` seconds."""
