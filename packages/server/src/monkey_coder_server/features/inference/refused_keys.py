"""Tells a provider that refuses a model from a key that is refused: several keys are, one after the other.

Rate limits and credit belong to an account, or to a provider short of machines, more often than to a key. Asking with
one key after the other what all are refused is the storm a provider asked to be spared.
"""

from monkey_coder_server.features.inference.breaker import Breaker, BreakerState

KEYS = 3
"""Different keys refused in a row that make the model rest: one may be bad, and two limited by chance."""
KEYS_BESIDE = 1
"""The same while another model of the provider has begun to rest: its limit or credit is most likely the same."""
WITHIN = 10.0
"""Seconds between the first and the last of them."""


class RefusedKeys:
    """Of one model of a provider. Times are monotonic seconds passed in.

    Its `breaker` is open while the model rests: for `rest` seconds or as long as the provider names, both at most
    `longest`, and twice as long each time a probe is refused, too.
    """

    __slots__ = ("_refused", "breaker")

    def __init__(self, rest: float, longest: float) -> None:
        self.breaker = Breaker(1, rest, longest=longest)
        self._refused: dict[int, float] = {}
        """When each key was refused since the last answer."""

    def refused(
        self, key_number: int, began: float, now: float, retry_after: float | None, *, enough: int = KEYS
    ) -> bool:
        """A key was refused; of `enough` different ones the model rests. Whether a rest began."""
        if self.breaker.state(now) is BreakerState.CLOSED:
            self._refused = {key: at for key, at in self._refused.items() if now - at <= WITHIN}
            self._refused[key_number] = now
            if len(self._refused) < enough:
                return False
            self._refused.clear()
        return self.breaker.trip(began, now, at_least=retry_after or 0.0)

    def unsettled(self, now: float) -> bool:
        """Whether the model rests, waits for a probe, or a key was refused a moment ago and none served since."""
        if self.breaker.state(now) is not BreakerState.CLOSED:
            return True
        return any(now - at <= WITHIN for at in self._refused.values())

    def answered(self, began: float, now: float) -> bool:
        """A key is served. Whether that ended a rest."""
        self._refused.clear()
        return self.breaker.succeeded(began, now)
