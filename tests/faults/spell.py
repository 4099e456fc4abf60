"""What came of the requests of a while."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.asking import Asked


@dataclass(frozen=True, slots=True)
class Spell:
    """Seconds; `calls` to providers; nano-dollars that providers `billed`."""

    asked: int
    errors: Mapping[str, int]
    calls: int
    billed: int
    median: float
    p99: float
    longest: float

    @classmethod
    def of(cls, asked: Sequence[Asked], bills: Sequence[Mapping[str, Any]]) -> "Spell":
        """Of what callers were told, and of the simulators' own list of their calls."""
        times = sorted(one.seconds for one in asked)
        return cls(
            asked=len(asked),
            errors=Counter(one.error for one in asked if one.error),
            calls=len(bills),
            billed=sum(bill["cost_nanos"] for bill in bills),
            median=times[len(times) // 2],
            p99=times[len(times) * 99 // 100],
            longest=times[-1],
        )

    @property
    def served(self) -> float:
        """The share of requests that got their whole answer."""
        return 1.0 - sum(self.errors.values()) / self.asked

    @property
    def amplification(self) -> float:
        """Calls for each request."""
        return self.calls / self.asked

    @property
    def cost(self) -> float:
        """USD that providers billed for 1,000 requests."""
        return self.billed / 1e6 / self.asked
