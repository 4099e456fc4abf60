"""A clock of tests that wait for days."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from monkey_coder_server.ports.clock import Clock


@dataclass(slots=True)
class AheadClock:
    """The system's clock, some time ahead."""

    clock: Clock
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return self.clock.now() + self.ahead

    def monotonic(self) -> float:
        return self.clock.monotonic() + self.ahead.total_seconds()
