"""How each provider's models are doing: a breaker and measured latencies, in this process."""

from dataclasses import dataclass
from enum import StrEnum
from math import exp

from monkey_coder_server.domain.errors import FailureKind

NOT_THE_PROVIDERS_FAULT = frozenset(
    {FailureKind.INVALID_REQUEST, FailureKind.CONTENT_FILTER, FailureKind.CONTEXT_TOO_LONG}
)
THE_KEYS_FAULT = frozenset({FailureKind.RATE_LIMIT, FailureKind.QUOTA, FailureKind.AUTHENTICATION})
"""Kinds that rest a key (`keyring`) and say nothing about the model."""


class BreakerState(StrEnum):
    """`open` models are tried last; `half_open` lets one probe through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """Breaker and latency parameters; seconds."""

    open_after: int = 3
    open_seconds: float = 15.0
    half_life: float = 60.0


@dataclass(frozen=True, slots=True)
class Pulse:
    """What is known of one model now. Latencies are milliseconds; None until measured."""

    state: BreakerState
    failures_in_a_row: int
    first_byte_ms: float | None
    total_ms: float | None
    served: int
    failed: int
    error_rate: float = 0.0
    """Recent share of failures, 0 to 1."""


UNKNOWN = Pulse(BreakerState.CLOSED, 0, None, None, 0, 0)
LATEST_WEIGHT = 0.1
"""How much the latest call counts in the error rate."""


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


class _Record:
    __slots__ = (
        "error_rate",
        "failed",
        "failures_in_a_row",
        "first_byte",
        "open_until",
        "probe_until",
        "served",
        "total",
    )

    def __init__(self, half_life: float) -> None:
        self.first_byte = PeakEwma(half_life)
        self.total = PeakEwma(half_life)
        self.failures_in_a_row = 0
        self.open_until: float | None = None
        self.probe_until = 0.0
        self.served = 0
        self.failed = 0
        self.error_rate = 0.0


class Health:
    """Keyed by `provider/model`. Times are monotonic seconds passed in."""

    def __init__(self, settings: HealthSettings | None = None) -> None:
        self._settings = settings or HealthSettings()
        self._records: dict[str, _Record] = {}
        self.version = 0
        """Changes whenever a breaker opens or closes."""
        self.calls = 0
        """Calls whose outcome was noted."""

    def pulse(self, name: str, now: float) -> Pulse:
        """The state of a model, without changing it."""
        record = self._records.get(name)
        if record is None:
            return UNKNOWN
        return Pulse(
            self._state(record, now),
            record.failures_in_a_row,
            record.first_byte.value,
            record.total.value,
            record.served,
            record.failed,
            record.error_rate,
        )

    def admits(self, name: str, now: float) -> bool:
        """Whether a request should go there by preference: the breaker is closed, or this one may be its probe."""
        record = self._records.get(name)
        if record is None or record.open_until is None:
            return True
        return self._state(record, now) is BreakerState.HALF_OPEN

    def started(self, name: str, now: float) -> None:
        """A request is on its way; while the breaker is half open it is the probe and others stay away."""
        record = self._records.get(name)
        if record is not None and record.open_until is not None and now >= record.open_until:
            record.probe_until = now + self._settings.open_seconds

    def succeeded(self, name: str, *, first_byte_ms: float, total_ms: float, now: float) -> None:
        """An answer came whole: the breaker closes."""
        record = self._of(name)
        record.first_byte.add(first_byte_ms, now)
        record.total.add(total_ms, now)
        record.served += 1
        self.calls += 1
        record.error_rate *= 1.0 - LATEST_WEIGHT
        if record.open_until is not None:
            self.version += 1
        record.failures_in_a_row = 0
        record.open_until = None
        record.probe_until = 0.0

    def failed(self, name: str, kind: FailureKind, now: float) -> None:
        """A call failed. What the caller or the key did wrong is not held against the model."""
        if kind in NOT_THE_PROVIDERS_FAULT or kind in THE_KEYS_FAULT:
            return
        record = self._of(name)
        record.failed += 1
        self.calls += 1
        record.error_rate += LATEST_WEIGHT * (1.0 - record.error_rate)
        record.failures_in_a_row += 1
        record.probe_until = 0.0
        if record.failures_in_a_row >= self._settings.open_after:
            record.open_until = now + self._settings.open_seconds
            self.version += 1

    def _of(self, name: str) -> _Record:
        record = self._records.get(name)
        if record is None:
            record = self._records[name] = _Record(self._settings.half_life)
        return record

    def _state(self, record: _Record, now: float) -> BreakerState:
        if record.open_until is None:
            return BreakerState.CLOSED
        if now < record.open_until or now < record.probe_until:
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN
