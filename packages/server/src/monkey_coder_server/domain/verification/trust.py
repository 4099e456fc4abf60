"""How far the checks of answers are believed at each kind of work, learnt by many accounts of which none decides alone.

A verdict counts once the truth came out: of a right answer on one side, of a wrong one on the other, of an answer that
is as good as its score on both in that proportion. What is kept are sums by kind of work, check and truth, in the form
evidence about arms has, so that they are shared and bounded in the same way.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from monkey_coder_server.domain.bandit.checkpoint import SharedEvidence, Stored
from monkey_coder_server.domain.bandit.context import Context, Node
from monkey_coder_server.domain.bandit.evidence import Evidence, Tally
from monkey_coder_server.domain.bandit.shares import Shares
from monkey_coder_server.domain.bandit.verifier import UNKNOWN, Rates, Stated, Verdicts, believed
from monkey_coder_server.domain.verification.agreement import TOGETHER
from monkey_coder_server.domain.verification.callers import ASSUMED, CallersCheck, Seen, balanced
from monkey_coder_server.domain.verification.verdict import Check

MOST_OF_AN_ACCOUNT = 10.0
"""Verdicts of a check on right answers, and as many on wrong ones, that an account counts for with all others."""
MOST_ACCOUNTS = 2_000
"""Accounts whose verdicts count; what the one that was silent longest told counts no more."""
RIGHT, WRONG, SEEN = "right", "wrong", "seen"
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
_PLACES = (RIGHT, WRONG, SEEN)

Judged = Iterable[tuple[str, bool]]
"""What each check, and all together, said of an answer (`agreement.judged`)."""


class Source(StrEnum):
    """Where the rates come from that a check has before outcomes."""

    MEASURED = "measured"
    ASSUMED = "assumed"
    UNKNOWN = "unknown"


class Standing(NamedTuple):
    """A check's rates at a kind of work, and the weights of the right and wrong answers they were learnt from.

    These are of all that counts of everybody's, or all of the account's own at this work.
    """

    rates: Rates
    right: float
    wrong: float
    source: Source


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
        self._forget()

    def saw(self, context: Context, name: str, *, passed: bool, weight: float = 1.0) -> None:
        """Count what a caller's check said of an answer, whatever comes out later; a negative weight takes it back."""
        self._shares.add(context, place_of(name, SEEN), float(passed), weight)
        self._forget()

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
        for name in (TOGETHER, *(check.value for check in (*Check, *CallersCheck))):
            right, wrong = self._told(context, name)
            found[name] = Standing(self.rates(context, name), right, wrong, source_of(name))
        return found

    def _forget(self) -> None:
        while len(self._shares.groups) > MOST_ACCOUNTS:
            self._shares.forget(next(iter(self._shares.groups)))

    def _seen(self, context: Context, name: str) -> Iterator[Verdicts]:
        """At each kind, coarsest first, what is not told again at the next finer one; all of the account's own last."""
        common = [self._at(self._shares.common, node, name) for node in context.nodes]
        for coarser, finer in pairwise(common):
            yield coarser.without(finer).that_count
        yield self._at(self._shares.own, context.nodes[-1], name).that_count

    def _at(self, evidence: Evidence, node: Node, name: str) -> "_Kept":
        right, wrong, seen = (evidence.at(node).get(place_of(name, truth), _NO_TALLY) for truth in _PLACES)
        return _Kept(Verdicts(*_counts(right), *_counts(wrong)), Seen(*_counts(seen)))

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

    So a check of ours is useless until wrong answers were seen to fail it. Of checks that callers run it is assumed.
    """
    measured = MEASURED.get(name)
    if measured is None:
        return ASSUMED.get(name, UNKNOWN)
    passed, answers = measured
    share = (passed + 1) / (answers + 2)
    return Stated(
        RIGHT_VERDICTS * share, RIGHT_VERDICTS * (1 - share), WRONG_VERDICTS * share, WRONG_VERDICTS * (1 - share)
    )


def source_of(name: str) -> Source:
    """Where what is stated of a check comes from."""
    if name in MEASURED:
        return Source.MEASURED
    return Source.ASSUMED if name in ASSUMED else Source.UNKNOWN


def place_of(name: str, truth: str) -> str:
    """Where verdicts of a check on right or on wrong answers are counted, or on all that were seen."""
    return f"{name} {truth}"


class _Kept(NamedTuple):
    """What is kept of a check at a kind of work. Nothing was `seen` but of checks that callers run."""

    told: Verdicts
    seen: Seen

    def without(self, again: "_Kept") -> "_Kept":
        """This without what is told again."""
        told, other = self.told, again.told
        return _Kept(
            Verdicts(
                max(0, told.right_passed - other.right_passed),
                max(0, told.right_failed - other.right_failed),
                max(0, told.wrong_passed - other.wrong_passed),
                max(0, told.wrong_failed - other.wrong_failed),
            ),
            Seen(max(0, self.seen.passed - again.seen.passed), max(0, self.seen.failed - again.seen.failed)),
        )

    @property
    def that_count(self) -> Verdicts:
        return balanced(self.told, self.seen)


def _counts(tally: Tally) -> tuple[int, int]:
    passed = max(0, round(_THOUSANDTHS * tally.quality))
    return passed, max(0, round(_THOUSANDTHS * tally.rows) - passed)
