"""How far the checks of answers are believed at each kind of work, learnt by many accounts of which none decides alone.

A verdict counts once the truth came out: of a right answer on one side, of a wrong one on the other, of an answer that
is as good as its score on both in that proportion. What is kept are sums by kind of work, check and truth, in the form
evidence about arms has, so that they are shared and bounded in the same way.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from monkey_coder_server.domain.bandit.checkpoint import SharedEvidence, Stored
from monkey_coder_server.domain.bandit.context import Context, Node
from monkey_coder_server.domain.bandit.evidence import Evidence, Tally
from monkey_coder_server.domain.bandit.shares import Shares
from monkey_coder_server.domain.bandit.verifier import UNKNOWN, Rates, Stated, Verdicts, believed
from monkey_coder_server.domain.verification.agreement import TOGETHER
from monkey_coder_server.domain.verification.verdict import Check

MOST_OF_AN_ACCOUNT = 10.0
"""Verdicts of a check on right answers, and as many on wrong ones, that an account counts for with all others."""
MOST_ACCOUNTS = 2_000
"""Accounts whose verdicts count; what the one that was silent longest told counts no more."""
RIGHT, WRONG = "right", "wrong"
MEASURED: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        Check.NOT_EMPTY.value: (191, 191),
        Check.WHOLE.value: (189, 191),
        Check.NO_REFUSAL.value: (191, 191),
        Check.KNOWN_FILES.value: (185, 191),
        Check.PATCH_APPLIES.value: (165, 191),
        Check.SYNTAX.value: (107, 109),
        TOGETHER: (158, 191),
    }
)
"""Of replies that became commits, how many passed and how many were judged (docs/explanation/verification.md)."""
RIGHT_VERDICTS, WRONG_VERDICTS = 20.0, 4.0
"""What is stated of right answers was measured, elsewhere; of wrong ones nothing was, and it soon gives way."""
_THOUSANDTHS = 1_000
_NO_TALLY = Tally()

Judged = Iterable[tuple[str, bool]]
"""What each check, and all together, said of an answer (`agreement.judged`)."""


class Standing(NamedTuple):
    """A check's rates at a kind of work, and the weights of the right and wrong answers they were learnt from.

    These are of all that counts of everybody's, or all of the account's own at this work.
    """

    rates: Rates
    right: float
    wrong: float


class Trust:
    """What was learnt of every check. Contexts have an account as their group."""

    def __init__(self) -> None:
        self.evidence = SharedEvidence()
        """What accounts told, each at its own kinds of work: what processes share."""
        self._shares = Shares(MOST_OF_AN_ACCOUNT, self.evidence)

    def learn(self, context: Context, found: Judged, quality: float, weight: float) -> None:
        """Count what was said of an answer that turned out so good, 0 to 1; a negative weight takes it back."""
        for name, passed in found:
            for truth, share in ((RIGHT, quality), (WRONG, 1.0 - quality)):
                if share:
                    self._shares.add(context, place_of(name, truth), float(passed), weight * share)
        while len(self._shares.groups) > MOST_ACCOUNTS:
            self._shares.forget(next(iter(self._shares.groups)))

    def take(self, stored: Stored) -> None:
        """Believe what all processes saw, and what this one saw beyond it."""
        self.evidence.read(stored)
        for each in stored.sums:
            self._shares.replace(each.node, each.arm, self.evidence.nodes[each.node][each.arm])

    def rates(self, context: Context, name: str = TOGETHER) -> Rates:
        """How often a check passes right answers, and wrong ones, at this work of an account."""
        return believed(self._seen(context, name), stated(name))

    def standings(self, context: Context) -> Mapping[str, Standing]:
        """Every check's rates at this work of an account, and those of all together."""
        found = {}
        for name in (TOGETHER, *(check.value for check in Check)):
            right, wrong = self._told(context, name)
            found[name] = Standing(self.rates(context, name), right, wrong)
        return found

    def _seen(self, context: Context, name: str) -> Iterator[Verdicts]:
        """At each kind, coarsest first, what is not told again at the next finer one; all of the account's own last."""
        common = [self._at(self._shares.common, node, name) for node in context.nodes]
        for coarser, finer in pairwise(common):
            yield _without(coarser, finer)
        yield self._at(self._shares.own, context.nodes[-1], name)

    def _at(self, evidence: Evidence, node: Node, name: str) -> Verdicts:
        right, wrong = (evidence.at(node).get(place_of(name, truth), _NO_TALLY) for truth in (RIGHT, WRONG))
        return Verdicts(*_counts(right), *_counts(wrong))

    def _told(self, context: Context, name: str) -> tuple[float, float]:
        seen = self._shares.seen(context)
        everywhere, here = seen.at(()), seen.at(context.nodes[-1])
        right, wrong = (
            max(told.get(place_of(name, truth), _NO_TALLY).rows for told in (everywhere, here))
            for truth in (RIGHT, WRONG)
        )
        return right, wrong


def stated(name: str) -> Stated:
    """What is believed of a check at first: of right answers what was measured, and the same of wrong ones.

    So a check is useless until wrong answers were seen to fail it.
    """
    measured = MEASURED.get(name)
    if measured is None:
        return UNKNOWN
    passed, answers = measured
    share = (passed + 1) / (answers + 2)
    return Stated(
        RIGHT_VERDICTS * share, RIGHT_VERDICTS * (1 - share), WRONG_VERDICTS * share, WRONG_VERDICTS * (1 - share)
    )


def place_of(name: str, truth: str) -> str:
    """Where verdicts of a check on right or wrong answers are counted."""
    return f"{name} {truth}"


def _without(all_told: Verdicts, told_again: Verdicts) -> Verdicts:
    return Verdicts(
        max(0, all_told.right_passed - told_again.right_passed),
        max(0, all_told.right_failed - told_again.right_failed),
        max(0, all_told.wrong_passed - told_again.wrong_passed),
        max(0, all_told.wrong_failed - told_again.wrong_failed),
    )


def _counts(tally: Tally) -> tuple[int, int]:
    passed = max(0, round(_THOUSANDTHS * tally.quality))
    return passed, max(0, round(_THOUSANDTHS * tally.rows) - passed)
