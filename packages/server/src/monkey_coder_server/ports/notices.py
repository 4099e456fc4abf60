"""What accounts are told, and its way to them by mail and webhook. Raises `Unavailable`."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from monkey_coder_server.ports.record import Record


class Notice(Record, frozen=True):
    """Something an account is told. Of an alert's `crossing` there is one; a test has no alert. `body` is JSON."""

    notice_id: str
    account_id: str
    alert_id: str
    crossing: str
    kind: str
    body: str
    at: datetime


class Channel(StrEnum):
    """How a notice travels. `Delivery.target` is a user's id or a webhook's."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    """`GIVEN_UP`: refused for good, or tried for days in vain."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class Delivery(Record, frozen=True):
    """One notice on its way to one target. `tries` counts those begun; `note` says what became of the last one."""

    notice: Notice
    channel: Channel
    target: str
    state: DeliveryState
    tries: int
    next_at: datetime
    note: str = ""


class OutboxState(Record, frozen=True):
    """How many deliveries wait, and when the next try is due: in the past when nobody gets to it."""

    waiting: int = 0
    next_at: datetime | None = None


class Outbox(Protocol):
    """Each call is one transaction, durable on return. The order of deliveries is not promised."""

    async def post(self, notice: Notice, channel: Channel, target: str) -> None:
        """Store a notice with one delivery."""

    async def take(self, now: datetime, until: datetime, *, most: int) -> Sequence[Delivery]:
        """Some that are due, with the try that begins counted: the caller's, and nobody's again until then.

        Few of one account at a time, so that nobody's slow receivers hold up others.
        """

    async def end(self, delivery: Delivery, state: DeliveryState, note: str, at: datetime) -> None:
        """It is delivered, or given up."""

    async def postpone(self, delivery: Delivery, until: datetime, note: str) -> None:
        """It was tried in vain."""

    async def deliveries(self, account_id: str, target: str | None = None, *, most: int) -> Sequence[Delivery]:
        """An account's deliveries, or those to one target; newest first."""

    async def state(self) -> OutboxState:
        """How the outbox stands."""
