"""Google: the Gemini models of the Gemini Developer API."""

from types import MappingProxyType

from monkey_coder_server.dialects.gemini import Gemini, GeminiEmbeddings, ModelTraits
from monkey_coder_server.domain.catalog import Capability, Kind, ModelCard
from monkey_coder_server.domain.usage import USAGE_RULES
from monkey_coder_server.ports.provider import CancelPolicy, Provider

_DOCS = "https://ai.google.dev/gemini-api/docs/models"
_CHECKED = "2026-11-23"


def _card(model: str, display_name: str, tier: int, *, fixed_temperature: bool = False) -> ModelCard:
    """A Gemini model; all share window, single-request output limit and abilities."""
    return ModelCard(
        provider="google",
        model=model,
        display_name=display_name,
        context_window=1_048_576,
        max_output_tokens=65_536,
        capabilities=frozenset(Capability),
        tier=tier,
        fixed_temperature=fixed_temperature,
        source=f"{_DOCS}/{model}",
        checked=_CHECKED,
    )


# Sampling parameters are refused or ignored from 3.6 on: https://ai.google.dev/gemini-api/docs/whats-new-gemini-3.6
_CARDS = (
    _card("gemini-4-argon", "Gemini 4 Argon", 1, fixed_temperature=True),
    _card("gemini-3.1-pro-preview", "Gemini 3.1 Pro", 1),
    _card("gemini-2.5-pro", "Gemini 2.5 Pro", 1),
    _card("gemini-3.8-flash", "Gemini 3.8 Flash", 2, fixed_temperature=True),
    _card("gemini-3.6-flash", "Gemini 3.6 Flash", 2, fixed_temperature=True),
    _card("gemini-3.5-flash", "Gemini 3.5 Flash", 2),
    _card("gemini-3-flash-preview", "Gemini 3 Flash", 2),
    _card("gemini-2.5-flash", "Gemini 2.5 Flash", 2),
    _card("gemini-3.5-flash-lite", "Gemini 3.5 Flash-Lite", 3, fixed_temperature=True),
    _card("gemini-3.1-flash-lite", "Gemini 3.1 Flash-Lite", 3),
    _card("gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite", 3),
)


def _embedding_card(model: str, display_name: str, window: int) -> ModelCard:
    """`window`: tokens of one input; a batch holds 100 of them."""
    return ModelCard(
        provider="google",
        model=model,
        display_name=display_name,
        context_window=window,
        max_output_tokens=0,
        capabilities=frozenset(),
        tier=1,
        source="https://ai.google.dev/gemini-api/docs/embeddings",
        checked="2026-11-28",
        kind=Kind.EMBEDDINGS,
        inputs=100,
    )


# Priced for text; images, sound and video have prices of their own, so only text is taken.
_EMBEDDINGS = (
    _embedding_card("gemini-embedding-2", "Gemini Embedding 2", 8_192),
    _embedding_card("gemini-embedding-001", "Gemini Embedding 001", 2_048),
)
_VECTORS = GeminiEmbeddings("google")


def _levels(*levels: str) -> ModelTraits:
    """Gemini 3 and later: thinking by level, signed calls, media in tool results, tools beside a schema."""
    return ModelTraits(levels=levels, signed_calls=True, media_results=True, calls_with_schema=True)


_THREE = _levels("low", "medium", "high")
_FOUR = _levels("minimal", "low", "medium", "high")

_TRAITS = {
    "gemini-4-argon": _THREE,
    "gemini-3.1-pro-preview": _THREE,
    "gemini-3.8-flash": _THREE,
    "gemini-3.6-flash": _FOUR,
    "gemini-3.5-flash": _FOUR,
    "gemini-3-flash-preview": _FOUR,
    "gemini-3.5-flash-lite": _FOUR,
    "gemini-3.1-flash-lite": _FOUR,
    "gemini-2.5-pro": ModelTraits(budget=(128, 32_768)),
    "gemini-2.5-flash": ModelTraits(budget=(1, 24_576), can_rest=True),
    "gemini-2.5-flash-lite": ModelTraits(budget=(512, 24_576), can_rest=True),
}

# Whether prompts improve Google's products hangs on whether the key is of a paid project (ai.google.dev, Gemini API
# Additional Terms), which a key does not tell; so nothing is known here, and an operator says it in the settings.
PROVIDER = Provider(
    name="google",
    label="Google",
    dialect=Gemini("google", traits=MappingProxyType(_TRAITS)),
    base_url="https://generativelanguage.googleapis.com",
    key_variable="GOOGLE_API_KEY",
    base_url_variable="GOOGLE_BASE_URL",
    prices_id="google",
    usage_rule=USAGE_RULES["google"],
    cancel_policy=CancelPolicy.FINISH,
    cards=_CARDS,
    aliases=("gemini",),
    other_cards=_EMBEDDINGS,
    further_dialects=(_VECTORS,),
    spoken_to_in=MappingProxyType(dict.fromkeys((card.model for card in _EMBEDDINGS), _VECTORS.name)),
)
