"""What differs between Claude models at the wire: how thinking is asked for, and what is refused."""

from dataclasses import dataclass
from typing import Literal

_LADDER = ("low", "medium", "high", "xhigh", "max")
_FROM_OPENAI = {"minimal": "low"}


@dataclass(frozen=True, slots=True)
class ModelTraits:
    """Facts of one model (platform.claude.com, each model's migration guide).

    `thinking`: `budget` takes `budget_tokens`, `adaptive` takes an effort.
    `budgets`: an adaptive model that takes `budget_tokens`, too (deprecated there, but honoured).
    `thinks_by_default`: a request without a `thinking` field thinks.
    `off`: the word that turns thinking off; None where it cannot be turned off.
    `forced_tools`: `tool_choice` `any` and `tool` are accepted (never together with thinking).
    `system_turns`: a message of role `system` may follow a user turn in mid-conversation.
    `least_kept`: tokens of the shortest beginning of a prompt that its cache keeps
    (https://platform.claude.com/docs/en/build-with-claude/prompt-caching, cache limitations). Where what is said of a
    model differs by place or date it is the greater, where nothing was found the greatest of all: a mark that comes too
    early is passed over, one that is not placed spares nothing.
    """

    thinking: Literal["budget", "adaptive"] = "adaptive"
    budgets: bool = False
    thinks_by_default: bool = False
    off: Literal["disabled", "between_tools"] | None = "disabled"
    efforts: tuple[str, ...] = ()
    forced_tools: bool = True
    system_turns: bool = False
    least_kept: int = 4_096

    def effort(self, wanted: str) -> str | None:
        """The level this model knows that is nearest to the wanted one from below, else its lowest."""
        if not self.efforts:
            return None
        wanted = _FROM_OPENAI.get(wanted, wanted)
        if wanted not in _LADDER:
            return None
        reach = _LADDER[: _LADDER.index(wanted) + 1]
        return next((level for level in reversed(reach) if level in self.efforts), self.efforts[0])
