"""The machine's clocks."""

import time
from datetime import UTC, datetime


class SystemClock:
    """`ports.clock.Clock` read from the machine."""

    def now(self) -> datetime:
        """The time of day, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never jumps."""
        return time.monotonic()
