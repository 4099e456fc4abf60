"""What the payment processor tells us of: kept once by its id, then worked off in any order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.ports.payments import EventSeen
from monkey_coder_server.ports.record import Record


class Notices(Protocol):
    """Reads what is sent to us in the processor's name."""

    async def read(self, body: bytes, signature: str) -> EventSeen:
        """What happened. Raises `InvalidRequest` for what is not theirs or not of this moment."""


class InboxEvent(Record, frozen=True):
    """An event that nobody has handled. `attempts` count this one."""

    event_id: str
    kind: str
    object_kind: str
    object_id: str
    attempts: int


class WaitingEvent(Record, frozen=True):
    """One that was tried in vain: since when it is here, and why the last try failed."""

    event_id: str
    kind: str
    received_at: datetime
    attempts: int
    note: str


class InboxState(Record, frozen=True):
    """How many wait, how many of them were tried in vain, and when the oldest came."""

    waiting: int
    failing: int
    oldest: datetime | None


class PaymentInbox(Protocol):
    """Events of the payment processor. All raise `Unavailable`; writes are durable on return."""

    async def take(self, event: EventSeen, at: datetime, *, handled: str = "") -> bool:
        """Keep an event; False when it was here before. `handled` says why there is nothing to do about it."""

    async def claim(self, at: datetime, until: datetime, most: int) -> Sequence[InboxEvent]:
        """Some that are due, for nobody else until then; none of an object of which somebody has another one."""

    async def done(self, event_ids: Sequence[str], at: datetime, note: str) -> None:
        """They are handled; what came of it."""

    async def postpone(self, event_ids: Sequence[str], until: datetime, note: str) -> None:
        """They were tried in vain; why, and when they are tried again."""

    async def waiting(self, most: int) -> Sequence[WaitingEvent]:
        """Those tried in vain, oldest first."""

    async def state(self) -> InboxState:
        """How the inbox stands."""
