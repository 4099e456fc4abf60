"""`POST /v1/feedback`: how an answer turned out."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from monkey_coder_protocol.billing import Feedback
from monkey_coder_server.domain.verification.callers import CallersCheck
from monkey_coder_server.features.inference import bounds
from monkey_coder_server.features.inference.desk import Desk
from monkey_coder_server.features.inference.reports import FAILED, PASSED, Reports
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

SCORES: Mapping[str, float] = MappingProxyType({"accepted": 1.0, PASSED: 1.0, "rejected": 0.0, FAILED: 0.0})
"""What an outcome counts when the caller gives no score of its own."""
TAKEN, SCORED = 0.5, 0.3
"""How much is believed of what a person did with the answer, and of a score a person gives it."""
_decoder = msgspec.json.Decoder(Feedback)


class FeedbackApi:
    """Only requests of the caller's own account can be reported on. Reports count as requests of the caller's rate."""

    def __init__(self, desk: Desk, reports: Reports) -> None:
        self._desk = desk
        self._reports = reports

    async def report(self, request: Request) -> Reply:
        """Count the outcome; answers what is now known of that model at that kind of task."""
        feedback = await json_body(request, _decoder)
        headers = await self._desk.limit(request)
        bounds.number("score", feedback.score, 0.0, 1.0)
        by = await self._reports.who(request.principal.account_id, feedback.request_id)
        score = SCORES[feedback.outcome] if feedback.score is None else feedback.score
        tally = await self._reports.count(
            feedback.request_id,
            by,
            score,
            feedback.outcome,
            weight=_weight(feedback),
            verifier=feedback.verifier or CallersCheck.TESTS.value,
        )
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


def _weight(feedback: Feedback) -> float | None:
    """None for a check, which has a weight of its own."""
    if feedback.outcome in {PASSED, FAILED}:
        return None
    return TAKEN if feedback.score is None else SCORED
