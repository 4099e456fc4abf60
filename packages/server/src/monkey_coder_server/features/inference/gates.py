"""What every call to a provider passes: its bulkhead and its budgets, shared with no other provider."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from monkey_coder_server.features.inference.bulkhead import Bulkhead
from monkey_coder_server.features.inference.call_budget import HEDGES, RETRIES, CallBudget
from monkey_coder_server.features.inference.keyring import KeyRing


@dataclass(frozen=True, slots=True)
class Gate:
    """Of one provider."""

    bulkhead: Bulkhead
    budget: CallBudget = field(default_factory=lambda: CallBudget(RETRIES))

    def called(self, now: float, *, again: bool, elsewhere: bool) -> None:
        """A request calls the provider: for the first time, once more, or after another failed it."""
        if again or elsewhere:
            self.budget.spend(now)
        if not again:
            self.budget.called(now)


class Gates:
    """Each provider's gate, made at its first call: `places` for calls, and a `line` before them.

    `hedges` is what may be called beside late calls, of all together.
    """

    def __init__(self, places: int, line: int) -> None:
        gates: defaultdict[str, Gate] = defaultdict(lambda: Gate(Bulkhead(places, line)))
        self.of: Callable[[str], Gate] = gates.__getitem__
        """The gate of a provider."""
        self.hedges = CallBudget(HEDGES)


class Place:
    """A place at a provider, taken by an account's call with one of the keys until it has `left`."""

    __slots__ = ("_account", "_bulkhead", "_key_number", "_keys", "_over")

    def __init__(self, bulkhead: Bulkhead, account: str, keys: KeyRing, key_number: int) -> None:
        self._bulkhead = bulkhead
        self._account = account
        self._keys = keys
        self._key_number = key_number
        self._over = False

    def leave(self) -> None:
        """The call is over; harmless after the first time."""
        if not self._over:
            self._over = True
            self._keys.left(self._key_number)
            self._bulkhead.leave(self._account)
