"""Limits of requests, tokens and concurrency, all of a request's in one step."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from monkey_coder_server.domain.rates import Bound


class Take(NamedTuple):
    """So much of one bound."""

    bound: Bound
    amount: int


class Standing(NamedTuple):
    """How a bound stands, as far as this process knows: what is left, and seconds until all of it is free."""

    bound: Bound
    left: int
    reset: float


class Refusal(NamedTuple):
    """The bound a request does not fit in, and seconds after which it might."""

    standing: Standing
    retry_after: float


class Pass(Protocol):
    """What a request has taken. All of it is given back once at most."""

    def settle(self, tokens: int) -> None:
        """The request is over and used so many tokens: what was reserved beyond is free again, and so is its place."""

    def cancel(self) -> None:
        """The request was turned away: nothing of it counts."""


class Quotas(Protocol):
    """Counts in no 60 seconds more than is allowed, and at no moment more requests at once."""

    async def admit(self, takes: Sequence[Take]) -> Pass | Refusal:
        """Take all or nothing."""

    def standing(self, bound: Bound) -> Standing:
        """How a bound stands; takes nothing."""
