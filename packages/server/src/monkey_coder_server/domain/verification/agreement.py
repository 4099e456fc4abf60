"""Verdicts held against what came out later: how often each check passes right answers, and wrong ones."""

from collections.abc import Iterable, Sequence

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
        for check, outcome, _ in found.findings:
            if outcome is not Outcome.NOT_APPLICABLE:
                learnt[check.value].learn(nodes, passed=outcome is Outcome.PASSED, right=right, weight=weight)
        if found.ran:
            learnt[TOGETHER].learn(nodes, passed=found.passed, right=right, weight=weight)
    return learnt
