"""One time for the gateway and for the simulated Stripe, which moves on by itself and is moved ahead by the month."""

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from stripe import _webhook

from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.sandbox.stripe.account import Account

FIRST = datetime(2027, 3, 1, tzinfo=UTC)
"""A month of 31 days."""


class Calendar:
    """Begins at the first moment of the month."""

    def __init__(self, start: datetime = FIRST) -> None:
        self._start, self._begun, self._skipped = start.timestamp(), time.monotonic(), 0.0

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._begun + self._skipped

    def time(self) -> float:
        """Seconds since 1970."""
        return self._start + self.monotonic()

    def now(self) -> datetime:
        """The time of day, UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def skip(self, seconds: float) -> None:
        """Move on at once."""
        self._skipped += max(seconds, 0.0)


def move(calendar: Calendar, account: Account, until: datetime) -> None:
    """Let time pass; what is due at the simulated Stripe happens at its own moment, in order."""
    end = int(until.timestamp())
    while (due := account.next_due()) is not None and due <= end:
        calendar.skip(due - calendar.time())
        account.settle()
    calendar.skip(end - calendar.time())


@contextlib.contextmanager
def in_force(calendar: Calendar) -> Iterator[None]:
    """Whatever asks the machine's clocks in a gateway is told this time, until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "now", lambda _: calendar.now())
        patch.setattr(SystemClock, "monotonic", lambda _: calendar.monotonic())
        patch.setattr(_webhook, "time", SimpleNamespace(time=calendar.time))
        yield


def midnight(day: int) -> datetime:
    """The beginning of a day, the first is 0; those behind the month go on."""
    return FIRST + timedelta(days=day)
