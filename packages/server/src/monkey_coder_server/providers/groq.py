"""Groq: open models on fast hardware."""

from types import MappingProxyType

from monkey_coder_server.dialects.openai_chat import ADDITIONS, OpenAIChat, Quirks
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.model_facts import DataFacts, DataPolicy
from monkey_coder_server.domain.usage import USAGE_RULES
from monkey_coder_server.ports.provider import CancelPolicy, Provider

_DOCS = "https://console.groq.com/docs/models"
_CHECKED = "2026-11-23"
_WINDOW = 131_072

_PLAIN = frozenset({Capability.TOOLS, Capability.STREAMING})
_REASONS = _PLAIN | {Capability.REASONING}


def _card(
    model: str, display_name: str, tier: int, *, output: int, capabilities: frozenset[Capability] = _PLAIN
) -> ModelCard:
    return ModelCard(
        provider="groq",
        model=model,
        display_name=display_name,
        context_window=_WINDOW,
        max_output_tokens=output,
        capabilities=capabilities,
        tier=tier,
        source=_DOCS,
        checked=_CHECKED,
    )


_CARDS = (
    _card(
        "openai/gpt-oss-120b",
        "GPT OSS 120B",
        1,
        output=65_536,
        capabilities=_REASONS | {Capability.STRUCTURED, Capability.PROMPT_CACHE},
    ),
    _card("llama-3.3-70b-versatile", "Llama 3.3 70B", 1, output=32_768),
    _card("qwen/qwen3-32b", "Qwen3 32B", 2, output=40_960, capabilities=_REASONS),
    _card(
        "openai/gpt-oss-20b",
        "GPT OSS 20B",
        2,
        output=65_536,
        capabilities=_REASONS | {Capability.STRUCTURED, Capability.PROMPT_CACHE},
    ),
    _card(
        "meta-llama/llama-4-scout-17b-16e-instruct",
        "Llama 4 Scout",
        2,
        output=8_192,
        capabilities=_PLAIN | {Capability.VISION, Capability.STRUCTURED},
    ),
    _card("llama-3.1-8b-instant", "Llama 3.1 8B", 3, output=131_072),
)

_QUIRKS = Quirks(
    provider="groq",
    max_tokens_field="max_completion_tokens",
    # https://console.groq.com/docs/openai, "Currently unsupported OpenAI features"
    refused=frozenset(
        {
            "top_k",
            "logprobs",
            "top_logprobs",
            "logit_bias",
            "name",
            "presence_penalty",
            "frequency_penalty",
            "prediction",
            "verbosity",
            "web_search_options",
        }
    ),
    # Answered with "property 'annotations' is unsupported".
    refused_in_messages=ADDITIONS | {"annotations", "audio", "refusal"},
    efforts=MappingProxyType({"openai/gpt-oss": ("low", "medium", "high"), "qwen/": ("none",)}),
    # Without it these write their thinking as <think>…</think> into the text.
    also=MappingProxyType({"qwen/": MappingProxyType({"reasoning_format": "parsed"})}),
)

_DATA = DataFacts(
    frozenset({DataPolicy.RETENTION_30_DAYS}),
    source="https://console.groq.com/docs/your-data",
    checked="2026-11-30",
)
"""Kept only to look into failures and misuse, unless the operator turns that off; of training the page says nothing."""

PROVIDER = Provider(
    name="groq",
    label="Groq",
    dialect=OpenAIChat(_QUIRKS),
    base_url="https://api.groq.com/openai/v1",
    key_variable="GROQ_API_KEY",
    base_url_variable="GROQ_BASE_URL",
    prices_id="groq",
    usage_rule=USAGE_RULES["groq"],
    cancel_policy=CancelPolicy.FINISH,
    cards=_CARDS,
    data=_DATA,
)
