"""OpenAI, spoken to in chat completions or, where a model or a caller needs it, in Responses."""

from types import MappingProxyType

from monkey_coder_server.dialects import openai_responses
from monkey_coder_server.dialects.openai_chat import OpenAIChat, Quirks
from monkey_coder_server.dialects.openai_embeddings import OpenAIEmbeddings
from monkey_coder_server.dialects.openai_moderations import OpenAIModerations
from monkey_coder_server.domain.catalog import Capability, Kind, ModelCard
from monkey_coder_server.domain.model_facts import DataFacts, DataPolicy
from monkey_coder_server.domain.usage import USAGE_RULES
from monkey_coder_server.ports.provider import Continuity, Provider

_DOCS = "https://developers.openai.com/api/docs/models"
_CHECKED = "2026-11-23"

_PLAIN = frozenset(
    {
        Capability.TOOLS,
        Capability.VISION,
        Capability.DOCUMENTS,
        Capability.STRUCTURED,
        Capability.STREAMING,
        Capability.PROMPT_CACHE,
    }
)
_REASONS = _PLAIN | {Capability.REASONING}


def _card(
    model: str,
    display_name: str,
    tier: int,
    *,
    limits: tuple[int, int],
    capabilities: frozenset[Capability] = _REASONS,
) -> ModelCard:
    """`limits`: tokens of the context window, tokens of output."""
    return ModelCard(
        provider="openai",
        model=model,
        display_name=display_name,
        context_window=limits[0],
        max_output_tokens=limits[1],
        capabilities=capabilities,
        tier=tier,
        fixed_temperature=Capability.REASONING in capabilities,
        source=_DOCS,
        checked=_CHECKED,
    )


_CARDS = (
    _card("gpt-6.1-sol", "GPT-6.1 Sol", 1, limits=(1_050_000, 128_000)),
    _card("gpt-6-sol", "GPT-6 Sol", 1, limits=(1_050_000, 128_000)),
    _card("gpt-6.1-terra", "GPT-6.1 Terra", 2, limits=(1_050_000, 128_000)),
    _card(
        "gpt-5.3-codex",
        "GPT-5.3 Codex",
        1,
        limits=(400_000, 128_000),
        capabilities=_REASONS - {Capability.DOCUMENTS},
    ),
    _card("gpt-5.2", "GPT-5.2", 1, limits=(400_000, 128_000)),
    _card("gpt-5.1", "GPT-5.1", 1, limits=(400_000, 128_000)),
    _card("gpt-5", "GPT-5", 1, limits=(400_000, 128_000)),
    _card("gpt-6-luna", "GPT-6 Luna", 3, limits=(1_050_000, 128_000)),
    _card("gpt-5-mini", "GPT-5 mini", 2, limits=(400_000, 128_000)),
    _card("o3", "o3", 1, limits=(200_000, 100_000)),
    _card("gpt-4.1", "GPT-4.1", 1, limits=(1_000_000, 32_768), capabilities=_PLAIN),
    _card("o4-mini", "o4-mini", 2, limits=(200_000, 100_000)),
    _card(
        "o3-mini",
        "o3-mini",
        2,
        limits=(200_000, 100_000),
        capabilities=_REASONS - {Capability.VISION, Capability.DOCUMENTS},
    ),
    _card("gpt-4.1-mini", "GPT-4.1 mini", 2, limits=(1_000_000, 32_768), capabilities=_PLAIN),
    _card("gpt-5-nano", "GPT-5 nano", 3, limits=(400_000, 128_000)),
    _card("gpt-4.1-nano", "GPT-4.1 nano", 3, limits=(1_000_000, 32_768), capabilities=_PLAIN),
)


def _other_card(model: str, display_name: str, tier: int, kind: Kind) -> ModelCard:
    """An input of an embedding is 8,192 tokens at most, a request 2,048 inputs; moderation names no limits."""
    return ModelCard(
        provider="openai",
        model=model,
        display_name=display_name,
        context_window=8_192,
        max_output_tokens=0,
        capabilities=frozenset(),
        tier=tier,
        source=_DOCS,
        checked="2026-11-28",
        kind=kind,
        inputs=2_048,
    )


_EMBEDDINGS = (
    _other_card("text-embedding-3-large", "Text Embedding 3 large", 1, Kind.EMBEDDINGS),
    _other_card("text-embedding-3-small", "Text Embedding 3 small", 3, Kind.EMBEDDINGS),
    _other_card("text-embedding-ada-002", "Text Embedding Ada 002", 3, Kind.EMBEDDINGS),
)
_MODERATIONS = (
    _other_card("omni-moderation-latest", "Omni Moderation", 1, Kind.MODERATION),
    _other_card("omni-moderation-2024-09-26", "Omni Moderation of September 2024", 1, Kind.MODERATION),
)
_LENGTHS = MappingProxyType(
    {"text-embedding-3-large": 3_072, "text-embedding-3-small": 1_536, "text-embedding-ada-002": 1_536}
)
_FREE = "OpenAI: the moderation endpoint is free of charge (help.openai.com, moderation; checked 2026-11-28)"

_EFFORTS = MappingProxyType(
    {
        "o": ("low", "medium", "high"),
        "gpt-5": ("minimal", "low", "medium", "high"),
        "gpt-5.1": ("none", "low", "medium", "high"),
        "gpt-5.2": ("none", "low", "medium", "high", "xhigh"),
        "gpt-5.3-codex": ("low", "medium", "high", "xhigh"),
        "gpt-6": ("none", "low", "medium", "high", "xhigh", "max"),
        "gpt-6.1-sol": ("low", "medium", "high", "xhigh", "max"),
    }
)
_QUIRKS = Quirks(
    provider="openai",
    max_tokens_field="max_completion_tokens",
    developer_role=True,
    custom_tools=True,
    refusals=True,
    documents="file",
    tool_images=True,
    longest_call_id=40,
    session_field="prompt_cache_key",
    refused_when_reasoning=frozenset({"stop", "logit_bias", "logprobs", "top_logprobs"}),
    efforts=_EFFORTS,
)

_FREE_FORM = ("custom", "mcp", "web_search")
_AGENTIC = (*_FREE_FORM, "shell", "apply_patch")
_RESPONSES = openai_responses.Quirks(
    provider="openai",
    efforts=_EFFORTS,
    tools=MappingProxyType(
        {
            "o3": ("mcp", "web_search"),
            "o3-mini": ("mcp",),
            "o4-mini": ("mcp", "web_search"),
            "gpt-4.1": ("mcp", "web_search"),
            "gpt-4.1-nano": ("mcp",),
            "gpt-5": _FREE_FORM,
            "gpt-5.1": _AGENTIC,
            "gpt-5.2": _AGENTIC,
            "gpt-5.3-codex": ("custom", "mcp", "shell", "apply_patch"),  # its searches have no price in the price list
            "gpt-6": (*_AGENTIC, "computer", "namespace", "tool_search", "additional_tools"),
        }
    ),
    summaries=True,
    developer_role=True,
    documents=True,
    result_images=True,
    refusals=True,
    verbosity=("gpt-5", "gpt-6"),
    least_tokens=16,
)
_IN_RESPONSES = ("gpt-6.1-sol", "gpt-6-sol", "gpt-6.1-terra", "gpt-6-luna", "gpt-5.3-codex")
"""GPT-6 takes function tools beside reasoning there alone, and the codex models are served there alone."""

_DATA = DataFacts(
    frozenset({DataPolicy.NO_TRAINING, DataPolicy.RETENTION_30_DAYS}),
    source="https://developers.openai.com/api/docs/guides/your-data",
    checked="2026-11-30",
)
"""Zero retention is for approved organizations: an operator who has it says so in the settings."""

PROVIDER = Provider(
    name="openai",
    label="OpenAI",
    dialect=OpenAIChat(_QUIRKS),
    base_url="https://api.openai.com/v1",
    key_variable="OPENAI_API_KEY",
    base_url_variable="OPENAI_BASE_URL",
    prices_id="openai",
    usage_rule=USAGE_RULES["openai"],
    continuity=Continuity.SESSION,  # https://developers.openai.com/api/docs/guides/prompt-caching, cache routing
    cards=_CARDS,
    other_cards=(*_EMBEDDINGS, *_MODERATIONS),
    free=MappingProxyType(dict.fromkeys((card.model for card in _MODERATIONS), _FREE)),
    further_dialects=(
        openai_responses.OpenAIResponses(_RESPONSES),
        OpenAIEmbeddings("openai", lengths=_LENGTHS, fixed_length=frozenset({"text-embedding-ada-002"})),
        OpenAIModerations("openai"),
    ),
    spoken_to_in=MappingProxyType(
        {
            **dict.fromkeys(_IN_RESPONSES, openai_responses.DIALECT),
            **dict.fromkeys((card.model for card in _EMBEDDINGS), "openai-embeddings"),
        }
    ),
    data=_DATA,
)
