"""Refusals are audited, but nobody fills the disk with them: the first of a kind is written, the rest are counted."""

from dataclasses import dataclass, field

SECONDS = 600.0
"""How long the refusals of one kind are counted after the first."""
MOST_KINDS = 100
"""Kinds told apart at a time; all beyond are counted as one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What was refused, to whom and from where."""

    account_id: str
    action: str
    address: str


OTHERS = Kind("", "others", "")


@dataclass(frozen=True, slots=True)
class Counted:
    """Refusals that were counted and not written, the first of their kind excepted."""

    kind: Kind
    times: int


@dataclass(slots=True)
class Damper:
    """Moments are seconds of any clock that does not go back."""

    _kinds: dict[Kind, tuple[float, int]] = field(default_factory=dict)

    def admit(self, kind: Kind, at: float) -> bool:
        """Whether to write this refusal; otherwise it is counted."""
        if kind not in self._kinds and len(self._kinds) >= MOST_KINDS:
            kind = OTHERS
        since, times = self._kinds.get(kind, (at, -1))
        self._kinds[kind] = (since, times + 1)
        return times < 0

    def due(self, at: float) -> list[Counted]:
        """What was counted of kinds whose time is over; they begin anew."""
        over = {kind: times for kind, (since, times) in self._kinds.items() if at - since >= SECONDS}
        for kind in over:
            del self._kinds[kind]
        return [Counted(kind, times) for kind, times in over.items() if times]
