"""Sets the time of day of a process that finds this on its path, so many seconds ahead of the machine's."""

import os
from datetime import UTC, datetime, timedelta

from monkey_coder_server.adapters.system.clock import SystemClock

AHEAD = timedelta(seconds=int(os.environ["CLOCK_AHEAD_SECONDS"]))


def _now(_clock: SystemClock) -> datetime:
    return datetime.now(UTC) + AHEAD


setattr(SystemClock, "now", _now)  # noqa: B010 - what no type allows
