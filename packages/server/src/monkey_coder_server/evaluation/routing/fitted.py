"""The product's own beliefs, fitted on training rows: what is measured is the code that serves."""

import hashlib

from monkey_coder_server.domain.bandit.fitting import Seen, fit
from monkey_coder_server.domain.bandit.quality import Quality
from monkey_coder_server.domain.bandit.shrinkage import Prior
from monkey_coder_server.evaluation.routing.data import Row
from monkey_coder_server.evaluation.routing.protocol import Expectation
from monkey_coder_server.evaluation.routing.routers import Lesson, Predict


def superposition(lesson: Lesson) -> Predict:
    """Expects what the product would after these outcomes."""
    quality = learnt(lesson)

    def predict(row: Row) -> Expectation:
        return Expectation([belief.mean for belief in quality.expect(row.context, lesson.arms)], lesson.costs)

    return predict


def learnt(lesson: Lesson) -> Quality:
    """The beliefs after the training rows, taken in an order that has nothing to do with their content."""
    rows = sorted(lesson.rows, key=lambda row: hashlib.sha256(f"order|{row.item_id}".encode()).digest())
    arms = set(lesson.arms)
    seen = [
        Seen(row.context, {arm: outcome.quality for arm, outcome in row.outcomes.items() if arm in arms})
        for row in rows
    ]
    middle = sum(lesson.qualities) / len(lesson.qualities)
    priors = {arm: Prior(middle) for arm in lesson.arms}
    return fit(seen, dict(zip(lesson.arms, lesson.costs, strict=True)), priors)
