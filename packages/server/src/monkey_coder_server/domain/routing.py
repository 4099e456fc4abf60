"""Which model serves a request, and which come after it: filtered, scored, explained with the numbers used.

`plan` is deterministic. Each candidate's utility is the weighted sum of three terms between 0 and 1:
quality (its success probability over the best one's), cost (1 for the cheapest, less 0.25 for each tenfold price)
and latency (1 for the fastest, less 0.5 for each tenfold wait). Money stays integer; scores are floats.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import log10
from types import MappingProxyType
from typing import NamedTuple

from monkey_coder_server.domain import routing_priors
from monkey_coder_server.domain.catalog import Capability, Mode, ModelCard, Selection
from monkey_coder_server.domain.model_rules import Ruling
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
_new = tuple.__new__
"""Makes a named tuple in half the time its class takes."""


class Learned(NamedTuple):
    """What outcomes say of a model at this kind of work; None where they say nothing yet. Prior figures give way.

    `spread` is the standard deviation of `success`, `seen` the weight of the outcomes of the model it rests on.
    """

    success: float | None = None
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


class CandidateState(NamedTuple):
    """A model as it stands now. `row` None: no price, `price_problem` says why.

    `usable` False: no key for its provider. `ruling`: why the caller's key may not use it, None when it may. `healthy`
    False: its breaker is open, so it is tried last. `first_byte_ms` and `tokens_per_second` are measured averages, None
    until measured; `error_rate` 0 to 1. `usual_output` are the tokens its answers to such requests took, None until
    some were seen.
    """

    card: ModelCard
    row: PriceRow | None
    markup_basis_points: int = 0
    price_problem: str = "no price is known for it"
    usable: bool = True
    ruling: Ruling | None = None
    healthy: bool = True
    first_byte_ms: float | None = None
    tokens_per_second: float | None = None
    error_rate: float = 0.0
    learned: Learned = Learned()
    usual_output: int | None = None


class Exclusion(StrEnum):
    """Why a model is no candidate."""

    NOT_ALLOWED = "not_allowed"
    NO_KEY = "no_key"
    NO_PRICE = "no_price"
    NOT_PREFERRED = "not_preferred"
    MISSING_CAPABILITY = "missing_capability"
    CONTEXT_TOO_LONG = "context_too_long"


class Excluded(NamedTuple):
    """A model that was left out; `reason` is one sentence, `ruling` the rule that a key may not use it by."""

    name: str
    why: Exclusion
    reason: str
    ruling: Ruling | None = None


class Expectation(NamedTuple):
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


class Terms(NamedTuple):
    """Scores between 0 and 1, relative to the best candidate of the plan, and their weighted sum."""

    quality: float
    cost: float
    latency: float
    utility: float


class Ranked(NamedTuple):
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


def plan(request: RouteRequest, states: Iterable[CandidateState]) -> Plan:
    """Rank what may serve the request; an empty plan when nothing may, with every reason."""
    selection = request.selection
    weights, decided_by = request.weighers.weighing(selection.mode)
    positions = _positions(selection.cards)
    kept: list[tuple[CandidateState, Expectation]] = []
    excluded: list[Excluded] = []
    for state in states:
        position = positions.get(state.card.name)
        if position is None:
            continue
        outcome = _consider(request, state, position)
        if isinstance(outcome, Excluded):
            excluded.append(outcome)
        else:
            kept.append((state, outcome))
    scored = _scored(request, _calibrated(kept), weights)
    return Plan(selection.mode, weights, tuple(_leaning(scored)), tuple(excluded), decided_by)


def _positions(cards: Sequence[ModelCard]) -> dict[str, int]:
    """Where each selected model stands at its provider: a selection keeps the order of the provider's cards."""
    counts: dict[str, int] = {}
    positions: dict[str, int] = {}
    for card in cards:
        provider = card.provider
        positions[card.name] = position = counts.get(provider, 0)
        counts[provider] = position + 1
    return positions


def _consider(request: RouteRequest, state: CandidateState, position: int) -> Expectation | Excluded:
    """What to expect of the model, or why it is no candidate. Cheap and final reasons come first."""
    card = state.card
    if state.ruling is not None:
        return Excluded(
            card.name,
            Exclusion.NOT_ALLOWED,
            f"This key may not use {card.name}: {state.ruling.told}; name a model it may use, or use another key.",
            state.ruling,
        )
    if not state.usable:
        return Excluded(
            card.name,
            Exclusion.NO_KEY,
            f"The gateway holds no key for {card.provider}, so {card.name} is not on offer.",
        )
    if (request.models or request.providers) and not _preferred(request, card):
        return Excluded(card.name, Exclusion.NOT_PREFERRED, "The request prefers other providers or models.")
    if state.row is None:
        return Excluded(card.name, Exclusion.NO_PRICE, f"{card.name} cannot be billed: {state.price_problem}.")
    return _fitting(request, state, state.row, position)


def _fitting(request: RouteRequest, state: CandidateState, row: PriceRow, position: int) -> Expectation | Excluded:
    card = state.card
    if not request.required <= card.capabilities:
        missing = ", ".join(sorted(request.required - card.capabilities))
        return Excluded(card.name, Exclusion.MISSING_CAPABILITY, f"{card.name} cannot do {missing}.")
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
    card = state.card
    success, spread, seen = state.learned
    known = success is not None and seen != 0.0
    output = state.usual_output
    if output is None:
        output = routing_priors.expected_output(card, task_type=request.task_type, max_tokens=request.max_tokens)
    if success is None:
        standing = routing_priors.standing(card, row, position)
        success = routing_priors.quality(card, standing, task_type=request.task_type, input_tokens=request.input_tokens)
    if state.error_rate:
        available = 1.0 - min(1.0, max(0.0, state.error_rate))
        success, spread = success * available, spread * available
    latency, measured = _latency(state, output)
    cost = plain_price(row, request.input_tokens, output, markup_basis_points=state.markup_basis_points)
    usual = state.usual_output is not None
    return _new(Expectation, (cost, output, latency, success, known, measured, spread, seen or 0.0, usual))


def _latency(state: CandidateState, output_tokens: int) -> tuple[float, bool]:
    """Milliseconds to the end of an answer so long, and whether they rest on measurement."""
    first, pace = state.first_byte_ms, state.tokens_per_second
    assumed = routing_priors.speed(state.card)
    measured = first is not None or pace is not None
    wait = assumed.first_byte_ms if first is None else first
    return wait + 1_000 * output_tokens / (pace or assumed.tokens_per_second), measured


def _calibrated(kept: list[tuple[CandidateState, Expectation]]) -> list[tuple[CandidateState, Expectation]]:
    """Prior latencies shortened as far as the measured ones typically undercut their own priors.

    Short answers and near hosts are quicker than any prior says; without this the one model that was called would
    look thousands of times faster than all that were not, whatever it costs. Slower ones are left to stand out.
    """
    undercut = sorted(
        [
            expected.latency_ms / _assumed_latency(state.card, expected.output_tokens)
            for state, expected in kept
            if expected.measured
        ]
    )
    if not undercut:
        return kept
    typical = undercut[len(undercut) // 2]
    if typical >= 1.0:
        return kept
    return [
        (state, expected if expected.measured else expected._replace(latency_ms=expected.latency_ms * typical))
        for state, expected in kept
    ]


def _assumed_latency(card: ModelCard, output_tokens: int) -> float:
    speed = routing_priors.speed(card)
    return speed.first_byte_ms + 1_000 * output_tokens / speed.tokens_per_second


def _scored(
    request: RouteRequest, kept: Sequence[tuple[CandidateState, Expectation]], weights: Weights
) -> list[Ranked]:
    """The candidates with their terms, each relative to the best of them.

    Healthy before unhealthy, preferred models first, then by utility.
    """
    if not kept:
        return []
    best = max([expected.success for _, expected in kept]) or 1.0
    cheapest = max(1, min([expected.cost for _, expected in kept]))
    fastest = max(UNNOTICED_MS, min([expected.latency_ms for _, expected in kept]))
    for_quality, for_cost, for_latency = weights.quality, weights.cost, weights.latency
    models, scored = request.models, []
    for state, expected in kept:
        quality = expected.success / best
        cost = 1.0 - COST_LOSS_PER_TENFOLD * log10((expected.cost or 1) / cheapest)
        latency = 1.0
        if expected.latency_ms > fastest:
            latency -= LATENCY_LOSS_PER_TENFOLD * log10(expected.latency_ms / fastest)
        cost, latency = max(0.0, cost), max(0.0, latency)
        utility = (for_quality * quality + for_cost * cost + for_latency * latency) / 100
        preferred = bool(models) and state.card.provider in models
        terms = _new(Terms, (quality, cost, latency, utility))
        ranked = _new(Ranked, (state, expected, terms, preferred))
        scored.append((not state.healthy, not preferred, -utility, state.card.name, ranked))
    scored.sort()
    return [entry[-1] for entry in scored]


def in_order(scored: Sequence[Ranked]) -> list[Ranked]:
    """Healthy before unhealthy, preferred models first, then by utility; first fallbacks lean to other providers."""
    return _leaning(sorted(scored, key=_rank))


def _rank(each: Ranked) -> tuple[bool, bool, float, str]:
    return not each.state.healthy, not each.preferred, -each.terms.utility, each.name


def _leaning(ranked: Sequence[Ranked]) -> list[Ranked]:
    """As they were ranked, but for the first fallbacks, which lean to other providers."""
    queues: dict[str, list[Ranked]] = {}
    for each in reversed(ranked):
        queues.setdefault(each.card.provider, []).append(each)
    heads = {provider: _standing(queues[provider][-1]) for provider in sorted(queues)}
    used = dict.fromkeys(heads, 0)
    first: list[Ranked] = []
    while heads and len(first) < SPREAD_OVER:
        provider = max(heads, key=heads.__getitem__)
        queue = queues[provider]
        first.append(queue.pop())
        used[provider] += 1
        if queue:
            heads[provider] = _standing(queue[-1], used[provider])
        else:
            del heads[provider]
    taken = {id(each) for each in first}
    return [*first, *[each for each in ranked if id(each) not in taken]]


def _standing(each: Ranked, earlier: int = 0) -> tuple[bool, bool, float]:
    """What orders candidates, greatest first; `earlier` counts those of its provider already in the plan."""
    return each.state.healthy, each.preferred, each.terms.utility - SAME_PROVIDER_LOSS * earlier
