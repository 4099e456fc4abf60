"""What a process must not forget when it dies: what it admitted, what it is delivering, what came of it.

A record is *written* in the order of the calls and *durable* once its `Written` says so. A dead process's journal is
taken over by a living one, which ends what was left open in it and ships the rest.
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

    @property
    def is_kept(self) -> bool:
        """Whether it would already survive the death of this process, though perhaps not that of the machine."""

    async def durable(self) -> None:
        """Wait until it would survive a crash. Raises `Unavailable` when it was lost: then it may be written again."""


class Journal(Protocol):
    """Append-only for requests, drained by shipping.

    Writing never blocks. It raises `Unavailable` once the journal is closed; a record that could not be written
    (disk full beyond the reserve, I/O error) is told by its `Written`.
    """

    @property
    def instance(self) -> str:
        """The process that wrote it: `LeaseWish.instance` of its leases."""

    @property
    def open_for_new(self) -> bool:
        """Whether new requests may be admitted: it works, and has room beyond what running ones need."""

    def intend(self, intent: Intent) -> Written:
        """Note an admitted request before its provider is called: one that charges nobody is mostly kept at once."""

    def note(self, request_id: str, draft: Draft) -> Written:
        """Replace the draft: another provider is tried, an answer has begun, more of it was delivered.

        A request that is not open (never noted, or ended) is left alone.
        """

    def resolve(self, resolved: Resolved) -> Written:
        """Note how a request ended, whether it was intended here or not. It is kept until it is `forget`-ed.

        A second ending is ignored as long as the first is kept; its `Written` is the first one's.
        """

    async def endings(self, after: int, most: int) -> Sequence[tuple[int, Resolved]]:
        """Durable endings not yet forgotten with a number above `after`, oldest first. Numbers start at 1."""

    def forget(self, numbers: Sequence[int]) -> Written:
        """Drop endings that are booked. If that is lost in a crash they come again, and the books know them."""

    async def left_open(self) -> Sequence[Intent]:
        """Admitted requests without an ending: in an adopted journal those its process died over."""

    def figures(self) -> Mapping[str, int]:
        """For metrics.

        `waiting` endings of `waiting_bytes`, `oldest_seconds` since the oldest was written (or adopted), `open`
        requests, `file_bytes`, `reserve_whole` (1 or 0), `damaged` records found.
        """

    async def close(self) -> None:
        """Make durable what waits. An empty journal is removed; another is left to be adopted. Harmless when closed."""


class Journals(Protocol):
    """The journals of all processes that share a directory."""

    async def adopt(self) -> Sequence[Journal]:
        """Take over the journals of dead processes, also empty ones; each is given to one caller in one process only.

        The caller resolves what `left_open` names, ships and forgets all endings, then closes it, which removes it.
        Whatever is left of it by then is adopted by the next one.
        """
