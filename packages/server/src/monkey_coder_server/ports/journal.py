"""What a process must not forget when it dies: what it admitted, what it is delivering, what came of it.

A record is *written* in the order of the calls and *durable* once its `Written` says so. A dead process's journal is
read by the next one.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.ledger import FailedRequest, HoldRequest, Settlement
from monkey_coder_server.ports.record import Record

Draft = Settlement | FailedRequest
"""What a request came to if nothing more were heard of it: its usage is estimated."""


class Intent(Record, frozen=True):
    """An admitted request, with the last draft noted of it."""

    hold: HoldRequest
    lease_id: str | None
    draft: Draft


class Written(Protocol):
    """A record on its way to the disk."""

    async def durable(self) -> None:
        """Wait until it would survive a crash. Raises `Unavailable` when it was lost."""


class Journal(Protocol):
    """Append-only for requests, drained by shipping. Raises `Unavailable` when it is full, failing or closed."""

    @property
    def open_for_new(self) -> bool:
        """Whether new requests may be admitted: it works, and has room beyond what running ones need."""

    def intend(self, intent: Intent) -> Written:
        """Note an admitted request before its provider is called."""

    def note(self, request_id: str, draft: Draft) -> Written:
        """Replace the draft: another provider is tried, an answer has begun, more of it was delivered."""

    def resolve(self, resolved: Resolved) -> Written:
        """Note how a request ended. It is kept until it is `forget`-ed. A second ending of a request is ignored."""

    async def endings(self, after: int, most: int) -> Sequence[tuple[int, Resolved]]:
        """Endings not yet forgotten with a number above `after`, oldest first."""

    def forget(self, numbers: Sequence[int]) -> None:
        """Drop endings that are booked."""

    async def left_open(self) -> Sequence[Intent]:
        """Admitted requests without an ending: those of a process that died, when it is gone."""

    def figures(self) -> Mapping[str, float]:
        """For metrics: `waiting` endings, `oldest_seconds`, `bytes`."""
