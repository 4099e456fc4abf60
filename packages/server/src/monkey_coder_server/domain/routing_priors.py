"""What is assumed of a model before anything was measured here: stated formulas over public facts.

Quality is the assumed probability that an answer is good. Assumption: vendors rank their own models (tier, order) and
price by capability, reasoning helps where a problem must be worked out, and models made for web search write worse
code. Where a public test found out how many exercises a model solves, that counts as much as its vendor's ladder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log10
from types import MappingProxyType

from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.money import NANO_PER_USD
from monkey_coder_server.domain.pricing import PriceRow
from monkey_coder_server.domain.public_scores import BASE, SLOPE, solved_share

TIER_QUALITY: Mapping[int, float] = MappingProxyType({1: 0.80, 2: 0.70, 3: 0.55})
UNKNOWN_TIER_QUALITY = 0.50
QUALITY_PER_TENFOLD_PRICE = 0.10
LARGEST_PRICE_EFFECT = 0.15
REASONING_GAIN: Mapping[str, float] = MappingProxyType(
    {"debugging": 0.06, "code_analysis": 0.06, "code_review": 0.06, "refactoring": 0.05, "code_generation": 0.03}
)
LIKE_CODE_GENERATION = frozenset({"code_generation", "testing", "debugging", "refactoring"})
SEARCH_MODEL_LOSS = 0.15
CROWDED_CONTEXT_LOSS = 0.05
LEAST_QUALITY, MOST_QUALITY = 0.05, 0.98
POSITION_LOSS = 0.015
LARGEST_POSITION_LOSS = 0.12
"""For each place a model stands below its provider's first, from 0: catalogues list the newest and best first."""

EXPECTED_OUTPUT: Mapping[str, int] = MappingProxyType(
    {
        "code_generation": 1_500,
        "testing": 1_500,
        "refactoring": 1_500,
        "documentation": 1_200,
        "code_analysis": 900,
        "code_review": 900,
        "debugging": 800,
        "chat": 400,
    }
)
"""Tokens an answer of each task type is assumed to have."""
USUAL_OUTPUT = 800
REASONING_FACTOR = 2
"""A model that reasons is assumed to write as many tokens of thought as of answer."""


@dataclass(frozen=True, slots=True)
class Speed:
    """First byte in milliseconds, then tokens a second."""

    first_byte_ms: float
    tokens_per_second: float


_TIER_SPEED: Mapping[int, Speed] = MappingProxyType({1: Speed(1_500, 60), 2: Speed(900, 90), 3: Speed(500, 150)})
USUAL_SPEED = Speed(1_500, 60)
"""Of a model of which nothing is known."""


def standing(card: ModelCard, row: PriceRow, position: int) -> float:
    """What `quality` begins with: what holds for a model whatever is asked of it."""
    claimed = claimed_standing(card, row, position)
    share = solved_share(card.name)
    return claimed if share is None else (claimed + BASE + SLOPE * share) / 2


def claimed_standing(card: ModelCard, row: PriceRow, position: int) -> float:
    """The same by its vendor's ladder and price alone."""
    value = TIER_QUALITY.get(card.tier, UNKNOWN_TIER_QUALITY) + _price_effect(row)
    return value - min(LARGEST_POSITION_LOSS, POSITION_LOSS * position)


def quality(card: ModelCard, value: float, *, task_type: str, input_tokens: int) -> float:
    """The assumed probability of a good answer of a model of this `standing`, 0.05 to 0.98."""
    return within(card, at_task(card, value, task_type), input_tokens)


def at_task(card: ModelCard, value: float, task_type: str) -> float:
    """What a model of this `standing` has left of it, or gains, at a type of task."""
    if Capability.REASONING in card.capabilities:
        value += REASONING_GAIN.get(task_type, 0.0)
    if task_type in LIKE_CODE_GENERATION and not card.capabilities & {Capability.TOOLS, Capability.PROMPT_CACHE}:
        value -= SEARCH_MODEL_LOSS  # in this catalogue only models that search the web first have neither
    return value


def within(card: ModelCard, value: float, input_tokens: int) -> float:
    """The probability such a value comes to, in a context that so many tokens may crowd."""
    if 2 * input_tokens > card.context_window:
        value -= CROWDED_CONTEXT_LOSS
    return min(MOST_QUALITY, max(LEAST_QUALITY, value))


def expected_answer(task_type: str) -> int:
    """Tokens an answer is assumed to have, thoughts apart."""
    return EXPECTED_OUTPUT.get(task_type, USUAL_OUTPUT)


def expected_thought(card: ModelCard, answer: int) -> int:
    """Tokens of thought a model is assumed to spend on an answer of so many."""
    return (REASONING_FACTOR - 1) * answer if Capability.REASONING in card.capabilities else 0


def expected_output(card: ModelCard, *, task_type: str, max_tokens: int | None) -> int:
    """Tokens the answer is assumed to have, thoughts included, within its limits."""
    answer = expected_answer(task_type)
    tokens = answer + expected_thought(card, answer)
    return min(tokens, card.max_output_tokens if max_tokens is None else min(max_tokens, card.max_output_tokens))


def speed(card: ModelCard) -> Speed:
    """How fast a model of that tier is assumed to be."""
    return _TIER_SPEED.get(card.tier, USUAL_SPEED)


def _price_effect(row: PriceRow) -> float:
    """What the output price says about capability: nothing at 1 USD per million tokens, more above, less below."""
    if not row.rates.output:
        return 0.0
    effect = QUALITY_PER_TENFOLD_PRICE * log10(row.rates.output / NANO_PER_USD)
    return min(LARGEST_PRICE_EFFECT, max(-LARGEST_PRICE_EFFECT, effect))
