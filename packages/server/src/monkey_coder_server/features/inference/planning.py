"""From wishes to ranked candidates: the catalogue, prices, keys, health and outcomes, put before the router."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from monkey_coder_server.domain import routing, routing_priors
from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.bandit.verifier import Rates
from monkey_coder_server.domain.catalog import Catalog, Kind, Mode, ModelCard
from monkey_coder_server.domain.collapse import PLANNED
from monkey_coder_server.domain.errors import InvalidRequest, ModelNotFound
from monkey_coder_server.domain.likeness import shape_of
from monkey_coder_server.domain.model_facts import ModelFacts
from monkey_coder_server.domain.model_rules import ModelAccess
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.domain.prompt_tokens import prompt_size
from monkey_coder_server.domain.routing import CandidateState, Learned, RouteRequest
from monkey_coder_server.domain.tokenizers import ANY
from monkey_coder_server.domain.verification.agreement import TOGETHER
from monkey_coder_server.domain.weights import Weighers
from monkey_coder_server.domain.work import Work, work_of
from monkey_coder_server.features.inference.collapse import uniform_of
from monkey_coder_server.features.inference.health import Health
from monkey_coder_server.features.inference.job import Job
from monkey_coder_server.features.inference.learning import Learning
from monkey_coder_server.features.inference.no_candidate import no_candidate
from monkey_coder_server.features.inference.outcomes import arm_of
from monkey_coder_server.features.inference.plan import Decision, Plan, Wishes
from monkey_coder_server.features.inference.route import Candidate
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.record import Record
from monkey_coder_server.web.principal import Principal

FRESH_SECONDS = 2.0
"""How long equal requests share a ranking: latencies and outcomes move slowly, breakers renew it at once."""
TASK_TYPES = 64
"""Types of task whose stated figures are kept."""
REMEMBERED = 512
WATCHED_SHARE = 0.05
"""Of the requests that would run a sequence, of accounts that report outcomes: their answer is not chosen by checks."""
EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
"""Words for how hard to think that make another arm of a model; any other counts as none."""

_NOTHING: tuple[Learned, int | None] = (Learned(), None)


@dataclass(frozen=True, slots=True)
class Listing:
    """A model of the catalogue. `candidate` None: no key (`keyed` False) or no price (`problem` says why)."""

    card: ModelCard
    keyed: bool
    candidate: Candidate | None
    facts: ModelFacts
    problem: str = ""


class _Question(Record, frozen=True):
    """What a ranking hangs on."""

    wishes: Wishes
    tokens: int
    max_tokens: int | None
    work: Work
    effort: str
    principal: Principal
    shape: str
    size: int
    """As in a `Likeness`: what answers have in common in how long they are."""

    @property
    def allowed(self) -> ModelAccess | None:
        """The models the caller may use; None for all."""
        return self.principal.model_access

    @property
    def weighers(self) -> Weighers:
        """Who may decide the weights, and what they say."""
        key, wishes = self.principal.key, self.wishes
        return Weighers(wishes.persona.weights, None if key is None else key.weights, wishes.weights)


class Planner:
    """Ranks once for all equal requests of a moment: ranking tens of models costs milliseconds, a request must not."""

    def __init__(  # noqa: PLR0913 - its collaborators, named
        self,
        catalog: Catalog,
        listings: Callable[[PriceList, str], Iterable[Listing]],
        *,
        prices: Callable[[], PriceList],
        health: Health,
        learning: Learning,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._list = listings
        self._prices = prices
        self._priced = prices()
        self._by_plan = {"": _by_name(listings(self._priced, ""))}
        self._standings = _standings(self._listings)
        self._stated_at: dict[str, Mapping[str, float]] = {}
        self._health = health
        self._beliefs = learning.beliefs
        self._trust = learning.trust
        self._explore = learning.exploration
        self._sessions = learning.sessions
        self._foresight = learning.foresight
        self._texts = learning.texts
        self._clock = clock
        self._decided: OrderedDict[object, tuple[float, int, Decision]] = OrderedDict()

    def plan(self, job: Job) -> Plan:
        """Candidates for a job, best first.

        Raises `ModelNotFound`, `ModelNotAllowed`, `PriceUnknown`, `ContextTooLong`, `InvalidRequest`.
        """
        size = prompt_size(job.request)
        expected = size.expected_by(ANY)
        work = work_of(job.wishes.task_type, job.request, expected)
        effort, shape = _effort(job), shape_of(job.wishes.task_type, job.request)
        question = _Question(
            job.wishes,
            _rounded(expected),
            job.max_tokens,
            work,
            effort,
            job.principal,
            shape,
            size.bytes.bit_length(),
        )
        decision, stay, draw = self._decision(question), None, None
        if decision.ranking.mode is not Mode.PINNED:  # else there is nothing to choose
            decision = self._texts.heard(job, decision, effort, expected)
            stay = self._sessions.stay(job, decision, expected)
            draw = self._explore.draw(job, decision) if stay is None and job.rounds is None else None
        planned = job.collapse is not None and job.collapse.rule in PLANNED
        first = stay or draw
        order = _first(decision.order, decision.usual if first is None else first.place)
        if job.locked is not None:
            order = tuple(candidate for candidate in order if candidate.name in job.locked.tariffs)
        if not order:
            raise InvalidRequest("None of the quoted models can serve this request now; ask for a new quote.")
        return Plan(
            decision,
            size,
            work,
            shape,
            effort,
            size.most_tokens,
            expected,
            order,
            locked=job.locked,
            server_tools_bound=size.server_tool_tokens,
            draw=draw,
            rates=self._rates(work, job) if planned else None,
            watches=planned and job.rounds is None and self._watches(job),
            stay=stay,
        )

    def _watches(self, job: Job) -> bool:
        """Whether the answer is given whatever checks say, so that they go on being measured: where truths are told."""
        told = self._beliefs.reported(job.principal.account_id) > 0.0
        return told and job.explores and job.locked is None and uniform_of(job) < WATCHED_SHARE

    def _rates(self, work: Work, job: Job) -> Rates:
        """How far our checks of answers, or the caller's own, are believed at this work of the caller's account."""
        name = TOGETHER if job.rounds is None else job.rounds.verifier
        return self._trust.rates(Context.of(work.kind, work.language, job.principal.account_id), name)

    def _decision(self, question: "_Question") -> Decision:
        """The ranking for such a request, shared while it is fresh and its prices hold."""
        priced = self._prices()
        if priced is not self._priced:
            self._take(priced)
        wishes, principal = question.wishes, question.principal
        key, plan = principal.key, priced.priced_as(principal.plan)
        place = (
            plan,
            wishes.model,
            wishes.task_type,
            wishes.persona.name,
            wishes.weights,
            None if key is None else key.weights,
            None if key is None or key.models is None else (key.key_id, key.models),
            principal.rules,
            wishes.providers,
            tuple(sorted(wishes.models.items())) if wishes.models else (),
            wishes.required,
            wishes.kind,
            question.tokens,
            question.max_tokens,
            question.effort,
            question.shape,
            question.size,
            self._beliefs.known(question.work, principal.account_id),
        )
        now = self._clock.monotonic()
        found = self._decided.get(place)
        if found is not None and now - found[0] < FRESH_SECONDS and found[1] == self._health.version:
            return found[2]
        decision = self._decide(question, self._of_plan(plan))
        self._decided[place] = (now, self._health.version, decision)
        self._decided.move_to_end(place)
        if len(self._decided) > REMEMBERED:
            self._decided.popitem(last=False)
        return decision

    @property
    def _listings(self) -> Mapping[str, Listing]:
        """Every model, priced as for plans without markups of their own."""
        return self._by_plan[""]

    def _of_plan(self, plan: str) -> Mapping[str, Listing]:
        """Every model, priced as for a plan; made when its first request comes."""
        found = self._by_plan.get(plan)
        if found is None:
            found = self._by_plan[plan] = _by_name(self._list(self._priced, plan))
        return found

    def _take(self, priced: PriceList) -> None:
        """From the moment prices are replaced nothing is planned by the old ones; what runs is billed as planned."""
        self._by_plan = {"": _by_name(self._list(priced, ""))}
        self._standings = _standings(self._listings)
        self._stated_at.clear()
        self._decided.clear()
        self._priced = priced

    def _decide(self, question: "_Question", listings: Mapping[str, Listing]) -> Decision:
        wishes, tokens = question.wishes, question.tokens
        selection = self._catalog.resolve(wishes.model, wishes.kind)
        request = RouteRequest(
            selection=selection,
            task_type=wishes.task_type,
            input_tokens=tokens,
            max_tokens=question.max_tokens,
            required=wishes.required,
            weighers=question.weighers,
            providers=self._providers(wishes.providers),
            models=self._models(wishes.models),
        )
        states = self._states(listings, selection.cards, question.allowed, self._learned(request, question))
        ranking = routing.plan(request, states)
        dropped: tuple[str, ...] = ()
        if not ranking.candidates and request.providers and self._unkeyed(request.providers):
            dropped = request.providers
            request = replace(request, providers=())
            ranking = routing.plan(request, states)
        if not ranking.candidates:
            raise no_candidate(selection, ranking.excluded, input_tokens=tokens)
        order = tuple([_candidate(listings[ranked.name]) for ranked in ranking.candidates])
        return Decision(selection, ranking, order, tokens, dropped)

    def _states(
        self,
        listings: Mapping[str, Listing],
        cards: Sequence[ModelCard],
        allowed: ModelAccess | None,
        learned: Mapping[str, tuple[Learned, int | None]],
    ) -> list[CandidateState]:
        """Every model as it stands now for a key that may use the `allowed` ones."""
        now, states = self._clock.monotonic(), []
        new = tuple.__new__  # a named tuple in half the time its class takes
        for card in cards:
            name = card.name
            listing = listings[name]
            candidate = listing.candidate
            tariff = None if candidate is None else candidate.tariff
            pulse = self._health.pulse(name, now)
            success, usual_output = learned.get(name, _NOTHING)
            states.append(
                new(
                    CandidateState,
                    (
                        card,
                        None if tariff is None else tariff.row,
                        0 if tariff is None else tariff.markup,
                        listing.problem,
                        listing.keyed,
                        None if allowed is None else allowed.excludes(listing.facts),
                        pulse.admits,
                        pulse.first_byte_ms,
                        pulse.tokens_per_second,
                        pulse.error_rate,
                        success,
                        usual_output,
                    ),
                )
            )
        return states

    def _learned(self, request: RouteRequest, question: "_Question") -> Mapping[str, tuple[Learned, int | None]]:
        """What is believed of each model that could serve, by its name: its stated prior moved by outcomes.

        Beside it how many tokens its answers usually have, where that was seen.
        """
        wishes, effort, tokens = question.wishes, question.effort, request.input_tokens
        if wishes.kind is not Kind.CHAT:
            return {}
        stated, within = self._stated(wishes.task_type), routing_priors.within
        cards = [card for card in request.selection.cards if card.name in stated]
        priors = {arm_of(card.name, effort): within(card, stated[card.name], tokens) for card in cards}
        beliefs = self._beliefs.expect(question.work, question.principal.account_id, priors)
        outputs = self._foresight.usual_outputs(
            wishes.task_type, question.shape, question.size, cards, most=question.max_tokens
        )
        found = zip(beliefs, outputs, strict=True)
        return {card.name: each for card, each in zip(cards, found, strict=True)}

    def _stated(self, task_type: str) -> Mapping[str, float]:
        """What is assumed at a type of task of each model that can be billed, before its context is looked at."""
        stated = self._stated_at.get(task_type)
        if stated is None:
            if len(self._stated_at) >= TASK_TYPES:
                self._stated_at.clear()
            stated = self._stated_at[task_type] = {
                name: routing_priors.at_task(self._listings[name].card, standing, task_type)
                for name, standing in self._standings.items()
            }
        return stated

    def _providers(self, names: tuple[str, ...]) -> tuple[str, ...]:
        known = []
        for name in names:
            provider = self._catalog.provider(name)
            if provider is None:
                message = f"There is no provider {name[:60]!r}; known are {', '.join(self._catalog.providers)}."
                raise InvalidRequest(message)
            known.append(provider)
        return tuple(dict.fromkeys(known))

    def _models(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """The wanted model of each provider by its own id; an old name counts as its stated replacement."""
        models = {}
        for provider in self._providers(tuple(wanted)):
            name = next(model for given, model in wanted.items() if self._catalog.provider(given) == provider)
            card = self._catalog.card(provider, name)
            if card is None:
                card = next((each for each in self._catalog.resolve(name).cards if each.provider == provider), None)
            if card is None:
                message = f"{provider} has no model {name[:80]!r}; GET /v1/models lists them."
                raise ModelNotFound(message)
            models[provider] = card.model
        return models

    def _unkeyed(self, providers: tuple[str, ...]) -> bool:
        """Whether no key is held for any of the providers."""
        return not any(listing.keyed for listing in self._listings.values() if listing.card.provider in providers)


def _by_name(listings: Iterable[Listing]) -> dict[str, Listing]:
    return {listing.card.name: listing for listing in listings}


def _candidate(listing: Listing) -> Candidate:
    if listing.candidate is None:
        message = f"{listing.card.name} was ranked without being a candidate"
        raise RuntimeError(message)
    return listing.candidate


def _first(order: tuple[Candidate, ...], place: int) -> tuple[Candidate, ...]:
    """The same candidates with one of them before all others."""
    return order if place == 0 else (order[place], *order[:place], *order[place + 1 :])


def _effort(job: Job) -> str:
    reasoning = job.request.reasoning
    effort = None if reasoning is None else reasoning.effort
    return effort if effort in EFFORTS else ""


def _standings(listings: Mapping[str, Listing]) -> dict[str, float]:
    """What is assumed of each model that can be billed whatever is asked of it, by where its provider lists it."""
    counts: Counter[str] = Counter()
    standings = {}
    for name, listing in listings.items():
        position = counts[listing.card.provider]
        counts[listing.card.provider] += 1
        if listing.candidate is not None:
            standings[name] = routing_priors.standing(listing.card, listing.candidate.tariff.row, position)
    return standings


def _rounded(tokens: int) -> int:
    """Up to the next of eight steps an octave, so that requests of about the same length share a ranking."""
    if tokens < 64:
        return 64
    step = 1 << (tokens.bit_length() - 4)
    return -(-tokens // step) * step
