"""How quick something is now, and the better of two by what waits there: PeakEWMA, first-token times, loads."""

from collections import deque
from math import exp

WINDOW = 64
"""First-token times that are remembered of a model."""
ENOUGH = 16
"""Times after which a percentile near the end says something."""
RECKONED_EVERY = 8
"""New times after which they are reckoned again."""


class PeakEwma:
    """A decaying average that jumps to a worse sample at once and forgets it by half-life."""

    __slots__ = ("_at", "_half_life", "value")

    def __init__(self, half_life: float) -> None:
        self._half_life = half_life
        self._at = 0.0
        self.value: float | None = None

    def add(self, sample: float, now: float) -> None:
        """Take a sample measured at `now` (monotonic seconds)."""
        if self.value is None or sample > self.value:
            self.value = sample
        else:
            weight = exp(-(max(0.0, now - self._at) + 1.0) / self._half_life)
            self.value = self.value * weight + sample * (1.0 - weight)
        self._at = now

    def faded(self, now: float) -> float:
        """The average as far as it still counts: what is not called any more is forgotten, 0 when never measured."""
        return 0.0 if self.value is None else self.value * exp(-max(0.0, now - self._at) / self._half_life)


class Load:
    """What waits at one of several equals, and how quick it was: the less of both, the better."""

    __slots__ = ("_latency", "outstanding")

    def __init__(self, half_life: float) -> None:
        self._latency = PeakEwma(half_life)
        self.outstanding = 0

    def measured(self, first_byte_ms: float, now: float) -> None:
        """An answer began after so many milliseconds."""
        self._latency.add(first_byte_ms, now)

    def cost(self, now: float) -> float:
        """Milliseconds times calls: what one more call would come behind."""
        return (1.0 + self._latency.faded(now)) * (self.outstanding + 1)


class FirstTokens:
    """The latest times to a first token, or to whole answers, in milliseconds: their median and 95th percentile."""

    __slots__ = ("_new", "_times", "median", "p95")

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=WINDOW)
        self._new = 0
        self.median: float | None = None
        """None until one came."""
        self.p95: float | None = None
        """None until `ENOUGH` came."""

    def add(self, milliseconds: float) -> None:
        """Take one time."""
        self._times.append(milliseconds)
        self._new += 1
        if self._new >= RECKONED_EVERY or len(self._times) <= RECKONED_EVERY:
            self._new = 0
            ordered = sorted(self._times)
            self.median = ordered[len(ordered) // 2]
            if len(ordered) >= ENOUGH:
                self.p95 = ordered[len(ordered) * 95 // 100]
