"""Which models each simulated provider knows, what they may do, and what they cost (from the genai-prices data)."""

import re
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import lru_cache

from genai_prices.data import providers as price_data
from genai_prices.types import ClauseEquals, ClauseOr, ModelInfo, TieredPrices

from monkey_coder_server.sandbox.exchange import Kind

PRICE_PROVIDER = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google",
    "groq": "groq",
    "xai": "x-ai",
    "perplexity": "perplexity",
    "moonshot": "moonshotai",
}

_NANO_USD = 1_000_000_000
_UNITS = {"_mtok": 1_000_000, "_kcount": 1_000}

_NOT_CHAT = re.compile(
    r"embed|tts|whisper|transcri|image|audio|realtime|live|moderation|voice|decider|guard|banana|omni|davinci|babbage"
    r"|^ada$|^curie$|turbo-instruct|orpheus|translate|computer-use|robotics|^perplexity/",
)
_FOREIGN = {"google": re.compile(r"claude"), "openai": re.compile(r"^gpt-oss")}
_RESPONSES_ONLY = re.compile(r"^(o1|o3)-pro|^gpt-[\d.]+-pro|codex|deep-research")
_REASONS = {
    "openai": re.compile(r"^o[134]|^gpt-[56](?!.*chat)"),
    "anthropic": re.compile(r"^claude-(3-7|[a-z]+-[45])"),
    "google": re.compile(r"gemini-(2\.5|[34]|flash|pro-latest)"),
    "groq": re.compile(r"gpt-oss|qwen3|deepseek-r1"),
    "xai": re.compile(r"^grok-(3-mini|4|code|build)(?!.*non-reasoning)"),
    "perplexity": re.compile(r"reasoning|r1-1776|deep-research"),
    "moonshot": re.compile(r"thinking|kimi-k2\.[5-9]|kimi-k3"),
}
_OUTPUT_LIMITS: dict[str, tuple[tuple[str, int], ...]] = {
    "openai": ((r"^gpt-[56]", 128_000), (r"^gpt-4\.1", 32_768), (r"^o[134]", 100_000), (r"^gpt-4o", 16_384)),
    "anthropic": (
        (r"^claude-3-(opus|haiku|sonnet)|^claude-[2v]", 4_096),
        (r"^claude-3-5", 8_192),
        (r"^claude-opus-4-[01]|^claude-(opus-4-2|4-opus)", 32_000),
        (r"^claude-[a-z]+-5|^claude-opus-4-[678]", 128_000),
        (r"", 64_000),
    ),
    "google": ((r"gemini-(1\.5|2\.0|pro)|gemma", 8_192), (r"", 65_536)),
    "groq": ((r"gpt-oss|qwen", 65_536), (r"8b-instant", 131_072), (r"", 32_768)),
}


@dataclass(frozen=True, slots=True)
class Price:
    """Nano-dollars per unit; a tier replaces the base for the whole request once its prompt is longer than `start`."""

    base: Fraction
    tiers: tuple[tuple[int, Fraction], ...] = ()

    def at(self, prompt_tokens: int) -> Fraction:
        """The price a request with that many prompt tokens pays."""
        for start, price in reversed(self.tiers):
            if prompt_tokens > start:
                return price
        return self.base


@dataclass(frozen=True, slots=True)
class Card:
    """One model as its provider would describe it."""

    provider: str
    id: str
    served_as: str
    """The dated name the provider answers with."""
    context_window: int
    output_limit: int
    reasons: bool
    responses_only: bool
    prices: dict[str, Price]

    @property
    def caches(self) -> bool:
        """Whether cached input has a price of its own, and is therefore simulated."""
        return "cache_read_mtok" in self.prices

    @property
    def bills_cache_writes(self) -> bool:
        """Whether writing to the cache has a price of its own."""
        return "cache_write_mtok" in self.prices


def _prices(model: ModelInfo, when: datetime) -> dict[str, Price]:
    prices: dict[str, Price] = {}
    for key, value in vars(model.get_prices(when)).items():
        per = next((per for suffix, per in _UNITS.items() if key.endswith(suffix)), None)
        if per is None or value is None:
            continue
        scale = Fraction(_NANO_USD, per)
        if isinstance(value, TieredPrices):
            tiers = tuple((tier.start, Fraction(tier.price) * scale) for tier in value.tiers)
            prices[key] = Price(Fraction(value.base) * scale, tiers)
        else:
            prices[key] = Price(Fraction(value) * scale)
    return prices


def _served_as(model: ModelInfo, asked: str) -> str:
    """OpenAI answers an undated name with its dated one, where the price data knows it."""
    if asked != model.id or not isinstance(model.match, ClauseOr):
        return asked
    dated = [
        clause.equals
        for clause in model.match.or_
        if isinstance(clause, ClauseEquals) and re.fullmatch(re.escape(asked) + r"-\d{4}-\d\d-\d\d", clause.equals)
    ]
    return max(dated, default=asked)


def _is_chat(provider: str, model: ModelInfo, when: datetime) -> bool:
    foreign = _FOREIGN.get(provider)
    if _NOT_CHAT.search(model.id) or (foreign and foreign.search(model.id)):
        return False
    prices = vars(model.get_prices(when))
    return prices.get("input_mtok") is not None and prices.get("output_mtok") is not None


def _is_of(kind: Kind, provider: str, model: ModelInfo, when: datetime) -> bool:
    if kind == "chat":
        return _is_chat(provider, model, when)
    if kind == "embeddings":
        return "embed" in model.id and "context" not in model.id  # those have an endpoint of their own
    return "moderation" in model.id


def _models(provider: str) -> list[ModelInfo]:
    return next(entry for entry in price_data if entry.id == PRICE_PROVIDER[provider]).models


def _output_limit(provider: str, name: str) -> int:
    for pattern, limit in _OUTPUT_LIMITS.get(provider, ()):
        if re.search(pattern, name):
            return limit
    return 1_000_000


@lru_cache(maxsize=4_096)
def find(provider: str, name: str, when: datetime, kind: Kind = "chat") -> Card | None:
    """The model of that name, or None where the provider does not serve it; prices are those valid at `when`."""
    lowered = name.lower()
    if kind == "chat" and _NOT_CHAT.search(lowered):
        return None
    for model in _models(provider):
        if model.is_match(lowered) and _is_of(kind, provider, model, when):
            return Card(
                provider=provider,
                id=model.id,
                served_as=_served_as(model, name) if provider == "openai" else name,
                context_window=model.context_window or 128_000,
                output_limit=_output_limit(provider, lowered),
                reasons=bool(_REASONS[provider].search(lowered)),
                responses_only=provider == "openai" and bool(_RESPONSES_ONLY.search(lowered)),
                prices=_prices(model, when),
            )
    return None


@lru_cache(maxsize=16)
def names(provider: str, when: datetime, kind: Kind = "chat") -> tuple[str, ...]:
    """The ids of a provider's models of a kind."""
    listed = (model.id for model in _models(provider) if _is_of(kind, provider, model, when))
    return tuple(name for name in listed if find(provider, name, when, kind) is not None)
