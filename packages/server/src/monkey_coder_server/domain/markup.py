"""What is added to a provider's cost: basis points by plan, provider and model, each for its time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from monkey_coder_server.domain.money import LARGEST_MARKUP_PERCENT

LARGEST_BASIS_POINTS = LARGEST_MARKUP_PERCENT * 100
SINCE_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkupRule:
    """A markup for what matches every stated field, from `starts_at` until before `ends_at` (None: for good).

    `model` is the model's id without its provider. `name` sorts by when the rule was set.
    """

    basis_points: int
    plan: str | None = None
    provider: str | None = None
    model: str | None = None
    starts_at: datetime = SINCE_EVER
    ends_at: datetime | None = None
    name: str = ""

    def __post_init__(self) -> None:
        _check(self.basis_points)
        if self.ends_at is not None and self.ends_at < self.starts_at:
            raise ValueError("A markup cannot end before it starts.")

    def matches(self, plan: str, provider: str, model: str) -> bool:
        """Whether the rule speaks of this request."""
        stated = ((self.plan, plan), (self.provider, provider), (self.model, model))
        return all(wanted is None or wanted == given for wanted, given in stated)

    def in_force(self, at: datetime) -> bool:
        """Whether the rule holds at a moment."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)

    @property
    def rank(self) -> tuple[bool, bool, bool, datetime, str]:
        """What decides among rules that match: a model beats a provider, which beats a plan; ties by the next field.

        Of rules that state the same fields the one that started last wins, of those the one that was set last.
        """
        return (self.model is not None, self.provider is not None, self.plan is not None, self.starts_at, self.name)


@dataclass(frozen=True, slots=True)
class MarkupTable:
    """The default and its exceptions."""

    default: int
    rules: tuple[MarkupRule, ...] = ()

    def __post_init__(self) -> None:
        _check(self.default)

    def at(self, moment: datetime) -> "MarkupTable":
        """What holds at a moment, without the rest."""
        return replace(self, rules=tuple(rule for rule in self.rules if rule.in_force(moment)))

    def next_change(self, after: datetime) -> datetime | None:
        """The first moment after this one at which a rule starts or ends; None when none is known."""
        return min((edge for edge in _edges(self.rules) if edge > after), default=None)

    def rule(self, *, plan: str, provider: str, model: str) -> MarkupRule | None:
        """The rule that decides a request's markup, whenever it holds; None: the default does."""
        matching = [rule for rule in self.rules if rule.matches(plan, provider, model)]
        return max(matching, key=lambda rule: rule.rank, default=None)

    def basis_points(self, *, plan: str, provider: str, model: str) -> int:
        """The markup of a request."""
        rule = self.rule(plan=plan, provider=provider, model=model)
        return self.default if rule is None else rule.basis_points


def _edges(rules: Iterable[MarkupRule]) -> Iterable[datetime]:
    for rule in rules:
        yield rule.starts_at
        if rule.ends_at is not None:
            yield rule.ends_at


def _check(basis_points: int) -> None:
    if not 0 <= basis_points <= LARGEST_BASIS_POINTS:
        message = f"A markup of {basis_points} basis points is out of range: 0 to {LARGEST_BASIS_POINTS}."
        raise ValueError(message)
