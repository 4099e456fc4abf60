"""What rules on models may say, as it is kept. All raise `InvalidRequest`, saying what it must be."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from monkey_coder_protocol.organizations import SetModelRule
from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.limits import Holder
from monkey_coder_server.domain.model_facts import DataPolicy
from monkey_coder_server.domain.model_rules import ModelRule
from monkey_coder_server.domain.money import asked_usd
from monkey_coder_server.features.accounts.key_checks import checked_collapse

MOST_NAMES = 1_000
"""In one rule."""
LONGEST_MODEL = 200
Word = TypeVar("Word", bound=StrEnum)


def checked_rule(holder: Holder, wish: SetModelRule) -> ModelRule:
    """A whole rule of a holder."""
    return ModelRule(
        holder,
        None if wish.allow is None else checked_models(wish.allow),
        checked_models(wish.deny),
        checked_collapse(wish.collapse),
        asked_usd("The field `max_input_usd`", wish.max_input_usd),
        asked_usd("The field `max_output_usd`", wish.max_output_usd),
        _checked_words("capabilities", wish.capabilities, Capability),
        _checked_words("data_policies", wish.data_policies, DataPolicy),
    )


def checked_models(names: Sequence[str]) -> tuple[str, ...]:
    """Names of models."""
    if len(names) > MOST_NAMES or not all(0 < len(name) <= LONGEST_MODEL and name.isprintable() for name in names):
        message = f"A rule takes at most {MOST_NAMES} names like `openai/gpt-5`, `gpt-5` or `openai/*`."
        raise InvalidRequest(message)
    return tuple(names)


def told_of(rule: ModelRule) -> str:
    """A rule in a few words, for the trail."""
    parts = [f"allow {'all' if rule.allow is None else len(rule.allow)}", f"deny {len(rule.deny)}"]
    parts += [rule.collapse] if rule.collapse else []
    ceilings = (("input", rule.input_ceiling), ("output", rule.output_ceiling))
    parts += [f"{of} at most {nano} nano-dollars per million tokens" for of, nano in ceilings if nano is not None]
    parts += [" ".join(words) for words in (rule.capabilities, rule.policies) if words]
    return f"{rule.holder.kind}: {', '.join(parts)}"


def _checked_words(field: str, words: Sequence[str], known: type[Word]) -> tuple[Word, ...]:
    """Some of the words there are, each once."""
    if not set(words).issubset(known):
        message = f"The field `{field}` must list some of {', '.join(known)}."
        raise InvalidRequest(message)
    return tuple([known(word) for word in dict.fromkeys(words)])
