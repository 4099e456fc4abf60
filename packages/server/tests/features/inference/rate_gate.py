"""Limits on rates that let so many requests in."""

from collections.abc import Sequence

from monkey_coder_server.domain.rates import Bound, Measure
from monkey_coder_server.ports.quotas import Refusal, Take
from monkey_coder_server.ports.quotas import Standing as Left


class Gate:
    """`ports.quotas.Quotas` that counts requests down. `inside`: those that were admitted and have not ended."""

    def __init__(self, left: int = 1_000_000) -> None:
        self.left = left
        self.inside: set[object] = set()
        self.used: list[int] = []

    async def admit(self, takes: Sequence[Take]) -> "Admitted | Refusal":
        self.left -= sum(take.amount for take in takes if take.bound.measure is Measure.REQUESTS)
        if self.left < 0:
            return Refusal(self.standing(takes[0].bound), 7.0)
        return Admitted(self)

    def standing(self, bound: Bound) -> Left:
        return Left(bound, max(0, min(bound.allowed, self.left)), 0.0)


class Admitted:
    """What a request holds at the gate."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        gate.inside.add(self)

    def settle(self, tokens: int) -> None:
        if self in self.gate.inside:
            self.gate.used.append(tokens)
        self.cancel()

    def cancel(self) -> None:
        self.gate.inside.discard(self)
