"""Which model serves a request, and which come after it: filtered, scored, explained with the numbers used.

`plan` is deterministic. Each candidate's utility is the weighted sum of three terms between 0 and 1:
quality (its success probability over the best one's), cost (1 for the cheapest, less 0.25 for each tenfold price)
and latency (1 for the fastest, less 0.5 for each tenfold wait). Money stays integer; scores are floats.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import log10
from types import MappingProxyType

from monkey_coder_server.domain import routing_priors
from monkey_coder_server.domain.catalog import Capability, Mode, ModelCard, Selection
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.pricing import PriceRow, plain_price
from monkey_coder_server.domain.weights import UNASKED, Decider, Weighers, Weights

COST_LOSS_PER_TENFOLD = 0.25
LATENCY_LOSS_PER_TENFOLD = 0.5
UNNOTICED_MS = 500.0
"""Whole answers that come sooner are equally quick: what differs below that is noise."""
SPREAD_OVER = 6
"""So many candidates are spread over providers; after them plain utility decides."""
SAME_PROVIDER_LOSS = 0.10
"""What a fallback loses for each earlier candidate of its provider: one outage should not take the whole plan."""

_NO_MODELS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Learned:
    """What outcomes say of a model at this kind of work; None where they say nothing yet. Prior figures give way.

    `spread` is the standard deviation of `success`, `seen` the weight of the outcomes of the model it rests on.
    """

    success: float | None = None
    output_tokens: int | None = None
    spread: float = 0.0
    seen: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRequest:
    """What is asked of a model. Token counts are expected ones, except `max_tokens`, the caller's limit.

    `providers` restricts to the caller's preferred ones; `models` maps a provider to the one model wanted there.
    """

    selection: Selection
    task_type: str
    input_tokens: int
    max_tokens: int | None = None
    required: frozenset[Capability] = frozenset()
    weighers: Weighers = UNASKED
    providers: tuple[str, ...] = ()
    models: Mapping[str, str] = field(default_factory=lambda: _NO_MODELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateState:
    """A model as it stands now. `row` None: no price, `price_problem` says why.

    `usable` False: no key for its provider. `allowed` False: the caller's key may not use it. `healthy` False: its
    breaker is open, so it is tried last. `first_byte_ms` and `tokens_per_second` are measured averages, None until
    measured; `error_rate` 0 to 1.
    """

    card: ModelCard
    row: PriceRow | None
    markup_basis_points: int = 0
    price_problem: str = "no price is known for it"
    usable: bool = True
    allowed: bool = True
    healthy: bool = True
    first_byte_ms: float | None = None
    tokens_per_second: float | None = None
    error_rate: float = 0.0
    learned: Learned = Learned()


class Exclusion(StrEnum):
    """Why a model is no candidate."""

    NOT_ALLOWED = "not_allowed"
    NO_KEY = "no_key"
    NO_PRICE = "no_price"
    NOT_PREFERRED = "not_preferred"
    MISSING_CAPABILITY = "missing_capability"
    CONTEXT_TOO_LONG = "context_too_long"


@dataclass(frozen=True, slots=True)
class Excluded:
    """A model that was left out; `reason` is one sentence."""

    name: str
    why: Exclusion
    reason: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of a model for one request. `cost` in nano-dollars, markup included; `latency_ms` to the end."""

    cost: int
    output_tokens: int
    latency_ms: float
    success: float
    learned: bool
    """Whether `success` comes from outcomes rather than from the prior."""
    measured: bool
    """Whether `latency_ms` rests on measurement."""
    spread: float = 0.0
    """Standard deviation of `success`; `seen` is the weight of the outcomes it rests on."""
    seen: float = 0.0
    usual: bool = False
    """Whether `output_tokens`, and `cost` with it, are what such answers took before."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Scores between 0 and 1, relative to the best candidate of the plan, and their weighted sum."""

    quality: float
    cost: float
    latency: float
    utility: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with the numbers it was ranked by."""

    state: CandidateState
    expected: Expectation
    terms: Terms
    preferred: bool

    @property
    def card(self) -> ModelCard:
        """The model's facts."""
        return self.state.card

    @property
    def name(self) -> str:
        """`provider/model`."""
        return self.state.card.name


@dataclass(frozen=True, slots=True)
class Plan:
    """Candidates in the order they are tried, and what was left out."""

    mode: Mode
    weights: Weights
    candidates: tuple[Ranked, ...]
    excluded: tuple[Excluded, ...]
    weights_from: Decider = Decider.PERSONA

    def explain(self) -> dict[str, object]:
        """The decision as JSON, with the numbers that made it."""
        return {
            "mode": self.mode.value,
            "weights": self.weights.shown(),
            "weights_from": self.weights_from.value,
            "chosen": self.candidates[0].name if self.candidates else None,
            "candidates": [_explained(rank, each) for rank, each in enumerate(self.candidates, start=1)],
            "excluded": [{"model": each.name, "why": each.why.value, "reason": each.reason} for each in self.excluded],
        }


def plan(request: RouteRequest, states: Iterable[CandidateState]) -> Plan:
    """Rank what may serve the request; an empty plan when nothing may, with every reason."""
    weights, decided_by = request.weighers.weighing(request.selection.mode)
    positions = _positions(request.selection.cards)
    kept: list[tuple[CandidateState, Expectation]] = []
    excluded: list[Excluded] = []
    for state in states:
        position = positions.get((state.card.provider, state.card.model))
        if position is None:
            continue
        outcome = _consider(request, state, position)
        if isinstance(outcome, Excluded):
            excluded.append(outcome)
        else:
            kept.append((state, outcome))
    scored = _scored(request, _calibrated(kept), weights)
    return Plan(request.selection.mode, weights, tuple(in_order(scored)), tuple(excluded), decided_by)


def _positions(cards: Sequence[ModelCard]) -> dict[tuple[str, str], int]:
    """Where each selected model stands at its provider: a selection keeps the order of the provider's cards."""
    counts: dict[str, int] = {}
    positions: dict[tuple[str, str], int] = {}
    for card in cards:
        positions[card.provider, card.model] = counts.get(card.provider, 0)
        counts[card.provider] = counts.get(card.provider, 0) + 1
    return positions


def _consider(request: RouteRequest, state: CandidateState, position: int) -> Expectation | Excluded:
    """What to expect of the model, or why it is no candidate. Cheap and final reasons come first."""
    card = state.card
    if not state.allowed:
        return Excluded(
            card.name,
            Exclusion.NOT_ALLOWED,
            f"This key may not use {card.name}; name a model it may use, or use another key.",
        )
    if not state.usable:
        return Excluded(
            card.name,
            Exclusion.NO_KEY,
            f"The gateway holds no key for {card.provider}, so {card.name} is not on offer.",
        )
    if not _preferred(request, card):
        return Excluded(card.name, Exclusion.NOT_PREFERRED, "The request prefers other providers or models.")
    if state.row is None:
        return Excluded(card.name, Exclusion.NO_PRICE, f"{card.name} cannot be billed: {state.price_problem}.")
    return _fitting(request, state, state.row, position)


def _fitting(request: RouteRequest, state: CandidateState, row: PriceRow, position: int) -> Expectation | Excluded:
    card = state.card
    missing = sorted(request.required - card.capabilities)
    if missing:
        return Excluded(card.name, Exclusion.MISSING_CAPABILITY, f"{card.name} cannot do {', '.join(missing)}.")
    window = card.most_input_tokens
    if request.input_tokens >= window:
        reason = f"The prompt is about {request.input_tokens} tokens, but {card.name} takes {window}; send less."
        return Excluded(card.name, Exclusion.CONTEXT_TOO_LONG, reason)
    return _expect(request, state, row, position)


def _preferred(request: RouteRequest, card: ModelCard) -> bool:
    """A model the caller pinned needs no preference; otherwise provider and model preferences are kept to."""
    if request.selection.mode is Mode.PINNED and len(request.selection.cards) == 1:
        return True
    wanted = request.models.get(card.provider)
    if wanted is not None and wanted.casefold() not in _names(card):
        return False
    return not request.providers or card.provider in request.providers


def _names(card: ModelCard) -> set[str]:
    return {name.casefold() for name in (card.model, card.name, *card.aliases)}


def _expect(request: RouteRequest, state: CandidateState, row: PriceRow, position: int) -> Expectation:
    card, learned = state.card, state.learned
    output = learned.output_tokens
    if output is None:
        output = routing_priors.expected_output(card, task_type=request.task_type, max_tokens=request.max_tokens)
    success = learned.success
    if success is None:
        success = routing_priors.quality(
            card, row, task_type=request.task_type, input_tokens=request.input_tokens, position=position
        )
    latency, measured = _latency(state, output)
    available = 1.0 - min(1.0, max(0.0, state.error_rate))
    return Expectation(
        cost=plain_price(row, request.input_tokens, output, markup_basis_points=state.markup_basis_points),
        output_tokens=output,
        latency_ms=latency,
        success=success * available,
        learned=learned.success is not None and learned.seen != 0.0,
        measured=measured,
        spread=learned.spread * available,
        seen=learned.seen or 0.0,
        usual=learned.output_tokens is not None,
    )


def _latency(state: CandidateState, output_tokens: int) -> tuple[float, bool]:
    """Milliseconds to the end of an answer so long, and whether they rest on measurement."""
    assumed = routing_priors.speed(state.card)
    first = assumed.first_byte_ms if state.first_byte_ms is None else state.first_byte_ms
    pace = state.tokens_per_second or assumed.tokens_per_second
    measured = state.first_byte_ms is not None or state.tokens_per_second is not None
    return first + 1_000 * output_tokens / pace, measured


def _calibrated(kept: list[tuple[CandidateState, Expectation]]) -> list[tuple[CandidateState, Expectation]]:
    """Prior latencies shortened as far as the measured ones typically undercut their own priors.

    Short answers and near hosts are quicker than any prior says; without this the one model that was called would
    look thousands of times faster than all that were not, whatever it costs. Slower ones are left to stand out.
    """
    undercut = sorted(
        expected.latency_ms / max(1.0, _assumed_latency(state.card, expected.output_tokens))
        for state, expected in kept
        if expected.measured
    )
    if not undercut:
        return kept
    typical = min(1.0, undercut[len(undercut) // 2])
    return [
        (state, expected if expected.measured else replace(expected, latency_ms=expected.latency_ms * typical))
        for state, expected in kept
    ]


def _assumed_latency(card: ModelCard, output_tokens: int) -> float:
    speed = routing_priors.speed(card)
    return speed.first_byte_ms + 1_000 * output_tokens / speed.tokens_per_second


def _scored(
    request: RouteRequest, kept: Sequence[tuple[CandidateState, Expectation]], weights: Weights
) -> list[Ranked]:
    """The candidates with their terms, each relative to the best of them."""
    best = max((expected.success for _, expected in kept), default=0.0) or 1.0
    cheapest = max(1, min((expected.cost for _, expected in kept), default=1))
    fastest = max(UNNOTICED_MS, min((expected.latency_ms for _, expected in kept), default=UNNOTICED_MS))
    scored = []
    for state, expected in kept:
        quality = expected.success / best
        cost = max(0.0, 1.0 - COST_LOSS_PER_TENFOLD * log10(max(1, expected.cost) / cheapest))
        latency = max(0.0, 1.0 - LATENCY_LOSS_PER_TENFOLD * log10(max(UNNOTICED_MS, expected.latency_ms) / fastest))
        utility = (weights.quality * quality + weights.cost * cost + weights.latency * latency) / 100
        terms = Terms(quality, cost, latency, utility)
        scored.append(Ranked(state, expected, terms, state.card.provider in request.models))
    return scored


def in_order(scored: list[Ranked]) -> list[Ranked]:
    """Healthy before unhealthy, preferred models first, then by utility; first fallbacks lean to other providers."""
    ranked = sorted(scored, key=lambda each: (*map(_descending, _standing(each)), each.name))
    queues: dict[str, list[Ranked]] = {}
    for each in reversed(ranked):
        queues.setdefault(each.card.provider, []).append(each)
    first: list[Ranked] = []
    used = dict.fromkeys(queues, 0)
    while queues and len(first) < SPREAD_OVER:
        provider = max(sorted(queues), key=lambda name: _standing(queues[name][-1], used[name]))
        first.append(queues[provider].pop())
        used[provider] += 1
        if not queues[provider]:
            del queues[provider]
    taken = {id(each) for each in first}
    return [*first, *(each for each in ranked if id(each) not in taken)]


def _standing(each: Ranked, earlier: int = 0) -> tuple[bool, bool, float]:
    """What orders candidates, greatest first; `earlier` counts those of its provider already in the plan."""
    return each.state.healthy, each.preferred, each.terms.utility - SAME_PROVIDER_LOSS * earlier


def _descending(value: float) -> float:
    return -value


def _explained(rank: int, each: Ranked) -> dict[str, object]:
    expected, terms = each.expected, each.terms
    return {
        "rank": rank,
        "model": each.name,
        "utility": round(terms.utility, 4),
        "terms": {
            "quality": round(terms.quality, 4),
            "cost": round(terms.cost, 4),
            "latency": round(terms.latency, 4),
        },
        "success": round(expected.success, 4),
        "success_from": "learned" if expected.learned else "prior",
        "success_spread": round(expected.spread, 4),
        "outcomes_seen": round(expected.seen, 2),
        "expected_cost_usd": usd(expected.cost),
        "expected_output_tokens": expected.output_tokens,
        "output_from": "seen" if expected.usual else "prior",
        "expected_latency_ms": round(expected.latency_ms),
        "latency_from": "measured" if expected.measured else "prior",
        "healthy": each.state.healthy,
        "preferred": each.preferred,
    }
