"""A time of day that is not believed at once when it jumps ahead: what is ended by it cannot be taken back.

A clock that is set, or a machine that slept, makes everything seem past its time. Before that counts, living processes
have said that they live, and their requests have ended.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

BELIEVED_AFTER = 1_200.0
"""Monotonic seconds that a clock goes on as it is before it is believed."""
JUMP = timedelta(seconds=30)
"""Less is no jump: clocks are corrected all the time."""


class Lasting(NamedTuple):
    """The clock as it was last read, and how far what is believed of it is behind until `believed_at` (monotonic)."""

    clock: datetime
    monotonic: float
    behind: timedelta = timedelta(0)
    believed_at: float = 0.0

    @property
    def now(self) -> datetime:
        """The time that is believed."""
        return self.clock - self.behind


def look(before: Lasting | None, clock: datetime, monotonic: float) -> Lasting:
    """The time after another reading of both clocks. The first reading is believed."""
    if before is None:
        return Lasting(clock, monotonic)
    behind = before.behind if monotonic < before.believed_at else timedelta(0)
    ahead = clock - before.clock - timedelta(seconds=monotonic - before.monotonic)
    if abs(ahead) < JUMP:
        return Lasting(clock, monotonic, behind, before.believed_at)
    return Lasting(clock, monotonic, max(behind + ahead, timedelta(0)), monotonic + BELIEVED_AFTER)
