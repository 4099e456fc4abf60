"""What an organization, its teams, projects and keys say of models: which may be used, and how several are asked."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.domain.limits import Holder, named
from monkey_coder_server.domain.model_facts import DataPolicy, ModelFacts
from monkey_coder_server.domain.pricing import rate_usd

ANY_MODEL = "*"


class RulePart(StrEnum):
    """Of all that a rule can say, what leaves a model out."""

    DENY = "deny"
    ALLOW = "allow"
    INPUT_CEILING = "input_ceiling"
    OUTPUT_CEILING = "output_ceiling"
    CAPABILITIES = "capabilities"
    DATA_POLICIES = "data_policies"


class Ruling(NamedTuple):
    """Why a model may not be used: whose rule, what of it, and both as a clause of a sentence."""

    holder: Holder
    part: RulePart
    told: str


class ModelRule(NamedTuple):
    """Who rules, and by which names: `provider/model`, a bare model, or `provider/*`. `allow` None allows all.

    `collapse` is how several models are asked for one answer where a request says nothing of it. The ceilings are what
    a million tokens may cost in nano-dollars, markup included. A model must have all of `capabilities`, its provider
    all of `policies`: what is not known is not fulfilled.
    """

    holder: Holder
    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()
    collapse: str | None = None
    input_ceiling: int | None = None
    output_ceiling: int | None = None
    capabilities: tuple[Capability, ...] = ()
    policies: tuple[DataPolicy, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it says nothing."""
        return self == ModelRule(self.holder)

    def excludes(self, facts: ModelFacts) -> Ruling | None:
        """Why this rule keeps a model from being used; None where it lets it."""
        for part, told in (
            (RulePart.DENY, self._denies(facts)),
            (RulePart.ALLOW, self._allows_others(facts)),
            (RulePart.INPUT_CEILING, _too_dear("input", self.input_ceiling, facts.input_price)),
            (RulePart.OUTPUT_CEILING, _too_dear("output", self.output_ceiling, facts.output_price)),
            (RulePart.CAPABILITIES, _lacking("models that can do", self.capabilities, facts.capabilities)),
            (RulePart.DATA_POLICIES, _lacking("providers known for", self.policies, facts.policies)),
        ):
            if told:
                return Ruling(self.holder, part, f"a rule of {named(self.holder)} {told}")
        return None

    def _denies(self, facts: ModelFacts) -> str:
        return "denies it" if any(name in self.deny for name in _names(facts)) else ""

    def _allows_others(self, facts: ModelFacts) -> str:
        allowed = self.allow is None or any(name in self.allow for name in _names(facts))
        return "" if allowed else "allows other models only"


class ModelAccess(NamedTuple):
    """Everything that counts for one caller: a model must be let by all of it."""

    rules: tuple[ModelRule, ...]

    def excludes(self, facts: ModelFacts) -> Ruling | None:
        """Why the caller may not use a model, by the first of the rules that keeps them; None where they may."""
        for rule in self.rules:
            ruling = rule.excludes(facts)
            if ruling is not None:
                return ruling
        return None


def access_of(rules: Iterable[ModelRule]) -> ModelAccess | None:
    """What some rules come to; None where nothing is ruled."""
    found = tuple(rules)
    return ModelAccess(found) if found else None


def collapse_of(rules: Iterable[ModelRule]) -> str | None:
    """How several models are asked where a request says nothing: by the last rule that tells, the narrowest."""
    told = [rule.collapse for rule in rules if rule.collapse is not None]
    return told[-1] if told else None


def _names(facts: ModelFacts) -> tuple[str, str, str]:
    return facts.name, facts.model, f"{facts.provider}/{ANY_MODEL}"


def _too_dear(of: str, ceiling: int | None, price: int | None) -> str:
    if ceiling is None or (price is not None and price <= ceiling):
        return ""
    cost = "no price is known for it" if price is None else f"it costs up to {rate_usd(price)}"
    return f"allows {rate_usd(ceiling)} USD per million {of} tokens at most, and {cost}"


def _lacking(asked: str, wanted: Sequence[StrEnum], there: frozenset[StrEnum]) -> str:
    missing = [each for each in wanted if each not in there]
    return f"asks for {asked} {', '.join(wanted)}, and it is not known for {', '.join(missing)}" if missing else ""
