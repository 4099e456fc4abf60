"""A gate that counts requests down, and knows who is inside."""

from collections.abc import Sequence

from monkey_coder_server.domain.rates import Bound, HouseRates, Measure, SetRate
from monkey_coder_server.features.inference.limits import Limits
from monkey_coder_server.ports.quotas import Refusal, Standing, Take


def limits_of(gate: "Gate") -> Limits:
    """The limits of a gateway whose only figure is a key's."""
    return Limits(gate, lambda _account: (), HouseRates(SetRate(Measure.REQUESTS, 60_000, "RATE_LIMIT_PER_MINUTE")))


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

    def standing(self, bound: Bound) -> Standing:
        return Standing(bound, max(0, min(bound.allowed, self.left)), 0.0)


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
