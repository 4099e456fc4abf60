"""Models as the gateway knows them: cards of facts, and names resolved to candidates."""

from dataclasses import dataclass
from enum import StrEnum


class Capability(StrEnum):
    """What a model can do beyond text in, text out."""

    TOOLS = "tools"
    VISION = "vision"
    DOCUMENTS = "documents"
    STRUCTURED = "structured_output"
    REASONING = "reasoning"
    STREAMING = "streaming"
    PROMPT_CACHE = "prompt_cache"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Facts of one model at one provider. Token counts; `tier` is the vendor's own ladder: 1 flagship, 2 middle, 3 small.

    `source` names where the facts were read, `checked` when (ISO date).
    """

    provider: str
    model: str
    display_name: str
    context_window: int
    max_output_tokens: int
    capabilities: frozenset[Capability]
    tier: int
    aliases: tuple[str, ...] = ()
    fixed_temperature: bool = False
    """The model refuses any temperature but its default."""
    source: str = ""
    checked: str = ""

    @property
    def name(self) -> str:
        """`provider/model`, the unambiguous public name."""
        return f"{self.provider}/{self.model}"
