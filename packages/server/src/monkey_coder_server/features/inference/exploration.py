"""Which requests may be played another model than the best-ranked one, and which model that is.

Trying teaches something only where somebody says how it turned out, so only accounts that report outcomes are asked
to bear it, within their ledger (`Restraint`). Never explored: pinned models and `auto:best`, quotes and what runs under
one, and whatever its client sends again.
"""

from monkey_coder_server.domain.bandit.choice import drawn
from monkey_coder_server.domain.routing_collapse import EXPLORING
from monkey_coder_server.features.inference.beliefs import Beliefs
from monkey_coder_server.features.inference.collapse import uniform_of
from monkey_coder_server.features.inference.job import Job, Served
from monkey_coder_server.features.inference.plan import Decision, Draw
from monkey_coder_server.features.inference.restraint import Restraint

REPORTING = 10.0
"""An account reports outcomes once those it told this process weigh so much."""


class Exploration:
    """Draws for requests, and keeps the ledger of what that cost."""

    def __init__(self, beliefs: Beliefs) -> None:
        self._beliefs = beliefs
        self._restraint = Restraint()

    def draw(self, job: Job, decision: Decision) -> Draw | None:
        """What a request draws; None for one that is not explored."""
        account_id = job.principal.account_id
        if (
            not job.explores
            or job.locked is not None
            or decision.ranking.mode not in EXPLORING
            or self._beliefs.reported(account_id) < REPORTING
            or not self._restraint.allows(account_id, _worth(decision))
        ):
            return None
        uniform = uniform_of(job)
        place = drawn(decision.probabilities, uniform)
        return Draw(uniform, place, decision.probabilities[place])

    def played(self, served: Served) -> None:
        """A request was served; one that stayed where its cache is warm neither tried nor passed over anything."""
        plan, job = served.plan, served.job
        if plan.stay is not None:
            return
        decision = plan.decision
        if job.locked is None and decision.ranking.mode in EXPLORING:
            tried = plan.draw is not None and plan.draw.place > 0 and served.route.candidate is plan.order[0]
            self._restraint.played(job.request_id, job.principal.account_id, _worth(decision), tried=tried)

    def told(self, request_id: str, quality: float) -> None:
        """How a request turned out, 0 to 1."""
        self._restraint.told(request_id, quality)


def _worth(decision: Decision) -> float:
    """The quality the best-ranked model is believed to have."""
    return decision.ranking.candidates[0].expected.success
