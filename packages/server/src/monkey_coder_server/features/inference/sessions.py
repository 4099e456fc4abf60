"""Which model served the last turn of a conversation, and how much of the prompt its provider has in its cache since.

A conversation goes on with that model while that is worth it: what is cached costs a part of its price there and all of
it anywhere else. Remembered in this process for as long as providers keep a prefix; no word is kept.
"""

from collections import OrderedDict
from typing import NamedTuple

from monkey_coder_server.domain.routing_collapse import EXPLORING
from monkey_coder_server.domain.routing_staying import staying
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.features.inference.collapse import conversation_of
from monkey_coder_server.features.inference.job import Job, Served
from monkey_coder_server.features.inference.plan import Decision, Stay
from monkey_coder_server.ports.clock import Clock

WARM_SECONDS = 300.0
"""As long as a prefix is kept at least where it is kept at all: five minutes since it was last read."""
REMEMBERED = 20_000


class _Turn(NamedTuple):
    name: str
    """`provider/model`."""
    cached: int
    """Tokens of the prompt that were read from the cache or written to it."""
    at: float


class Sessions:
    """The last turns of conversations, the newest `REMEMBERED`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turns: OrderedDict[str, _Turn] = OrderedDict()

    def served(self, served: Served) -> None:
        """A turn was answered; of several answers only one went on, whose cache says nothing of the others."""
        conversation = conversation_of(served.job)
        if conversation is None or served.collapsed is not None:
            return
        usage = served.usage
        cached = usage.cache_read + usage.cache_write_5m + usage.cache_write_1h
        self._turns.pop(conversation, None)
        if cached:
            self._turns[conversation] = _Turn(served.route.name, cached, self._clock.monotonic())
            if len(self._turns) > REMEMBERED:
                self._turns.popitem(last=False)

    def stay(self, job: Job, decision: Decision, tokens: int) -> Stay | None:
        """Whom to stay with for a prompt of about so many tokens; None where moving pays or nothing is warm."""
        if job.locked is not None or job.collapse is not None or decision.ranking.mode not in EXPLORING:
            return None
        if len(job.request.messages) < 2:
            return None
        conversation = conversation_of(job)
        turn = None if conversation is None else self._turns.get(conversation)
        if turn is None or self._clock.monotonic() - turn.at > WARM_SECONDS:
            return None
        place = next((place for place, each in enumerate(decision.order) if each.name == turn.name), None)
        if place is None:
            return None
        cached = min(turn.cached, tokens)
        saving = decision.order[place].tariff.saving(Usage(cache_read=cached))
        return Stay(place, cached, saving) if saving > 0 and staying(decision.ranking, place, saving) else None
