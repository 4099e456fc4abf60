"""What the router believes of every model at every kind of work, in this process: stated priors moved by outcomes."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from monkey_coder_server.domain.bandit.checkpoint import SharedEvidence, Stored
from monkey_coder_server.domain.bandit.context import Context, Node, path_to
from monkey_coder_server.domain.bandit.drift import KEPT_ROWS, remainder
from monkey_coder_server.domain.bandit.evidence import Evidence, Tally
from monkey_coder_server.domain.bandit.posterior import Posterior
from monkey_coder_server.domain.bandit.shares import Shares
from monkey_coder_server.domain.bandit.shrinkage import Prior, Shrinkage
from monkey_coder_server.domain.bandit.watch import Change, Watch, Watched
from monkey_coder_server.domain.routing import Learned
from monkey_coder_server.domain.work import CHAT, KIND_OF_TASK, Work
from monkey_coder_server.features.inference.outcomes import MOST_OF_AN_ACCOUNT, ServedBy

PRIOR_ROWS = 10.0
"""A stated prior weighs as much as so many outcomes that tests told."""
MOST_ACCOUNTS = 2_000
"""Accounts whose outcomes count; what the one told that was silent longest counts no more."""
REMEMBERED = 20_000
"""Requests whose outcome can be told better later."""
LEAST, MOST = 0.02, 0.98
"""No answer is believed to be surely bad or good."""
_NONE = Tally()


class Signal(NamedTuple):
    """How an answer turned out, 0 to 1, and how much that is to be believed, up to 1."""

    quality: float
    weight: float


class Beliefs:
    """Learns how answers turned out; nothing an account tells moves others by more than `MOST_OF_AN_ACCOUNT`."""

    def __init__(self) -> None:
        self.evidence = SharedEvidence()
        """What accounts told, each at its own kinds of work: what processes share."""
        self.shares = Shares(float(MOST_OF_AN_ACCOUNT), self.evidence)
        self._shrinkage = Shrinkage()
        self._told: OrderedDict[str, Signal] = OrderedDict()
        self._reported: dict[str, float] = {}
        self.stated: dict[str, Prior] = {}
        """What was stated of each arm when it was last asked for."""
        self.version = 0
        """Rises with every outcome."""
        self._settled_at = (0, 0)
        self._watch = Watch()

    def expect(self, work: Work, account_id: str, priors: Mapping[str, float]) -> Sequence[Learned]:
        """What is believed of each arm at this work of an account, by the stated prior of each.

        What was `seen` of an arm is all that counts of everybody's outcomes, or all of the account's own at this work.
        """
        context = Context.of(work.kind, work.language, account_id)
        evidence = self.shares.seen(context)
        new = tuple.__new__  # a named tuple in half the time its class takes
        stated = {arm: new(Prior, (mean, PRIOR_ROWS)) for arm, mean in priors.items()}
        self.stated.update(stated)
        beliefs = Posterior(stated, evidence, self._shrinkage).expect(context, priors)
        everywhere, here = evidence.at(()).get, evidence.at(context.nodes[-1]).get
        found = []
        for arm, (mean, spread) in zip(priors, beliefs, strict=True):
            by_all, by_account = everywhere(arm, _NONE).rows, here(arm, _NONE).rows
            found.append(new(Learned, (min(MOST, max(LEAST, mean)), spread, max(by_all, by_account))))
        return found

    def known(self, work: Work, account_id: str) -> tuple[Node, ...]:
        """The kinds this work belongs to of which anything is known: what is equal in them is believed alike."""
        return self.shares.known(path_to(work.kind, work.language, account_id))

    def reported(self, account_id: str) -> float:
        """The weight of all outcomes an account reported to this process."""
        return self._reported.get(account_id, 0.0)

    def report(self, request_id: str, by: ServedBy, signal: Signal) -> None:
        """Learn how a request turned out. Of several signals of it the heaviest counts, of equals the latest."""
        earlier = self._told.pop(request_id, None)
        if earlier is not None and earlier.weight > signal.weight:
            self._told[request_id] = earlier
            return
        weight = self.reported(by.account_id) + signal.weight
        change = None
        if earlier is not None:
            self.learn(by, Signal(earlier.quality, -earlier.weight))
            weight -= earlier.weight
        else:
            change = self._change(by, signal)
        self.learn(by, signal)
        if change is not None:
            self._give_up(by.arm, change)
        self._reported[by.account_id] = weight
        self._told[request_id] = signal
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    def learn(self, by: ServedBy, signal: Signal) -> None:
        """Count an outcome; a negative weight takes back one that was counted."""
        self.shares.add(Context.of(_kind(by), by.language, by.account_id), by.arm, *signal)
        self._counted()

    def watched(self, account_id: str, arm: str) -> Watched:
        """How near an arm is to being held to have become worse."""
        return self._watch.of(account_id, arm)

    def eras(self, work: Work, account_id: str, arm: str) -> int:
        """How often what was seen of an arm at an account's work was given up."""
        return self.evidence.era(Context.of(work.kind, work.language, account_id).nodes[-1], arm)

    def _change(self, by: ServedBy, signal: Signal) -> Change | None:
        """Whether an outcome shows that an arm has become worse; of one nobody asked for yet nothing is expected."""
        stated = self.stated.get(by.arm)
        if stated is None:
            return None
        context = Context.of(_kind(by), by.language, by.account_id)
        believed = Posterior({by.arm: stated}, self.shares.seen(context), self._shrinkage)
        (expected,) = believed.expect(context, [by.arm])
        return self._watch.learn(by.account_id, by.arm, min(MOST, expected.mean), *signal)

    def _give_up(self, arm: str, change: Change) -> None:
        """Let what was seen of an arm, by an account or by all, count as few outcomes of what it still is."""
        seen = [
            (node, arms[arm])
            for node, arms in self.evidence.nodes.items()
            if arm in arms and (change.group is None or node[-1] == change.group)
        ]
        rows = sum(tally.rows for _, tally in seen)
        kept = min(1.0, KEPT_ROWS / rows) if rows > 0 else 1.0
        for node, tally in seen:
            left = remainder(tally, kept, change.left)
            self.evidence.begin_era(node, arm, left)
            self.shares.replace(node, arm, left)
        self._counted()

    def take(self, stored: Stored) -> None:
        """Believe what all processes saw, and what this one saw beyond it."""
        self.evidence.read(stored)
        for each in stored.sums:
            self.shares.replace(each.node, each.arm, self.evidence.nodes[each.node][each.arm])
            self._counted()

    def unsettled(self) -> Evidence | None:
        """The evidence to estimate anew from how far kinds are believed; None when there is nothing new.

        A prior that was not stated before is new, too: after a start evidence is there before any request.
        It is a copy down to its sums, which may be counted on meanwhile: an estimate of thousands of them bears that.
        """
        now = (self.version, len(self.stated))
        if self._settled_at == now:
            return None
        self._settled_at = now
        return Evidence({node: dict(arms) for node, arms in self.shares.common.nodes.items()})

    def _counted(self) -> None:
        self.version += 1
        groups = self.shares.groups
        if len(groups) > MOST_ACCOUNTS:
            oldest = next(iter(groups))
            self.shares.forget(oldest)
            self._reported.pop(oldest, None)

    def settle(self, shrinkage: Shrinkage) -> None:
        """Believe kinds of work as far as this says."""
        self._shrinkage = shrinkage


def _kind(by: ServedBy) -> str:
    return by.kind or KIND_OF_TASK.get(by.task_type, CHAT)
