"""What is added to a provider's cost: basis points by plan, provider and model."""

from dataclasses import dataclass

from monkey_coder_server.domain.money import LARGEST_MARKUP_PERCENT

_LARGEST = LARGEST_MARKUP_PERCENT * 100


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkupRule:
    """A markup for what matches every stated field. `model` is the model's id without its provider."""

    basis_points: int
    plan: str | None = None
    provider: str | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        _check(self.basis_points)

    def matches(self, plan: str, provider: str, model: str) -> bool:
        """Whether the rule speaks of this request."""
        stated = ((self.plan, plan), (self.provider, provider), (self.model, model))
        return all(wanted is None or wanted == given for wanted, given in stated)

    @property
    def specificity(self) -> tuple[bool, bool, bool]:
        """A rule on the model beats one on the provider, which beats one on the plan; ties by the next field."""
        return (self.model is not None, self.provider is not None, self.plan is not None)


@dataclass(frozen=True, slots=True)
class MarkupTable:
    """The default and its exceptions. Among equally specific rules the first stands."""

    default: int
    rules: tuple[MarkupRule, ...] = ()

    def __post_init__(self) -> None:
        _check(self.default)

    def basis_points(self, *, plan: str, provider: str, model: str) -> int:
        """The markup of a request."""
        matching = [rule for rule in self.rules if rule.matches(plan, provider, model)]
        return max(matching, key=lambda rule: rule.specificity).basis_points if matching else self.default


def _check(basis_points: int) -> None:
    if not 0 <= basis_points <= _LARGEST:
        message = f"A markup of {basis_points} basis points is out of range: 0 to {_LARGEST}."
        raise ValueError(message)
