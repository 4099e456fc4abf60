"""What a team has come to so far: which turn is worth taking, what it is told, and which answer is the best."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from monkey_coder_server.domain.agreement import groups
from monkey_coder_server.domain.collapse import Kept, Told, decided, keep
from monkey_coder_server.domain.teamwork.saying import Said, approves
from monkey_coder_server.domain.teamwork.team import Team
from monkey_coder_server.domain.teamwork.turns import Act, Turn


class Answered(NamedTuple):
    """An answer of one turn: `place` is the caller's own name for it, `findings` what checks found wrong with it."""

    place: int
    turn: Turn
    told: Told
    findings: tuple[str, ...] = ()


@dataclass(slots=True)
class Board:
    """Fill it with what every turn came to, in the order they ended."""

    team: Team
    answers: list[Answered] = field(default_factory=list)
    plan: str | None = None
    approved: bool = False
    """A critic found nothing that must be changed."""
    unchanged: bool = False
    """An answer was written anew and says the same as before."""
    rounds: int = 0
    """Critiques so far."""
    failed: int = 0
    """Turns that came to nothing."""
    _critique: str | None = None
    _over: int = 0
    _stuck: bool = False

    def answered(self, answer: Answered) -> None:
        """A turn gave an answer."""
        if answer.turn.act is Act.REWORK:
            before = self.best().told.text
            self.unchanged = len(groups([before, answer.told.text])) == 1
            self._critique = None
        self.answers.append(answer)
        self._ended(answer.turn)

    def noted(self, turn: Turn, text: str) -> None:
        """A turn gave a plan or a critique."""
        if turn.act is Act.PLAN:
            self.plan = text
        else:
            self.rounds += 1
            self._critique = text
            self.approved = approves(text) and self.best().told.passed

    def fell_out(self, turn: Turn) -> None:
        """A turn came to nothing. Without a critique, or an answer written by it, thinking it over ends."""
        self.failed += 1
        self._stuck = self._stuck or turn.act in {Act.CRITIQUE, Act.REWORK}
        self._ended(turn)

    def wants(self, turn: Turn) -> bool:
        """Whether a turn is worth taking now."""
        if turn.act.first:
            return not self.agreed
        if turn.act is Act.PLAN:
            return True
        if not self.answers:
            return False
        if turn.act is Act.MERGE:
            return not self.consensus().met
        going_on = not (self.approved or self.unchanged or self._stuck)
        return going_on and (turn.act is Act.CRITIQUE or self._critique is not None)

    def told(self, turn: Turn) -> tuple[Said, ...]:
        """What a turn is told of what was written before."""
        return tuple(self._told(turn))

    @property
    def agreed(self) -> bool:
        """Whether as many agents as are needed for a consensus gave the same answer: the others need not be asked."""
        return self.team.writers > 1 and decided(self.team.consensus, [each.told for each in self._first()])

    @property
    def empty_handed(self) -> bool:
        """Whether every agent had its turn and none gave an answer."""
        return not self.answers and self._over >= self.team.writers

    @property
    def ended_by(self) -> str:
        """Why no more turns are worth taking, in a word."""
        if self.approved:
            return "approved"
        if self.unchanged:
            return "unchanged"
        return "turn_failed" if self._stuck else "finished"

    def consensus(self) -> Kept:
        """What the agents' own answers agree on. There must be one."""
        return keep(self.team.consensus, [each.told for each in self._first()])

    def best(self) -> Answered:
        """The last answer that passes of those made of others; else the agreed on, or most believed in, of the agents'.

        One that passes comes before any that does not. There must be one.
        """
        later = [each for each in self.answers if each.turn.act is not Act.DRAFT]
        passing = [each for each in later if each.told.passed]
        if passing:
            return passing[-1]
        drafts = [each for each in self.answers if each.turn.act is Act.DRAFT]
        if drafts:
            kept = drafts[keep(self.team.consensus, [each.told for each in drafts]).place]
            if kept.told.passed or not later:
                return kept
        return later[-1]

    def _told(self, turn: Turn) -> Iterator[Said]:
        if turn.notes and self.plan is not None and turn.act is not Act.REWORK:
            yield Said(1, Act.PLAN, self.plan)
        if turn.act is Act.MERGE:
            yield from map(_said, self._first()[: turn.answers])
        elif turn.answers and self.answers:
            yield _said(self.best())
        if turn.act is Act.REWORK and self._critique is not None:
            yield Said(min(2, self.team.agents), Act.CRITIQUE, self._critique)

    def _first(self) -> list[Answered]:
        return [each for each in self.answers if each.turn.act.first]

    def _ended(self, turn: Turn) -> None:
        self._over += turn.act.first


def _said(answer: Answered) -> Said:
    return Said(answer.turn.agent, answer.turn.act, answer.told.text, answer.findings)
