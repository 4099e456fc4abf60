"""Verdicts held against what came out later: how often each check passes right answers, and wrong ones."""

from collections.abc import Iterable, Iterator, Sequence

from monkey_coder_server.domain.bandit.context import Node
from monkey_coder_server.domain.bandit.verifier import Verifier
from monkey_coder_server.domain.verification.verdict import Check, Outcome, Verdict

TOGETHER = "together"
"""The name under which all checks together are counted."""


def agreement(
    pairs: Iterable[tuple[Verdict, bool]], nodes: Sequence[Node] = ((),), *, weight: float = 1.0
) -> dict[str, Verifier]:
    """What is learnt of every check, and of all together, from verdicts and whether the answer was right.

    A check that could say nothing about an answer learns nothing from it. `nodes` are the kinds of work, coarsest
    first. What was learnt elsewhere is merged with `Verifier.merge`.
    """
    learnt: dict[str, Verifier] = {check.value: Verifier() for check in Check} | {TOGETHER: Verifier()}
    for found, right in pairs:
        for name, passed in judged(found):
            learnt[name].learn(nodes, passed=passed, right=right, weight=weight)
    return learnt


def judged(found: Verdict) -> Iterator[tuple[str, bool]]:
    """Whether the answer passed, by every check that could say something and by all of them together."""
    for check, outcome, _ in found.findings:
        if outcome is not Outcome.NOT_APPLICABLE:
            yield check.value, outcome is Outcome.PASSED
    if found.ran:
        yield TOGETHER, found.passed
