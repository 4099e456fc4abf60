"""What an organization, its teams, projects and keys say of models: which may be used, and how several are asked."""

from collections.abc import Iterable
from typing import NamedTuple

from monkey_coder_server.domain.limits import Holder

ANY_MODEL = "*"


class ModelRule(NamedTuple):
    """Who rules, and by which names: `provider/model`, a bare model, or `provider/*`. `allow` None allows all.

    `collapse` is how several models are asked for one answer where a request says nothing of it.
    """

    holder: Holder
    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()
    collapse: str | None = None

    @property
    def empty(self) -> bool:
        """Whether it says nothing."""
        return self.allow is None and not self.deny and self.collapse is None

    def permits(self, provider: str, model: str) -> bool:
        """Whether this rule lets a model be used."""
        names = (f"{provider}/{model}", model, f"{provider}/{ANY_MODEL}")
        if any(name in self.deny for name in names):
            return False
        return self.allow is None or any(name in self.allow for name in names)


class ModelAccess(NamedTuple):
    """Everything that counts for one caller: a model must be permitted by all of it."""

    rules: tuple[ModelRule, ...]

    def permits(self, provider: str, model: str) -> bool:
        """Whether the caller may use a model."""
        return all(rule.permits(provider, model) for rule in self.rules)


def access_of(rules: Iterable[ModelRule]) -> ModelAccess | None:
    """What some rules come to; None where nothing is ruled."""
    found = tuple(rules)
    return ModelAccess(found) if found else None


def collapse_of(rules: Iterable[ModelRule]) -> str | None:
    """How several models are asked where a request says nothing: by the last rule that tells, the narrowest."""
    told = [rule.collapse for rule in rules if rule.collapse is not None]
    return told[-1] if told else None
