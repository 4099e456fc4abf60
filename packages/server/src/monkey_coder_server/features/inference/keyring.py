"""The gateway's own keys at one provider: the better of the next two is taken, a refused one rests.

The turns of a conversation go to one key, the same in every process, as long as it is well: a provider keeps prompts
for each organization or workspace, and two keys may be of two (Anthropic:
https://platform.claude.com/docs/en/build-with-claude/prompt-caching, cache storage and sharing).
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b

from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.features.inference.balancing import Load
from monkey_coder_server.features.inference.breaker import Breaker

WHOLE_KEY = ""
"""Rest applies to every model of the key."""
HALF_LIFE = 60.0
"""Seconds after which a measured latency counts half as much."""
OPEN_AFTER, OPEN_SECONDS = 3, 15.0
"""The breaker of a model under one key."""
_ONLY = (0,)
"""The numbers of one key."""

FREE_OF_BOUND = 4
"""Calls at a time a key takes for its conversations before it is asked whether others have less to do."""
MORE_THAN_MEAN = 1.25
"""How many times the mean of all keys' calls one takes for its conversations: what is beyond goes to the next of them
(consistent hashing with bounded loads, Mirrokni, Thorup and Zadimoghaddam 2016)."""


class KeyRing:
    """`rest` seconds are used where the provider names none, twice as many after each further refusal.

    `longest` bounds that, and what the provider names.
    """

    def __init__(
        self, keys: Sequence[str], *, rest: float = 2.0, refused_rest: float = 60.0, longest: float = 120.0
    ) -> None:
        self._keys = tuple(keys)
        self._seeds = tuple(blake2b(key.encode(), digest_size=16).digest() for key in self._keys)
        self._next = 0
        self._rest = rest
        self._refused_rest = refused_rest
        self._longest = longest
        self._rests: dict[tuple[int, str], float] = {}
        self._limited: dict[tuple[int, str], int] = {}
        """Rate limits in a row without a word of how long."""
        self._spent: dict[tuple[int, str], float] = {}
        """Until when nothing is left of a limit."""
        self._breakers: dict[tuple[int, str], Breaker] = {}
        self._loads = tuple(Load(HALF_LIFE) for _ in self._keys)
        self._refusals: dict[int, FailureKind] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def without_keys(self, text: str) -> str:
        """The text with each of the keys blotted out."""
        for key in self._keys:
            text = text.replace(key, "***")
        return text

    def take(
        self, model: str, now: float, *, but: int | None = None, session: Callable[[], str | None] | None = None
    ) -> tuple[int, str] | None:
        """A rested key with its number, for a call that `left` ends; None while all of them rest, `but` left out.

        Of the next two it is the one with less to wait for; where the call's `session` has a name, it is the
        session's own. Those the provider fails, and those that have used up their limit, are taken only when there is
        no other.
        """
        count = len(self._keys)
        turns: Sequence[int] = _ONLY if count == 1 else [(self._next + step) % count for step in range(count)]
        rested = turns
        if but is not None or self._rests:
            rested = [number for number in turns if number != but and self.ready_at(number, model) <= now]
        if not rested:
            return None
        best = rested[0]
        if len(rested) > 1:
            fit = [number for number in rested if self._fit(number, model, now)] or rested
            name = None if session is None else session()
            own = None if name is None else self._of_session(name.encode(), fit)
            best = min(fit[:2], key=lambda number: self._loads[number].cost(now)) if own is None else own
        self._next = (best + 1) % count
        self._loads[best].outstanding += 1
        breaker = self._breakers.get((best, model))
        if breaker is not None:
            breaker.started(now)
        return best, self._keys[best]

    def left(self, number: int) -> None:
        """A call with this key is over."""
        self._loads[number].outstanding -= 1

    def answered(self, number: int, model: str, first_byte_ms: float, now: float, *, began: float) -> None:
        """A call that `began` then is answered: the key works, and so quickly."""
        if len(self._keys) > 1:  # else there is none to compare it with
            self._loads[number].measured(first_byte_ms, now)
        if self._limited:
            self._limited.pop((number, model), None)
        breaker = self._breakers.get((number, model))
        if breaker is not None:
            breaker.succeeded(began, now)

    def spent(self, number: int, model: str, seconds: float, now: float) -> None:
        """The provider says that nothing is left to the key for so long."""
        self._spent[number, model] = now + min(seconds, self._longest)

    def failed(self, number: int, model: str, now: float, *, began: float) -> None:
        """The provider failed a call of this key that `began` then."""
        breaker = self._breakers.get((number, model))
        if breaker is None:
            breaker = self._breakers[number, model] = Breaker(OPEN_AFTER, OPEN_SECONDS)
        breaker.failed(began, now)

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
            seconds = failure.retry_after
            if seconds is None:
                if self._rests.get((number, model), 0.0) > now:
                    return  # it was sent before the rest began and says nothing new
                seconds = self._growing_rest(number, model)
            self._rests[number, model] = now + min(seconds, self._longest)
        else:
            self._rests[number, WHOLE_KEY] = now + self._refused_rest
            self._refusals[number] = failure.kind

    def _of_session(self, name: bytes, fit: Sequence[int]) -> int | None:
        """The key with the highest weight for a session that has room; None where none has (rendezvous hashing)."""
        calls = sum([load.outstanding for load in self._loads])
        room = max(FREE_OF_BOUND, MORE_THAN_MEAN * (calls + 1) / len(self._keys))
        weights = {
            number: blake2b(name, digest_size=8, key=self._seeds[number]).digest()
            for number in fit
            if self._loads[number].outstanding < room
        }
        return max(weights, key=weights.__getitem__, default=None)

    def _growing_rest(self, number: int, model: str) -> float:
        """Seconds: twice the last."""
        times = self._limited.get((number, model), 0)
        self._limited[number, model] = times + 1
        return self._rest * 2.0 ** min(times, 16)

    def _fit(self, number: int, model: str, now: float) -> bool:
        breaker = self._breakers.get((number, model))
        return (breaker is None or breaker.admits(now)) and self._spent.get((number, model), 0.0) <= now
