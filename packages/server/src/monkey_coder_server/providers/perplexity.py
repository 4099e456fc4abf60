"""Perplexity: models that search the web first; no tools."""

from types import MappingProxyType

from monkey_coder_server.dialects.openai_chat import ADDITIONS, OpenAIChat, Quirks
from monkey_coder_server.dialects.openai_embeddings import OpenAIEmbeddings
from monkey_coder_server.domain.catalog import Capability, Kind, ModelCard
from monkey_coder_server.domain.model_facts import DataFacts, DataPolicy
from monkey_coder_server.domain.usage import USAGE_RULES
from monkey_coder_server.ports.provider import CancelPolicy, Provider

_DOCS = "https://docs.perplexity.ai/getting-started/models; output limits: https://models.dev"
_CHECKED = "2026-11-23"
_EFFORTS = ("minimal", "low", "medium", "high")

_PLAIN = frozenset({Capability.VISION, Capability.DOCUMENTS, Capability.STRUCTURED, Capability.STREAMING})
_REASONS = _PLAIN | {Capability.REASONING}


def _card(
    model: str, display_name: str, tier: int, *, limits: tuple[int, int], capabilities: frozenset[Capability]
) -> ModelCard:
    """`limits`: tokens of the context window, tokens of output."""
    return ModelCard(
        provider="perplexity",
        model=model,
        display_name=display_name,
        context_window=limits[0],
        max_output_tokens=limits[1],
        capabilities=capabilities,
        tier=tier,
        source=_DOCS,
        checked=_CHECKED,
    )


_CARDS = (
    _card("sonar-pro", "Sonar Pro", 1, limits=(200_000, 8_192), capabilities=_PLAIN),
    _card("sonar-reasoning-pro", "Sonar Reasoning Pro", 1, limits=(128_000, 4_096), capabilities=_REASONS),
    _card("sonar", "Sonar", 2, limits=(128_000, 4_096), capabilities=_PLAIN),
    _card("sonar-deep-research", "Sonar Deep Research", 1, limits=(128_000, 32_768), capabilities=_REASONS),
)


def _embedding_card(model: str, display_name: str, tier: int) -> ModelCard:
    return ModelCard(
        provider="perplexity",
        model=model,
        display_name=display_name,
        context_window=32_768,
        max_output_tokens=0,
        capabilities=frozenset(),
        tier=tier,
        source="https://docs.perplexity.ai/docs/embeddings/quickstart",
        checked="2026-11-28",
        kind=Kind.EMBEDDINGS,
        inputs=512,
    )


# The contextualised models take documents in pieces at an endpoint of their own, which nobody here speaks.
_EMBEDDINGS = (
    _embedding_card("pplx-embed-v1-4b", "Embed v1 4B", 1),
    _embedding_card("pplx-embed-v1-0.6b", "Embed v1 0.6B", 3),
)
_VECTORS = OpenAIEmbeddings(
    "perplexity",
    path="/v1/embeddings",
    lengths=MappingProxyType({"pplx-embed-v1-4b": 2_560, "pplx-embed-v1-0.6b": 1_024}),
    int8=True,
)

_QUIRKS = Quirks(
    provider="perplexity",
    json_object=False,
    alternates=True,
    documents="file_url",
    refused_in_messages=ADDITIONS - {"reasoning", "reasoning_content"},
    refused=frozenset({"seed", "stop", "user", "name", "parallel_tool_calls", "logit_bias", "logprobs", "n"}),
    efforts=MappingProxyType({"sonar-reasoning": _EFFORTS, "sonar-deep-research": _EFFORTS}),
)

_DATA = DataFacts(
    frozenset({DataPolicy.NO_TRAINING, DataPolicy.RETENTION_30_DAYS, DataPolicy.ZERO_RETENTION}),
    source="https://docs.perplexity.ai/docs/resources/privacy-security",
    checked="2026-11-30",
)
"""Said of the Sonar API."""

PROVIDER = Provider(
    name="perplexity",
    label="Perplexity",
    dialect=OpenAIChat(_QUIRKS),
    base_url="https://api.perplexity.ai",
    key_variable="PERPLEXITY_API_KEY",
    base_url_variable="PERPLEXITY_BASE_URL",
    prices_id="perplexity",
    usage_rule=USAGE_RULES["perplexity"],
    cancel_policy=CancelPolicy.FINISH,
    cards=_CARDS,
    other_cards=_EMBEDDINGS,
    further_dialects=(_VECTORS,),
    spoken_to_in=MappingProxyType(dict.fromkeys((card.model for card in _EMBEDDINGS), _VECTORS.name)),
    data=_DATA,
)
