"""Moonshot AI: the Kimi models."""

from types import MappingProxyType

from monkey_coder_server.dialects.openai_chat import ADDITIONS, OpenAIChat, Quirks
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.usage import USAGE_RULES
from monkey_coder_server.ports.provider import CancelPolicy, Provider

_DOCS = "https://platform.kimi.ai/docs"
_CHECKED = "2026-11-23"

_CAPABILITIES = frozenset(
    {
        Capability.TOOLS,
        Capability.VISION,
        Capability.REASONING,
        Capability.STREAMING,
        Capability.PROMPT_CACHE,
    }
)


def _card(model: str, display_name: str, tier: int, *, window: int, output: int) -> ModelCard:
    return ModelCard(
        provider="moonshot",
        model=model,
        display_name=display_name,
        context_window=window,
        max_output_tokens=output,
        capabilities=_CAPABILITIES,
        tier=tier,
        fixed_temperature=True,
        source=_DOCS,
        checked=_CHECKED,
    )


_CARDS = (
    # K3 writes up to 131,072 tokens unless asked for more (`max_completion_tokens` default).
    _card("kimi-k3.1-pro", "Kimi K3.1 Pro", 1, window=1_048_576, output=131_072),
    _card("kimi-k3", "Kimi K3", 1, window=1_048_576, output=131_072),
    _card("kimi-k2.7-code", "Kimi K2.7 Code", 2, window=262_144, output=32_768),
    _card("kimi-k2.6", "Kimi K2.6", 2, window=262_144, output=32_768),
)

_QUIRKS = Quirks(
    provider="moonshot",
    requires_tools=False,
    replays_reasoning="reasoning_content",
    refused_in_messages=ADDITIONS - {"reasoning_content"},
    thinking_switch=("kimi-k2.5", "kimi-k2.6"),
    refused=frozenset({"top_k", "seed", "user", "name", "presence_penalty", "frequency_penalty", "logprobs"}),
    efforts=MappingProxyType({"kimi-k3": ("low", "high", "max")}),
)

PROVIDER = Provider(
    name="moonshot",
    label="Moonshot AI",
    dialect=OpenAIChat(_QUIRKS),
    base_url="https://api.moonshot.ai/v1",
    key_variable="MOONSHOT_API_KEY",
    base_url_variable="MOONSHOT_BASE_URL",
    prices_id="moonshotai",
    usage_rule=USAGE_RULES["moonshot"],
    cancel_policy=CancelPolicy.FINISH,
    cards=_CARDS,
    aliases=("kimi",),
)
