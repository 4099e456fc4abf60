"""Evidence of many groups in which none weighs more than its share with the others, however much it tells.

What a group saw counts in full at its own kinds of work, the finest ones, which nobody else's tasks belong to. At the
kinds it shares with others, all work included, its outcomes of an arm weigh no more than `most` together.
"""

from collections.abc import Iterator, KeysView, Sequence
from dataclasses import dataclass, field, replace

from monkey_coder_server.domain.bandit.context import DEPTH, Context, Node
from monkey_coder_server.domain.bandit.evidence import Evidence, Tally

_Told = dict[Node, dict[str, Tally]]


@dataclass(slots=True)
class Shares:
    """`own` has each group's outcomes in full, at the finest kinds alone; `common` what all of them come to.

    In `common` each group counts no more than `most` outcomes of an arm at a kind. Both are sums: what is learnt in
    another order, or taken over from another process, comes to the same.
    """

    most: float
    own: Evidence = field(default_factory=Evidence)
    common: Evidence = field(default_factory=Evidence)
    _told: dict[str, _Told] = field(default_factory=dict)

    def add(self, context: Context, arm: str, quality: float, weight: float = 1.0) -> None:
        """Count an outcome, of quality 0 to 1; a negative weight takes back one that was counted."""
        finest = context.nodes[-1]
        self.own.add(Context((finest,), context.recency), arm, quality, weight)
        change = Tally()
        change.add(weight, quality, context.recency)
        self._count(finest, arm, change)

    def replace(self, finest: Node, arm: str, total: Tally) -> None:
        """Let all that was seen of an arm at a finest kind be this."""
        change = replace(total)
        change.merge(scaled(self._told.get(finest[-1], {}).get(finest, {}).get(arm, Tally()), -1.0))
        self._count(finest, arm, change)

    def forget(self, group: str) -> None:
        """Let what a group told count no more."""
        for node, arms in self._told.pop(group, {}).items():
            for arm, told in arms.items():
                self._move(node, arm, told, Tally())
            self.own.nodes.pop(node, None)

    @property
    def groups(self) -> KeysView[str]:
        """Those that told something, the one that told something longest ago first."""
        return self._told.keys()

    def seen(self, context: Context) -> Evidence:
        """What bears on a task: what is common, and at the finest kind all that its group saw."""
        *shared, finest = context.nodes
        nodes = {node: arms for node in shared if (arms := self.common.nodes.get(node)) is not None}
        if (arms := self.own.nodes.get(finest)) is not None:
            nodes[finest] = arms
        return Evidence(nodes)

    def known(self, kinds: Sequence[Node]) -> tuple[Node, ...]:
        """Those of the kinds a task belongs to about which anything is known: what is equal in them is believed alike.

        The finest stands last.
        """
        common, own = self.common.nodes, self.own.nodes
        finest = kinds[-1]
        known = [node for node in kinds if node in (own if node is finest else common)]
        return tuple(known)

    def _count(self, finest: Node, arm: str, change: Tally) -> None:
        group = finest[-1]
        told = self._told[group] = self._told.pop(group, {})
        for node in _path(finest):
            arms = told.setdefault(node, {})
            before = arms.get(arm, Tally())
            after = replace(before)
            after.merge(change)
            if after.rows <= _NOTHING:
                after = Tally()
            arms[arm] = after
            self._move(node, arm, before, after)
        self.own.nodes.setdefault(finest, {})[arm] = replace(arms[arm])

    def _move(self, node: Node, arm: str, before: Tally, after: Tally) -> None:
        """Let a group's say be another one."""
        arms = self.common.nodes.setdefault(node, {})
        tally = arms.setdefault(arm, Tally())
        tally.merge(scaled(self._share(before), -1.0))
        tally.merge(self._share(after))
        if tally.rows <= _NOTHING:
            del arms[arm]
            if not arms:
                del self.common.nodes[node]

    def _share(self, told: Tally) -> Tally:
        return told if told.rows <= self.most else scaled(told, self.most / told.rows)


_NOTHING = 1e-9
"""Rows below this are what is left of sums of fractions that were taken back."""


def scaled(tally: Tally, by: float) -> Tally:
    """The same outcomes, each weighing so many times as much."""
    return Tally(
        tally.rows * by,
        tally.quality * by,
        tally.quality_squared * by,
        tally.recency * by,
        tally.recency_squared * by,
        tally.product * by,
    )


def _path(finest: Node) -> Iterator[Node]:
    """The kinds above a finest one, all work first, and itself."""
    return (finest[:depth] for depth in range(DEPTH + 1))
