"""Anthropic: the Claude models."""

from dataclasses import replace
from types import MappingProxyType

from monkey_coder_server.dialects.anthropic_messages import AnthropicMessages, ModelTraits
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.model_facts import DataFacts, DataPolicy
from monkey_coder_server.domain.usage import USAGE_RULES
from monkey_coder_server.ports.provider import Continuity, Provider

_DOCS = "https://platform.claude.com/docs/en/models"
_CHECKED = "2026-11-23"
_MILLION = 1_000_000
_EVERYTHING = frozenset(Capability)


def _card(  # noqa: PLR0913 - one row of the table below, all but the first two named
    model: str,
    tier: int,
    *,
    window: int = _MILLION,
    output: int = 128_000,
    fixed_temperature: bool = True,
    source: str = _DOCS,
) -> ModelCard:
    """A Claude model; its display name follows from its id (`claude-opus-5-5` is Claude Opus 5.5)."""
    _, family, *version = model.split("-")
    return ModelCard(
        provider="anthropic",
        model=model,
        display_name=f"Claude {family.title()} {'.'.join(version)}",
        context_window=window,
        max_output_tokens=output,
        capabilities=_EVERYTHING,
        tier=tier,
        fixed_temperature=fixed_temperature,
        source=source,
        checked=_CHECKED,
    )


_CARDS = (
    # Its own page was not found: window and price from genai-prices, output limit as for Fable 5.1.
    _card("claude-fable-5-2", 1, source="genai-prices 0.2.3"),
    _card("claude-fable-5-1", 1),
    _card("claude-opus-5-5", 1),
    _card("claude-opus-5", 1),
    _card("claude-opus-4-8", 1),
    _card("claude-opus-4-7", 1),
    _card("claude-opus-4-6", 1, fixed_temperature=False),
    _card("claude-opus-4-5", 1, window=200_000, output=64_000, fixed_temperature=False),
    _card("claude-sonnet-5-5", 2),
    _card("claude-sonnet-5", 2),
    _card("claude-sonnet-4-6", 2, output=64_000, fixed_temperature=False),
    _card("claude-sonnet-4-5", 2, window=200_000, output=64_000, fixed_temperature=False),
    _card("claude-haiku-5-5", 3),
    _card(
        "claude-haiku-4-5",
        3,
        window=200_000,
        output=64_000,
        fixed_temperature=False,
    ),
)

_LADDER = ("low", "medium", "high", "xhigh", "max")
_WITHOUT_XHIGH = ("low", "medium", "high", "max")
_ALWAYS_THINKS = ModelTraits(
    thinks_by_default=True, off=None, efforts=_LADDER, forced_tools=False, system_turns=True
)  # Opus 5.5 and Fable 5.1: their pages "What's new"
_THINKS_UNLESS_TOLD = ModelTraits(thinks_by_default=True, efforts=_LADDER, system_turns=True)

_TRAITS = {
    "claude-fable-5-2": _ALWAYS_THINKS,
    "claude-fable-5-1": _ALWAYS_THINKS,
    "claude-opus-5-5": _ALWAYS_THINKS,
    "claude-opus-5": replace(_THINKS_UNLESS_TOLD, least_kept=512),
    "claude-opus-4-8": ModelTraits(efforts=_LADDER, system_turns=True, least_kept=1_024),
    "claude-opus-4-7": ModelTraits(efforts=_LADDER),
    "claude-opus-4-6": ModelTraits(budgets=True, efforts=_WITHOUT_XHIGH),
    "claude-opus-4-5": ModelTraits(thinking="budget", efforts=("low", "medium", "high")),
    "claude-sonnet-5-5": ModelTraits(
        thinks_by_default=True, off="between_tools", efforts=_LADDER, forced_tools=False, system_turns=True
    ),
    "claude-sonnet-5": replace(_THINKS_UNLESS_TOLD, least_kept=1_024),
    "claude-sonnet-4-6": ModelTraits(budgets=True, efforts=_WITHOUT_XHIGH, least_kept=2_048),
    "claude-sonnet-4-5": ModelTraits(thinking="budget", least_kept=1_024),
    "claude-haiku-5-5": _THINKS_UNLESS_TOLD,
    "claude-haiku-4-5": ModelTraits(thinking="budget"),
}

_DATA = DataFacts(
    frozenset({DataPolicy.NO_TRAINING, DataPolicy.RETENTION_30_DAYS}),
    source="https://privacy.claude.com/en/articles/7996866 and 7996875",
    checked="2026-11-30",
)
"""What its classifiers flag as misuse is kept for up to two years; zero retention takes an agreement."""

PROVIDER = Provider(
    name="anthropic",
    label="Anthropic",
    dialect=AnthropicMessages("anthropic", traits=MappingProxyType(_TRAITS)),
    base_url="https://api.anthropic.com",
    key_variable="ANTHROPIC_API_KEY",
    base_url_variable="ANTHROPIC_BASE_URL",
    prices_id="anthropic",
    usage_rule=USAGE_RULES["anthropic"],
    cards=_CARDS,
    aliases=("claude",),
    data=_DATA,
    continuity=Continuity.MARKS,
)
