"""Verdicts on served answers: a faint hint about their model at once, and once the truth comes out about the checks.

What a check is worth is learnt only from answers that were given whatever it said. Of several answers the one that
passed is kept, so what came of it tells nothing of the answers the check failed.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.verification.agreement import TOGETHER, judged
from monkey_coder_server.domain.verification.hint import hint_of
from monkey_coder_server.domain.verification.trust import Trust
from monkey_coder_server.domain.verification.verdict import Verdict
from monkey_coder_server.domain.work import CHAT, KIND_OF_TASK
from monkey_coder_server.features.inference.beliefs import LEAST, MOST, Beliefs, Signal
from monkey_coder_server.features.inference.outcomes import ServedBy

REMEMBERED = 8_192
"""Answers whose verdict waits for the truth."""


class _Noted(NamedTuple):
    """An answer's verdict: what every check said, what it hinted at, and what is known of the truth."""

    by: ServedBy
    said: tuple[tuple[str, bool], ...]
    hint: Signal | None
    unselected: bool
    truth: Signal | None = None


class Verdicts:
    """Of one process. Told in the turn of the loop in which they are known."""

    def __init__(self, trust: Trust, beliefs: Beliefs) -> None:
        self._trust = trust
        self._beliefs = beliefs
        self._noted: OrderedDict[str, _Noted] = OrderedDict()

    def hint(self, by: ServedBy, found: Verdict, success: float) -> Signal | None:
        """Believe of the model what a verdict says of it, which was believed to succeed so often; None for nothing."""
        passed = dict(judged(found)).get(TOGETHER)
        if passed is None:
            return None
        rates = self._trust.rates(context_of(by))
        hint = Signal(*hint_of(rates, passed=passed, success=min(MOST, max(LEAST, success))))
        if not hint.weight:
            return None
        self._beliefs.learn(by, hint)
        return hint

    def note(self, request_id: str, by: ServedBy, found: Verdict, success: float, *, unselected: bool) -> None:
        """Remember the verdict on the answer a caller got. `unselected`: it was given whatever the checks said."""
        hint = self.hint(by, found, success)
        self._noted[request_id] = _Noted(by, tuple(judged(found)), hint, unselected)
        if len(self._noted) > REMEMBERED:
            self._noted.popitem(last=False)

    def told(self, request_id: str, truth: Signal) -> None:
        """Learn how an answer turned out; the hint gives way. Of several the heaviest counts, of equals the latest."""
        noted = self._noted.get(request_id)
        if noted is None or (noted.truth is not None and noted.truth.weight > truth.weight):
            return
        if noted.hint is not None:
            self._beliefs.learn(noted.by, Signal(noted.hint.quality, -noted.hint.weight))
        if noted.unselected:
            for signal in _instead(noted.truth, truth):
                self._trust.learn(context_of(noted.by), noted.said, *signal)
        self._noted[request_id] = noted._replace(hint=None, truth=truth)


def _instead(earlier: Signal | None, truth: Signal) -> Iterator[Signal]:
    """What is to be counted so that the truth counts instead of what was told earlier."""
    if earlier is not None:
        yield Signal(earlier.quality, -earlier.weight)
    yield truth


def context_of(by: ServedBy) -> Context:
    """The kinds of work a served request belongs to, its account's own last."""
    return Context.of(by.kind or KIND_OF_TASK.get(by.task_type, CHAT), by.language, by.account_id)
