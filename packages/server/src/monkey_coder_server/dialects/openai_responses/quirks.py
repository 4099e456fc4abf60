"""Where the providers that speak Responses differ, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from monkey_coder_server.dialects.reasoning_effort import longest_prefix

_ITEMS_OF = {
    "custom_tool_call": "custom",
    "custom_tool_call_output": "custom",
    "additional_tools": "additional_tools",
    "tool_search_call": "tool_search",
    "tool_search_output": "tool_search",
}
"""Input items that mean something only to a model with tools of such a type."""
_NOBODY: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def _nobody() -> Mapping[str, tuple[str, ...]]:
    return _NOBODY


@dataclass(frozen=True, slots=True)
class Quirks:
    """One provider's deviations.

    `efforts`: model prefix → the words of `reasoning.effort` it takes, least first; the longest prefix counts.
    `tools`: model prefix → the types of tools it may be offered besides functions, `additional_tools` among them
    (tools that come in the input); the longest prefix counts. Those the provider runs stand there only with a price.
    `summaries`: reasoning comes in words only when a summary is asked for.
    `developer_role`: instructions may come from a developer; the system says them elsewhere.
    `documents`: whether a binary document can be given.
    `result_images`: whether a tool's result may hold images and files; elsewhere they follow in a user's turn.
    `refusals`: whether an earlier answer may hold a refusal; elsewhere it goes back as plain text.
    `verbosity`: prefixes of the models that can be told how much to say.
    `least_tokens`: the smallest limit that is taken.
    """

    provider: str
    efforts: Mapping[str, tuple[str, ...]] = field(default_factory=_nobody)
    tools: Mapping[str, tuple[str, ...]] = field(default_factory=_nobody)
    summaries: bool = False
    developer_role: bool = False
    documents: bool = False
    result_images: bool = False
    refusals: bool = False
    verbosity: tuple[str, ...] = ()
    least_tokens: int = 1

    def takes(self, kind: str, model: str) -> bool:
        """Whether a tool of that type may be offered to a model."""
        return kind == "function" or kind in longest_prefix(self.tools, model)

    def takes_item(self, kind: str, model: str) -> bool:
        """Whether an input item of that type means something to a model."""
        return kind not in _ITEMS_OF or self.takes(_ITEMS_OF[kind], model)

    def efforts_of(self, model: str) -> tuple[str, ...]:
        """The words for how much to think that a model takes; empty when it takes none."""
        return longest_prefix(self.efforts, model)
