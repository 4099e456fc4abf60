"""How each provider's models are doing: a breaker and measured latencies, in this process."""

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import inf
from typing import NamedTuple

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.pace import Pace
from monkey_coder_server.features.inference.balancing import FirstTokens, PeakEwma
from monkey_coder_server.features.inference.breaker import Breaker, BreakerState
from monkey_coder_server.features.inference.refused_keys import KEYS, KEYS_BESIDE, WITHIN, RefusedKeys

NOT_THE_PROVIDERS_FAULT = frozenset(
    {FailureKind.INVALID_REQUEST, FailureKind.CONTENT_FILTER, FailureKind.CONTEXT_TOO_LONG}
)
THE_KEYS_FAULT = frozenset({FailureKind.RATE_LIMIT, FailureKind.QUOTA, FailureKind.AUTHENTICATION})
"""Kinds that rest a key (`keyring`), and the model when several keys meet them (`refused_keys`)."""


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """Breaker and latency parameters; seconds.

    A stream is late when its first token takes longer than `late`, and more than `late_times` what is usual; before
    anything is usual, longer than `late_at_first`. `open_after` late ones in a row count as that many failures.
    A second call beside one that says nothing is worth it after what 95 % of calls took, not sooner than `hedge_least`;
    of a model little is known of, after twice what 95 % of all calls took, not sooner than `hedge_unknown`.

    A model whose keys are refused rests for `rest`, or as long as the provider names. Rests and breakers that begin
    again grow, up to `longest`.
    """

    open_after: int = 3
    open_seconds: float = 15.0
    rest: float = 2.0
    longest: float = 120.0
    half_life: float = 60.0
    late: float = 5.0
    late_times: float = 4.0
    late_at_first: float = 30.0
    hedge_least: float = 0.25
    hedge_unknown: float = 1.0


class Pulse(NamedTuple):
    """What is known of one model now. `first_byte_ms` is at least the age of the stream that waits longest.

    That and `tokens_per_second`, from the first one on, are None until measured.
    """

    state: BreakerState
    failures_in_a_row: int
    first_byte_ms: float | None
    tokens_per_second: float | None
    served: int
    failed: int
    error_rate: float = 0.0
    """Recent share of failures, 0 to 1."""

    @property
    def admits(self) -> bool:
        """Whether a request should go there by preference: the breaker is closed, or this one may be its probe."""
        return self.state is not BreakerState.OPEN

    @property
    def known(self) -> bool:
        """Whether anything is: it was called, or is tried last."""
        return bool(self.served or self.failed) or self.state is not BreakerState.CLOSED


UNKNOWN = Pulse(BreakerState.CLOSED, 0, None, None, 0, 0)
LATEST_WEIGHT = 0.1
"""How much the latest call counts in the error rate."""


class _Record:
    __slots__ = (
        "beaten_in_a_row",
        "breaker",
        "error_rate",
        "failed",
        "first_byte",
        "first_tokens",
        "late_in_a_row",
        "pace",
        "refused_keys",
        "served",
        "waiting",
        "whole_answers",
    )

    def __init__(self, settings: HealthSettings) -> None:
        self.breaker = Breaker(settings.open_after, settings.open_seconds, longest=settings.longest)
        self.refused_keys = RefusedKeys(settings.rest, settings.longest)
        self.first_byte = PeakEwma(settings.half_life)
        self.pace = Pace()
        self.first_tokens = FirstTokens()
        self.whole_answers = FirstTokens()
        self.waiting: dict[int, float] = {}
        """When each stream was asked for that has said nothing yet, the oldest first."""
        self.late_in_a_row = 0
        self.beaten_in_a_row = 0
        self.served = 0
        self.failed = 0
        self.error_rate = 0.0

    def claim(self, now: float) -> None:
        """A call is to be made."""
        for breaker in (self.breaker, self.refused_keys.breaker):
            if breaker.open_until is not None:
                breaker.started(now)


class Health:
    """Keyed by `provider/model`. Times are monotonic seconds passed in. Each step is O(1)."""

    def __init__(self, settings: HealthSettings | None = None) -> None:
        self._settings = settings or HealthSettings()
        self._records: defaultdict[str, _Record] = defaultdict(partial(_Record, self._settings))
        """By the model's name; one that was never called gets its record with its first call."""
        self._rested: dict[str, tuple[str, float]] = {}
        """Of each provider, the model that began to rest last, and when."""
        self._first_tokens = FirstTokens()
        self._whole_answers = FirstTokens()
        """Of all models together."""
        self._calls = 0
        self.version = 0
        """Changes whenever a breaker opens or closes, and whenever a rest begins or ends."""
        self.calls = 0
        """Calls whose outcome was noted."""

    def pulse(self, name: str, now: float) -> Pulse:
        """The state of a model, without changing it."""
        record = self._records.get(name)
        if record is None:
            return UNKNOWN
        first_byte = record.first_byte.value
        if record.waiting and first_byte is not None:
            first_byte = max(first_byte, (now - next(iter(record.waiting.values()))) * 1000.0)
        told = (
            self._state(record, now),
            record.breaker.failures_in_a_row,
            first_byte,
            record.pace.tokens_per_second,
            record.served,
            record.failed,
            record.error_rate,
        )
        return tuple.__new__(Pulse, told)  # in half the time its class takes

    def admits(self, name: str, now: float) -> bool:
        """Whether a request should go there by preference: the breaker is closed, or this one may be its probe."""
        record = self._records.get(name)
        return record is None or self._state(record, now) is not BreakerState.OPEN

    def rests(self, name: str, now: float) -> float:
        """Seconds until the model may be asked again after several keys were refused; 0 when it does not rest."""
        record = self._records.get(name)
        return 0.0 if record is None else record.refused_keys.breaker.open_for(now)

    def refuses(self, name: str, now: float) -> bool:
        """Whether keys are being refused: the model's, or those of another model of its provider."""
        _, at = self._rested.get(name.partition("/")[0], ("", -inf))
        record = self._records.get(name)
        return now - at <= WITHIN or (record is not None and record.refused_keys.unsettled(now))

    def well(self, name: str, now: float) -> bool:
        """Whether nothing speaks against calling it beside another: no breaker, no probe, no refused key."""
        record = self._records.get(name)
        closed = record is None or self._state(record, now) is BreakerState.CLOSED
        return closed and not self.refuses(name, now)

    def tries(self, name: str, began: float) -> bool:
        """Whether a call that `began` then tries a model that was failing: its end is to tell whether it still is."""
        record = self._records.get(name)
        return record is not None and record.breaker.tries(began)

    def open(self, now: float) -> int:
        """How many models are tried last now."""
        return sum(self._state(record, now) is not BreakerState.CLOSED for record in self._records.values())

    def late_after(self, name: str) -> float:
        """Seconds after which a first token is late."""
        record = self._records.get(name)
        return self._settings.late_at_first if record is None else self._late_after(record)

    def hedge_after(self, name: str, *, stream: bool) -> float | None:
        """Seconds of silence after which a second call is worth it; None while nothing is known of any model."""
        settings, own = self._settings, self._own_p95(name, stream=stream)
        if own is not None:
            return max(settings.hedge_least, own / 1000.0)
        common = (self._first_tokens if stream else self._whole_answers).p95
        return None if common is None else max(settings.hedge_unknown, common / 500.0)

    def knows_pace(self, name: str, *, stream: bool) -> bool:
        """Whether enough was heard of the model itself: else what `hedge_after` says is far beyond what is usual."""
        return self._own_p95(name, stream=stream) is not None

    def claimed(self, name: str, now: float) -> None:
        """A call is about to be made; while the breaker is half open it is the probe and others stay away."""
        self._records[name].claim(now)

    def unclaimed(self, name: str) -> None:
        """The call is not made, or ended without a verdict: if it was the probe, another may be."""
        record = self._records[name]
        record.breaker.ended()
        record.refused_keys.breaker.ended()

    def started(self, name: str, now: float, *, stream: bool = False) -> int:
        """A claimed call is on its way. Its number."""
        record = self._records[name]
        record.claim(now)
        self._calls += 1
        if stream:
            record.waiting[self._calls] = now
        return self._calls

    def heard(self, name: str, number: int, first_token_ms: float, now: float) -> None:
        """A stream said its first token: its key, at least, is not refused."""
        record = self._records[name]
        record.waiting.pop(number, None)
        if record.refused_keys.answered(now - first_token_ms / 1000.0, now):
            self.version += 1
        if self._note_lateness(record, first_token_ms, now):
            return
        record.late_in_a_row = 0
        if record.beaten_in_a_row:
            self._note_haste(name, record, first_token_ms, stream=True)
        record.first_tokens.add(first_token_ms)
        self._first_tokens.add(first_token_ms)

    def answered_whole(self, name: str, total_ms: float) -> None:
        """An answer came that was not streamed."""
        record = self._records[name]
        if record.beaten_in_a_row:
            self._note_haste(name, record, total_ms, stream=False)
        record.whole_answers.add(total_ms)
        self._whole_answers.add(total_ms)

    def beaten(self, name: str, now: float, *, began: float) -> None:
        """A second call spoke first while this model's still says nothing: `open_after` in a row open the breaker."""
        record = self._records[name]
        record.beaten_in_a_row += 1
        if record.beaten_in_a_row >= self._settings.open_after and record.breaker.trip(began, now):
            self.version += 1

    def given_up(self, name: str, number: int, waited_ms: float, now: float) -> None:
        """We stopped waiting for a call. That is held against the model only where it was late."""
        record = self._records[name]
        was_waiting = record.waiting.pop(number, None) is not None
        self.unclaimed(name)
        times = record.first_tokens if was_waiting else record.whole_answers
        if times.p95 is not None and waited_ms > times.p95:
            times.add(waited_ms)  # it would have taken longer still: without it, only quick ones were remembered
        if was_waiting:
            self._note_lateness(record, waited_ms, now)

    def succeeded(  # noqa: PLR0913 - what is known of an answer, named
        self,
        name: str,
        *,
        first_byte_ms: float,
        total_ms: float,
        now: float,
        output_tokens: int | None = None,
        stream: bool = False,
    ) -> None:
        """An answer came to its end: the breaker closes, unless it was a stream that began late.

        `output_tokens` with thoughts, None where the provider did not say.
        """
        record = self._records[name]
        if output_tokens is not None:
            if not stream:
                first_byte_ms = record.pace.until_first(total_ms, output_tokens, record.first_byte.value)
            record.pace.learn(output_tokens, total_ms - first_byte_ms)
        record.first_byte.add(first_byte_ms, now)
        record.served += 1
        self.calls += 1
        record.error_rate *= 1.0 - LATEST_WEIGHT
        began = now - total_ms / 1000.0
        late = stream and first_byte_ms > self._late_after(record) * 1000.0
        rested = record.refused_keys.answered(began, now)
        if (not late and record.breaker.succeeded(began, now)) or rested:
            self.version += 1

    def failed(self, name: str, kind: FailureKind, now: float, *, began: float, number: int = 0) -> None:
        """A call failed. What the caller or the key did wrong is not held against the model."""
        record = self._records[name]
        record.waiting.pop(number, None)
        if kind in NOT_THE_PROVIDERS_FAULT or kind in THE_KEYS_FAULT:
            self.unclaimed(name)
            return
        record.refused_keys.breaker.ended()
        record.failed += 1
        self.calls += 1
        record.error_rate += LATEST_WEIGHT * (1.0 - record.error_rate)
        if record.breaker.failed(began, now):
            self.version += 1

    def refused(self, name: str, key_number: int, now: float, *, began: float, retry_after: float | None) -> None:
        """A call failed by a fault of its key, which was told by `failed`, too: when several keys are, the model rests.

        One is enough soon after another model of the provider began to. `retry_after` is what the provider named, in
        seconds.
        """
        provider = name.partition("/")[0]
        other, at = self._rested.get(provider, (name, now))
        enough = KEYS_BESIDE if other != name and now - at <= WITHIN else KEYS
        if self._records[name].refused_keys.refused(key_number, began, now, retry_after, enough=enough):
            self._rested[provider] = name, now
            self.version += 1

    def _own_p95(self, name: str, *, stream: bool) -> float | None:
        """Milliseconds."""
        record = self._records.get(name)
        return None if record is None else (record.first_tokens if stream else record.whole_answers).p95

    def _note_haste(self, name: str, record: _Record, took_ms: float, *, stream: bool) -> None:
        """An answer that came before a second call was worth it ends a row of beaten ones."""
        late = self.hedge_after(name, stream=stream)
        if late is None or took_ms <= late * 1000.0:
            record.beaten_in_a_row = 0

    def _note_lateness(self, record: _Record, waited_ms: float, now: float) -> bool:
        if waited_ms <= self._late_after(record) * 1000.0:
            return False
        record.late_in_a_row += 1
        began = now - waited_ms / 1000.0
        if record.late_in_a_row >= self._settings.open_after and record.breaker.trip(began, now):
            self.version += 1
        return True

    def _state(self, record: _Record, now: float) -> BreakerState:
        own, keys = record.breaker.state(now), record.refused_keys.breaker.state(now)
        if own is BreakerState.CLOSED is keys:
            silent = record.waiting and self._silent(record, now)
            return BreakerState.OPEN if silent else BreakerState.CLOSED
        return BreakerState.OPEN if BreakerState.OPEN in (own, keys) else BreakerState.HALF_OPEN

    def _silent(self, record: _Record, now: float) -> bool:
        """Whether so many streams wait too long that the next late ones in a row will open the breaker."""
        missing = max(1, self._settings.open_after - record.late_in_a_row)
        if len(record.waiting) < missing:
            return False
        since = next(islice(record.waiting.values(), missing - 1, None))
        return now - since > self._late_after(record)

    def _late_after(self, record: _Record) -> float:
        usual, settings = record.first_tokens.median, self._settings
        return settings.late_at_first if usual is None else max(settings.late, usual / 1000.0 * settings.late_times)
