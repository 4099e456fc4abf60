"""xAI: the Grok models, spoken to in chat completions or, as a caller does, in Responses."""

from types import MappingProxyType

from monkey_coder_server.dialects import openai_responses
from monkey_coder_server.dialects.openai_chat import ADDITIONS, OpenAIChat, Quirks
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.model_facts import DataFacts, DataPolicy
from monkey_coder_server.domain.usage import USAGE_RULES, UsageRule
from monkey_coder_server.ports.provider import Continuity, Provider

_DOCS = "https://docs.x.ai/developers/models; output limits, where xAI states none: https://models.dev"
_CHECKED = "2026-11-23"

_PLAIN = frozenset({Capability.TOOLS, Capability.STRUCTURED, Capability.STREAMING, Capability.PROMPT_CACHE})
_SEES = _PLAIN | {Capability.VISION}
_REASONS = _PLAIN | {Capability.REASONING}
_SEES_AND_REASONS = _SEES | {Capability.REASONING}

_ALIASES = {
    "grok-4-0709": ("grok-4", "grok-4-latest"),
    "grok-4-1-fast-reasoning": ("grok-4.1-fast-reasoning",),
    "grok-4-1-fast-non-reasoning": ("grok-4.1-fast-non-reasoning",),
}


def _card(
    model: str,
    display_name: str,
    tier: int,
    *,
    limits: tuple[int, int],
    capabilities: frozenset[Capability],
) -> ModelCard:
    """`limits`: tokens of the context window, tokens of output."""
    return ModelCard(
        provider="xai",
        model=model,
        display_name=display_name,
        context_window=limits[0],
        max_output_tokens=limits[1],
        capabilities=capabilities,
        tier=tier,
        aliases=_ALIASES.get(model, ()),
        source=_DOCS,
        checked=_CHECKED,
    )


_CARDS = (
    _card("grok-4.7", "Grok 4.7", 1, limits=(500_000, 200_000), capabilities=_SEES_AND_REASONS),
    _card("grok-4.3", "Grok 4.3", 1, limits=(1_000_000, 200_000), capabilities=_SEES_AND_REASONS),
    _card(
        "grok-4-0709",
        "Grok 4",
        1,
        limits=(256_000, 64_000),
        capabilities=_SEES_AND_REASONS,
    ),
    _card(
        "grok-4-1-fast-reasoning",
        "Grok 4.1 Fast",
        2,
        limits=(2_000_000, 30_000),
        capabilities=_SEES_AND_REASONS,
    ),
    _card("grok-code-fast-1", "Grok Code Fast 1", 2, limits=(256_000, 10_000), capabilities=_REASONS),
    _card(
        "grok-4-1-fast-non-reasoning",
        "Grok 4.1 Fast, not reasoning",
        2,
        limits=(2_000_000, 30_000),
        capabilities=_SEES,
    ),
    _card("grok-3", "Grok 3", 1, limits=(131_072, 8_192), capabilities=_PLAIN),
    _card("grok-3-mini", "Grok 3 mini", 3, limits=(131_072, 8_192), capabilities=_REASONS),
)

_EFFORTS = MappingProxyType(
    {
        "grok-3-mini": ("low", "high"),
        "grok-4.3": ("none", "low", "medium", "high"),
        "grok-4.7": ("low", "medium", "high", "xhigh"),
    }
)
_QUIRKS = Quirks(
    provider="xai",
    max_tokens_field="max_completion_tokens",
    tool_images=True,
    session_header="x-grok-conv-id",
    refused_in_messages=ADDITIONS - {"reasoning", "reasoning_content"},
    # A deferred answer is fetched by a second request, which nobody would send and nobody could bill.
    refused=frozenset({"top_k", "deferred"}),
    # https://docs.x.ai/developers/model-capabilities/text/reasoning
    refused_when_reasoning=frozenset({"presence_penalty", "frequency_penalty", "stop"}),
    efforts=_EFFORTS,
)
_RESPONSES = openai_responses.Quirks(provider="xai", efforts=_EFFORTS)
"""No tool of xAI's own: the price list has no price for their calls."""

_DATA = DataFacts(
    frozenset({DataPolicy.NO_TRAINING, DataPolicy.RETENTION_30_DAYS}),
    source="https://docs.x.ai/docs/faq/security",
    checked="2026-11-30",
)
"""Zero retention is a setting of a team there."""

PROVIDER = Provider(
    name="xai",
    label="xAI",
    dialect=OpenAIChat(_QUIRKS),
    further_dialects=(openai_responses.OpenAIResponses(_RESPONSES),),
    base_url="https://api.x.ai/v1",
    key_variable="XAI_API_KEY",
    base_url_variable="XAI_BASE_URL",
    prices_id="x-ai",
    usage_rule=USAGE_RULES["xai"],
    usage_rules=MappingProxyType({openai_responses.DIALECT: UsageRule()}),  # output counts reasoning there
    cards=_CARDS,
    aliases=("grok", "x-ai"),
    limit_covers_reasoning=False,
    data=_DATA,
    continuity=Continuity.SESSION,  # docs.x.ai, developers/advanced-api-usage/prompt-caching/maximizing-cache-hits
)
