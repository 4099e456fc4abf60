"""A warm start: everything that is believed, fitted on outcomes in the order they came."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from monkey_coder_server.domain.bandit import directions
from monkey_coder_server.domain.bandit.context import ANYTHING, Context
from monkey_coder_server.domain.bandit.gate import Gate, held, hull
from monkey_coder_server.domain.bandit.posterior import Posterior
from monkey_coder_server.domain.bandit.quality import Quality, Telling, refined
from monkey_coder_server.domain.bandit.shrinkage import Priors

FEWEST_TEXTS = 500
"""Among thousands of words, fewer texts always hold some that went with success by luck."""
TRIALS = ((0.5, 0.75), (0.75, 1.0))
"""The text is fitted on the first part of the outcomes and tried on what came between it and the second."""


class Seen(NamedTuple):
    """A task and the quality of each arm that tried it."""

    context: Context
    qualities: Mapping[str, float]


def fit(seen: Sequence[Seen], costs: Mapping[str, float], priors: Priors) -> Quality:
    """The beliefs after all outcomes. `costs` of the arms, in any one unit, decide which choices the gate compares."""
    posterior = learn(seen, priors)
    told = [each for each in seen if each.context.text is not None]
    if len(told) < FEWEST_TEXTS:
        return Quality(posterior)
    gate = Gate()
    for fitted, tried in TRIALS:
        start, end = int(fitted * len(told)), int(tried * len(told))
        try_text(gate, told[:start], told[start:end], costs, priors)
    return Quality(posterior, tell(posterior, told), gate)


def learn(seen: Sequence[Seen], priors: Priors) -> Posterior:
    """The posterior after all outcomes."""
    posterior = Posterior(priors)
    for context, qualities in seen:
        for arm, quality in qualities.items():
            posterior.update(context, arm, quality)
    posterior.settle()
    return posterior


def tell(posterior: Posterior, told: Sequence[Seen]) -> Telling:
    """What the texts say beyond what the kinds of work do."""
    arms = sorted({arm for each in told for arm in each.qualities})
    anywhere = posterior.expect(ANYTHING, arms)
    loadings = directions.loadings({arm: belief.mean for arm, belief in zip(arms, anywhere, strict=True)})
    texts, targets, weights = [], [], []
    for context, qualities in told:
        pulls = [loadings[arm] for arm in qualities]
        squares = sum(pull * pull for pull in pulls)
        if context.text is None or not squares:
            continue
        beliefs = posterior.expect(context, qualities)
        surprise = sum(
            pull * (quality - belief.mean)
            for pull, quality, belief in zip(pulls, qualities.values(), beliefs, strict=True)
        )
        texts.append(context.text)
        targets.append(surprise / squares)
        weights.append(squares / len(pulls))
    return Telling(directions.fit(texts, targets, weights), loadings)


def try_text(
    gate: Gate, before: Sequence[Seen], after: Sequence[Seen], costs: Mapping[str, float], priors: Priors
) -> None:
    """Count how far a text fitted on earlier outcomes came true at later ones that every arm of the hull tried."""
    posterior = learn(before, priors)
    telling = tell(posterior, before)
    arms = list(costs)
    steps = hull([belief.mean for belief in posterior.expect(ANYTHING, arms)], list(costs.values()))
    needed = {arms[place] for step in steps for place in (step.cheaper, step.dearer)}
    for context, qualities in after:
        if needed <= qualities.keys():
            plain = posterior.expect(context, arms)
            moved = refined(plain, arms, telling, context)
            true = [qualities.get(arm, 0.0) for arm in arms]
            gate.add(*held(steps, true, [each.mean for each in plain], [each.mean for each in moved]))
