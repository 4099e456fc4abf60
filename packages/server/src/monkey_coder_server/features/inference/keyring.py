"""The gateway's own keys at one provider: taken in turn, rested after a refusal."""

from collections.abc import Sequence

from monkey_coder_server.domain.errors import FailureKind, ProviderFailure

WHOLE_KEY = ""
"""Rest applies to every model of the key."""


class KeyRing:
    """`rest` seconds are used where the provider names none; `longest` bounds what it names."""

    def __init__(
        self, keys: Sequence[str], *, rest: float = 2.0, refused_rest: float = 60.0, longest: float = 120.0
    ) -> None:
        self._keys = tuple(keys)
        self._next = 0
        self._rest = rest
        self._refused_rest = refused_rest
        self._longest = longest
        self._rests: dict[tuple[int, str], float] = {}
        self._refusals: dict[int, FailureKind] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def without_keys(self, text: str) -> str:
        """The text with each of the keys blotted out."""
        for key in self._keys:
            text = text.replace(key, "***")
        return text

    def take(self, model: str, now: float) -> tuple[int, str] | None:
        """The next rested key with its number; None while all of them rest."""
        count = len(self._keys)
        for step in range(count):
            number = (self._next + step) % count
            if self.ready_at(number, model) <= now:
                self._next = (number + 1) % count
                return number, self._keys[number]
        return None

    def wait(self, model: str, now: float) -> float:
        """Seconds until a key is rested; 0 when one is."""
        if not self._rests:
            return 0.0
        return max(0.0, min(self.ready_at(number, model) for number in range(len(self._keys))) - now)

    def refusal(self, now: float) -> FailureKind | None:
        """Why the provider refuses all our keys now; None when at least one is only waiting for its turn."""
        resting = [number for number in range(len(self._keys)) if self._rests.get((number, WHOLE_KEY), 0.0) > now]
        return self._refusals[resting[-1]] if resting and len(resting) == len(self._keys) else None

    def ready_at(self, number: int, model: str) -> float:
        """When a key may be used again for a model (monotonic seconds; 0 for now)."""
        if not self._rests:
            return 0.0
        return max(self._rests.get((number, WHOLE_KEY), 0.0), self._rests.get((number, model), 0.0))

    def refused(self, number: int, model: str, failure: ProviderFailure, now: float) -> None:
        """Rest a key: for the model after a rate limit, for all models when the key itself or its credit is refused."""
        if failure.kind is FailureKind.RATE_LIMIT:
            seconds = self._rest if failure.retry_after is None else failure.retry_after
            self._rests[number, model] = now + min(seconds, self._longest)
        else:
            self._rests[number, WHOLE_KEY] = now + self._refused_rest
            self._refusals[number] = failure.kind
