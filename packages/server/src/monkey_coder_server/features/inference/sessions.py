"""Which model served the last turn of a conversation, and how much of the prompt its provider has in its cache since.

A conversation goes on with that model while that is worth it: what is cached costs a part of its price there and all of
it anywhere else. Remembered in this process for as long as providers keep a prefix; no word is kept.
"""

from collections import OrderedDict
from itertools import islice
from typing import NamedTuple

from monkey_coder_server.domain.routing_collapse import EXPLORING
from monkey_coder_server.domain.routing_staying import cost_of_moving, staying
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.features.inference.collapse import conversation_of
from monkey_coder_server.features.inference.job import Job, Served
from monkey_coder_server.features.inference.plan import Decision, Stay
from monkey_coder_server.ports.clock import Clock

WARM_SECONDS = 300.0
"""As long as a prefix is kept at least where it is kept at all: five minutes since it was last read."""
REMEMBERED = 20_000


SHOWN = 10
"""Conversations of an account that are told about."""


class Warm(NamedTuple):
    """A conversation that a model served last, weighed as if a request were its next turn.

    `cached` are the tokens of the request that would be read from the cache, `saving` what that spares the account, and
    `moving` what the best-ranked model is expected to cost more than that; negative where it costs less. In
    nano-dollars; both are None where the model is no candidate. `stays`: it would go on with that model.
    """

    name: str
    cached: int
    seconds_left: float
    saving: int | None
    moving: int | None
    stays: bool


class _Turn(NamedTuple):
    account_id: str
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
        usage = served.usage
        cached = usage.cache_read + usage.cache_write_5m + usage.cache_write_1h
        if served.collapsed is not None or not (cached or self._turns):
            return
        conversation = conversation_of(served.job)
        if conversation is None:
            return
        self._turns.pop(conversation, None)
        if cached:
            account_id, at = served.job.principal.account_id, self._clock.monotonic()
            self._turns[conversation] = _Turn(account_id, served.route.name, cached, at)
            if len(self._turns) > REMEMBERED:
                self._turns.popitem(last=False)

    def stay(self, job: Job, decision: Decision, tokens: int) -> Stay | None:
        """Whom to stay with for a prompt of about so many tokens; None where moving pays or nothing is warm."""
        if len(job.request.messages) < 2 or not _is_free(job, decision):
            return None
        conversation = conversation_of(job)
        turn = None if conversation is None else self._turns.get(conversation)
        if turn is None or self._seconds_left(turn) < 0.0:
            return None
        stay = _stay(turn, decision, tokens)
        return stay if stay is not None and _is_worth_it(stay, decision) else None

    def warm(self, job: Job, decision: Decision, tokens: int) -> list[Warm]:
        """The warm conversations of an account, the latest first, each as if a request were its next turn."""
        account_id = job.principal.account_id
        latest = (turn for turn in reversed(self._turns.values()) if turn.account_id == account_id)
        found = []
        for turn in islice(latest, SHOWN):
            left = self._seconds_left(turn)
            if left < 0.0:
                break
            stay = _stay(turn, decision, tokens)
            if stay is None:
                found.append(Warm(turn.name, 0, left, None, None, stays=False))
                continue
            stays = _is_free(job, decision) and _is_worth_it(stay, decision)
            moving = cost_of_moving(decision.ranking, stay.place, stay.saving)
            found.append(Warm(turn.name, stay.cached, left, stay.saving, moving, stays))
        return found

    def _seconds_left(self, turn: _Turn) -> float:
        return WARM_SECONDS - (self._clock.monotonic() - turn.at)


def _is_free(job: Job, decision: Decision) -> bool:
    """Whether the choice of a model is the router's at all."""
    return job.locked is None and job.collapse is None and decision.ranking.mode in EXPLORING


def _stay(turn: _Turn, decision: Decision, tokens: int) -> Stay | None:
    """What staying would be; None where the model is no candidate."""
    place = next((place for place, each in enumerate(decision.order) if each.name == turn.name), None)
    if place is None:
        return None
    cached = min(turn.cached, tokens)
    return Stay(place, cached, decision.order[place].tariff.saving(Usage(cache_read=cached)))


def _is_worth_it(stay: Stay, decision: Decision) -> bool:
    return stay.saving > 0 and staying(decision.ranking, stay.place, stay.saving)
