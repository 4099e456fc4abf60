"""What routing decided and what came of it, and what all processes have seen of the arms: figures and names, no text.

An arm is `provider/model`, or that with an effort. Money is nano-dollars, times are milliseconds.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.bandit.checkpoint import Delta, Stored
from monkey_coder_server.ports.record import Record


class Weighed(Record, frozen=True, array_like=True):
    """An arm as it was weighed: its expected quality (0 to 1) with standard deviation, cost and latency.

    `propensity` is the probability with which it was to be played.
    """

    arm: str
    quality: float
    spread: float
    cost: int
    latency_ms: int
    propensity: float


class RoutingDecision(Record, frozen=True):
    """Where a served request was sent and why. `kind`, `language` and `size` name classes; no caller's words.

    `mode` is the rule it was chosen by, `propensity` that of the chosen `arm`; `explored` says that it was drawn.
    `served` is the arm that answered, another one where the chosen one failed; `cost` and `latency_ms` are what that
    took.
    """

    request_id: str
    at: datetime
    account_id: str
    kind: str
    language: str
    size: str
    mode: str
    arm: str
    propensity: float
    explored: bool
    served: str
    cost: int
    latency_ms: int
    candidates: tuple[Weighed, ...]


class RoutingOutcome(Record, frozen=True):
    """How good an answer turned out: `quality` 0 to 1, `weight` how much that counts, `signal` what said so.

    Of two of the same request the heavier counts, of equals the later.
    """

    request_id: str
    at: datetime
    quality: float
    weight: float
    signal: str


class LoggedDecision(Record, frozen=True):
    """A decision and how it turned out, if anybody said."""

    decision: RoutingDecision
    outcome: RoutingOutcome | None


class DecisionLog(Protocol):
    """A row for each routed request. Raises `Unavailable`."""

    async def write(self, decisions: Sequence[RoutingDecision], outcomes: Sequence[RoutingOutcome]) -> None:
        """Store them, durable on return; at most one of each for a request. What stands there already stays.

        An outcome may come before its decision.
        """

    def between(self, start: datetime, end: datetime) -> AsyncIterator[Sequence[LoggedDecision]]:
        """Every decision with start ≤ t < end by time, a page at a time."""

    async def forget(self, before: datetime) -> int:
        """Drop some of what is older; how many rows, 0 when none is left."""


class EvidenceStore(Protocol):
    """The sums of what all processes saw, of arms, of checks or of texts. Raises `Unavailable`.

    Of a check the arm is its name and `right` or `wrong`, a blank between; the quality is whether answers passed. Of
    texts only outcomes and quality are kept, which is by how much outcomes were better than believed; nodes are those
    of `bandit.surprises`.
    """

    async def add(self, instance: str, delta: Delta) -> None:
        """Add what a process saw to the sums, durable on return: once, however often it is asked.

        An instance's deltas come one after another, by rising sequence; a new process is a new instance.
        """

    async def changed(self, instance: str, since: datetime | None) -> Stored:
        """The sums that changed since then (None: at most `NEWEST`, the newest)."""

    async def forget(self, before: datetime) -> int:
        """Drop some of the sums nobody added to since; how many, 0 when none is left."""


NEWEST = 20_000
"""So many sums a process starts from; where there are more, the oldest say least of what models can do now."""
