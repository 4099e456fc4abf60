"""The machine's clocks."""

import time
from datetime import UTC, datetime
from functools import partial


class SystemClock:
    """`ports.clock.Clock` read from the machine."""

    now = staticmethod(partial(datetime.now, UTC))
    """The time of day, UTC. It and the other are asked two dozen times a request, so without functions of ours."""
    monotonic = staticmethod(time.monotonic)
    """Seconds since some fixed moment; never jumps."""
