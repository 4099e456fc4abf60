"""How much a model is asked to think, as a word of the ladder OpenAI's dialects share."""

from collections.abc import Mapping

from monkey_coder_server.domain.conversation import Reasoning

LADDER = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""All words in use, least first."""

_BUDGETS = ((0, "none"), (1_024, "minimal"), (4_096, "low"), (16_384, "medium"), (49_152, "high"))
"""The effort that stands for a token budget of at most so much: what other dialects count in tokens."""


def longest_prefix(table: Mapping[str, tuple[str, ...]], model: str) -> tuple[str, ...]:
    """The entry of the longest key the model's name begins with; empty when none fits."""
    keys = [key for key in table if model.startswith(key)]
    return table[max(keys, key=len)] if keys else ()


def wanted_effort(reasoning: Reasoning) -> str | None:
    """The word for what was asked; None where nothing was."""
    if not reasoning.enabled:
        return "none"
    if reasoning.effort is not None:
        return reasoning.effort
    if reasoning.budget_tokens is None:
        return None
    return next((word for limit, word in _BUDGETS if reasoning.budget_tokens <= limit), "xhigh")


def nearest_effort(wanted: str, allowed: tuple[str, ...]) -> str | None:
    """The allowed word closest on the ladder, the lesser of two; an unknown word means the middle.

    Whoever asks for a little thinking does not ask for none: None where `none` is the only word there is.
    """
    if wanted in allowed:
        return wanted
    at = LADDER.index(wanted if wanted in LADDER else "medium")
    rungs = [word for word in allowed if word != "none"]
    return min(rungs, key=lambda word: (abs(LADDER.index(word) - at), LADDER.index(word)), default=None)
