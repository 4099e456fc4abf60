"""`POST /v1/feedback`: how an answer turned out."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from monkey_coder_protocol.billing import Feedback
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.features.inference import bounds
from monkey_coder_server.features.inference.beliefs import Signal
from monkey_coder_server.features.inference.desk import Desk
from monkey_coder_server.features.inference.learning import Learning
from monkey_coder_server.features.inference.outcomes import ServedBy
from monkey_coder_server.ports.ledger import Records
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

SCORES: Mapping[str, float] = MappingProxyType(
    {"accepted": 1.0, "tests_passed": 1.0, "rejected": 0.0, "tests_failed": 0.0}
)
"""What an outcome counts when the caller gives no score of its own."""
TESTS = frozenset({"tests_passed", "tests_failed"})
TESTED, TAKEN, SCORED = 1.0, 0.5, 0.3
"""How much is believed of tests, of what a person did with the answer, and of a score a person gives it."""
_decoder = msgspec.json.Decoder(Feedback)
_receipt = msgspec.json.Decoder(dict)


class FeedbackApi:
    """Only requests of the caller's own account can be reported on. Reports count as requests of the caller's rate."""

    def __init__(self, desk: Desk, learning: Learning, ledger: Records) -> None:
        self._desk = desk
        self._learning = learning
        self._ledger = ledger

    async def report(self, request: Request) -> Reply:
        """Count the outcome; answers what is now known of that model at that kind of task."""
        feedback = await json_body(request, _decoder)
        headers = await self._desk.limit(request.principal)
        bounds.number("score", feedback.score, 0.0, 1.0)
        by = await self._who(request.principal.account_id, feedback.request_id)
        await self._learning.checking.checked(feedback.request_id)
        score = SCORES[feedback.outcome] if feedback.score is None else feedback.score
        tally = self._learning.reported(feedback.request_id, by, Signal(score, _weight(feedback)), feedback.outcome)
        return json_reply(
            {
                "request_id": feedback.request_id,
                "outcome": feedback.outcome,
                "score": score,
                "recorded": True,
                "model": by.model,
                "task_type": by.task_type,
                "reports": tally.reports,
                "mean_score": round(tally.good / tally.reports, 4),
            },
            headers=headers,
        )

    async def _who(self, account_id: str, request_id: str) -> ServedBy:
        remembered = self._learning.outcomes.who(account_id, request_id)
        if remembered is not None:
            return remembered
        receipt = await self._ledger.receipt(account_id, request_id)
        if receipt is None:
            raise NotFound("No served request of this account has that id; send the `request_id` of an answer.")
        facts = _receipt.decode(receipt.body)
        return ServedBy(account_id, f"{facts['provider']}/{facts['model']}", str(facts.get("task_type", "custom")))


def _weight(feedback: Feedback) -> float:
    if feedback.outcome in TESTS:
        return TESTED
    return TAKEN if feedback.score is None else SCORED
