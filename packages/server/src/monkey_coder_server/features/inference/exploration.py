"""Which requests may be played another model than the one played as a rule, and which model that is.

Trying teaches something only where somebody says how it turned out, so only accounts that report outcomes are asked
to bear it, within their ledger (`Restraint`). Never explored: pinned models and `auto:best`, quotes and what runs under
one, and whatever its client sends again.

Of the same requests of all other accounts a newcomer, which leads by what is stated of it alone, gets a small part.
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
        if not job.explores or job.locked is not None or decision.ranking.mode not in EXPLORING:
            return None
        uniform = uniform_of(job)
        if self._beliefs.reported(account_id) < REPORTING:
            return _between(decision, 1.0 - uniform)
        if not self._restraint.allows(account_id, decision.worth):
            return None
        return Draw(uniform, drawn(decision.probabilities, uniform), decision.probabilities)

    def played(self, served: Served) -> None:
        """A request was served.

        One that stayed where its cache is warm neither tried nor passed over anything, nor did one that fell to a
        newcomer which is believed to be better.
        """
        plan, job = served.plan, served.job
        decision, draw = plan.decision, plan.draw
        if plan.stay is not None or (draw is not None and not draw.explores):
            return
        if job.locked is None and decision.ranking.mode in EXPLORING:
            tried = draw is not None and draw.place != decision.usual and served.route.candidate is plan.order[0]
            self._restraint.played(job.request_id, job.principal.account_id, decision.worth, tried=tried)

    def told(self, request_id: str, quality: float) -> None:
        """How a request turned out, 0 to 1."""
        self._restraint.told(request_id, quality)


def _between(decision: Decision, uniform: float) -> Draw | None:
    """Newcomer or best proven; None where no newcomer leads.

    The number is the far end of the request's own, so that it is not those whose answers are watched that fall to it.
    """
    if not decision.usual:
        return None
    shares = decision.newcomer_shares
    return Draw(uniform, drawn(shares, uniform), shares, explores=False)
