"""Checks that callers run where their code is: what is assumed of them at first, and how far their outcomes count.

Whoever tells how an answer turned out looks more often at those that passed. Were these counted alone, a check would
come to be held to pass everything. So outcomes of answers that passed, and of answers that failed, count only in the
proportion in which the check passed and failed answers.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from monkey_coder_server.domain.bandit.verifier import Stated, Verdicts

ALLOWANCE = 1_000
"""Thousandths of an outcome that either side may lack: a single answer nobody speaks of does not silence the rest."""


class CallersCheck(StrEnum):
    """What callers run, by the names they say."""

    TESTS = "tests"
    BUILD = "build"
    LINT = "lint"


ASSUMED: Mapping[str, Stated] = MappingProxyType(
    {
        CallersCheck.TESTS.value: Stated(7.2, 0.8, 0.8, 7.2),
        CallersCheck.BUILD.value: Stated(7.6, 0.4, 5.6, 2.4),
        CallersCheck.LINT.value: Stated(7.2, 0.8, 6.4, 1.6),
    }
)
"""Nothing was measured of them: tests are taken to pass nine right and one wrong answer of ten, as in the plans of
decision 0025; a build passes most wrong answers, a linter nearly all. Eight outcomes on a side weigh as much.
"""


class Seen(NamedTuple):
    """What a check said of all answers, whatever came out later, in thousandths of a verdict."""

    passed: int
    failed: int


def balanced(told: Verdicts, seen: Seen) -> Verdicts:
    """The outcomes that count, given all verdicts there were."""
    passed = _Side(told.right_passed + told.wrong_passed, seen.passed)
    failed = _Side(told.right_failed + told.wrong_failed, seen.failed)
    verdicts = seen.passed + seen.failed
    sides = [side for side in (passed, failed) if side.seen > 0]
    if not sides:
        return told
    outcomes = min((side.told + ALLOWANCE) * verdicts / side.seen for side in sides)
    of_passed, of_failed = (side.share(outcomes, verdicts) for side in (passed, failed))
    return Verdicts(
        round(told.right_passed * of_passed),
        round(told.right_failed * of_failed),
        round(told.wrong_passed * of_passed),
        round(told.wrong_failed * of_failed),
    )


class _Side(NamedTuple):
    """Answers that passed, or those that failed: the weight of their outcomes and of the verdicts."""

    told: int
    seen: int

    def share(self, outcomes: float, verdicts: int) -> float:
        """The part of this side's outcomes that counts, where so many count on both sides together."""
        return min(1.0, outcomes * self.seen / verdicts / self.told) if self.told > 0 else 0.0
