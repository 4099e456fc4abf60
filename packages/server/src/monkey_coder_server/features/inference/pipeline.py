"""The story of a request on one screen: admit, attempt, relay, settle. Whatever happens, its hold resolves once."""

import asyncio
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from msgspec.structs import replace

from monkey_coder_server.domain.collapse import Collapse, Rule
from monkey_coder_server.domain.errors import FailureKind, GatewayError, NotFound, Unavailable
from monkey_coder_server.domain.usage import Usage, UsageRule
from monkey_coder_server.features.inference.admission import Admission, Admitted
from monkey_coder_server.features.inference.arm import Arm
from monkey_coder_server.features.inference.arms import Arms
from monkey_coder_server.features.inference.attempt import LIMITED, SERVED, STOPPED, Attempts, Effort
from monkey_coder_server.features.inference.branching import Branching, Chosen
from monkey_coder_server.features.inference.cut_short import CutShort
from monkey_coder_server.features.inference.drafts import Drafts, Rounds
from monkey_coder_server.features.inference.exchange import Answering, milliseconds
from monkey_coder_server.features.inference.first_answers import kept
from monkey_coder_server.features.inference.flight import Flight
from monkey_coder_server.features.inference.hedge import Hedge, Hedges
from monkey_coder_server.features.inference.job import Collapsed, Hedged, Job, Outcome, Served, Settled, Worked
from monkey_coder_server.features.inference.learning import Learning
from monkey_coder_server.features.inference.measure import usage_of
from monkey_coder_server.features.inference.meter import Meter
from monkey_coder_server.features.inference.prompt_caches import PromptCaches
from monkey_coder_server.features.inference.relay import End, relay
from monkey_coder_server.features.inference.response_cache import ResponseCache
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.running import Opening, Run, Running, after_the_answer
from monkey_coder_server.features.inference.settlement import Settlements, settlement_of
from monkey_coder_server.features.inference.teamwork import Teamwork
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import Hold, Ledger, Replay
from monkey_coder_server.ports.telemetry import Telemetry
from monkey_coder_server.web.within import Within

MERELY_CUT = frozenset({FailureKind.CUT_SHORT, FailureKind.TIMEOUT, FailureKind.CONNECTION})
"""Ways a stream stops without a word of why: what came before is good."""

KEPT = frozenset({End.FINISHED, End.LIMIT, End.LEFT})
"""Ends of an answer that is charged."""
_OUTCOMES = MappingProxyType({End.LEFT: STOPPED, End.LIMIT: LIMITED})


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """Seconds. `drain`: how long an answer is read on for its usage after the caller left. `durable`: for the hold."""

    drain: float = 120.0
    durable: float = 10.0
    stall: float = 30.0


class Pipeline:
    """Serves jobs, each in a task of its own that no client can cancel."""

    def __init__(  # noqa: PLR0913 - its collaborators, named
        self,
        *,
        admission: Admission,
        attempts: Attempts,
        hedges: Hedges,
        cache: ResponseCache,
        settlements: Settlements,
        learning: Learning,
        ledger: Ledger,
        clock: Clock,
        telemetry: Telemetry,
        running: Running,
        prompt_caches: PromptCaches,
        settings: PipelineSettings,
    ) -> None:
        self._admission = admission
        self._attempts = attempts
        self._hedges = hedges
        self._cache = cache
        self._settlements = settlements
        self._learning = learning
        self._ledger = ledger
        self._clock = clock
        self._telemetry = telemetry
        self._running = running
        self._prompt_caches = prompt_caches
        self._settings = settings
        self._rounds = Rounds()

    def start(self, job: Job) -> Run[Outcome]:
        """Begin to serve; the run tells the rest."""
        run: Run[Outcome] = Run(stall=self._settings.stall)
        if job.ticket is not None:
            job.ticket.running = True
        self._running.start(run, self._carry(job, run))
        return run

    async def _carry(self, job: Job, run: Run[Outcome]) -> None:
        """Whoever waits for the outcome hears of it in the same turn of the loop.

        This is the boundary: what nobody foresaw is counted and becomes `internal`, never a lost task.
        """
        outcome: Outcome | GatewayError | None = None
        try:
            outcome = await self._serve(job, run)
        except GatewayError as refused:
            outcome = refused
        except asyncio.CancelledError:
            outcome = Unavailable(
                "The gateway is shutting down; ask again, under the same task_id if it had one.", retry_after=1.0
            )
        except Exception as defect:  # noqa: BLE001 - the one boundary of a request's own task; counted and logged
            self._telemetry.defect("inference", defect)
            outcome = GatewayError("The gateway failed to serve this request. It was not charged; try again.")
        finally:
            if job.ticket is not None:
                job.ticket.settle(_tokens_of(outcome))
        run.end(outcome)

    async def _serve(self, job: Job, run: Run[Outcome]) -> Outcome:
        if job.caching is not None:
            recalled = await self._cache.recall(job, job.caching, run)
            if recalled is not None:
                return recalled
        try:
            admitted = await self._admission.admit(job)
        except GatewayError as refused:
            self._settlements.refused(job, refused)
            raise
        if isinstance(admitted, Replay):
            return kept(admitted)
        run.collapse = _rule_told(admitted)
        flight = Flight(job, admitted, run, self._prompt_caches.of(job), drain=self._settings.drain)
        try:
            if admitted.several and (admitted.crew is not None or not _hedged(job)):
                served = await self._several(flight)
            else:
                served = await self._answer(flight)
        except BaseException as stopped:
            error = _told(stopped)
            await self._settlements.void(job, error, flight.trail)
            if error is not stopped and not isinstance(stopped, asyncio.CancelledError):
                self._telemetry.defect("inference", stopped)
            raise error from stopped
        try:  # a whole answer leaves only after this, and by then its hold is on disk too
            settled = await self._settlements.settle(served, flight.trail)
        except Exception as missed:
            await self._not_settled(flight, missed)
            raise
        after_the_answer(self._learn, settled)
        return settled

    def _learn(self, settled: Settled) -> None:
        """Count it, and learn from it. Whatever goes wrong with that is counted: the request is over."""
        self._settlements.told(settled)
        try:
            self._learning.served(settled.served)
        except Exception as defect:  # noqa: BLE001 - as in `_carry`
            self._telemetry.defect("learning", defect)

    async def _answer(self, flight: Flight) -> Served:
        job = flight.job
        deadline = job.started + job.seconds
        drafts = Drafts(flight, self._ledger, self._clock, self._rounds)
        calling = partial(self._calling, flight, drafts)
        hedge = self._hedges.of(flight)
        if hedge is not None:
            drafts.beside = hedge.bills_beside
        routes, relay = flight.admitted.routes, job.collapse is None or job.rounds is not None
        effort = Effort(
            account=job.principal.account_id,
            routes=routes,
            request=job.request,
            thread=flight.thread,
            stream=job.stream,
            deadline=deadline,
            trail=flight.trail,
            calling=calling,
            relay=relay,
            contest=hedge,
        )
        end: End | None = None
        try:
            with Within(deadline - self._clock.monotonic()) as bound:
                flight.watch(bound)
                flight.answering = await self._attempts.run(effort)
                end = await self._relay(flight.answering, flight, drafts) if job.stream else End.FINISHED
        except TimeoutError:
            end = flight.stopped()
        except BaseException:
            flight.abandon()
            raise
        finally:
            flight.unwatch()
            if flight.answering is not None:
                flight.answering.close()
            if hedge is not None:
                await hedge.close(kept=end in KEPT)
        return self._served(flight, flight.answered(), end, hedge)

    async def _several(self, flight: Flight) -> Served:
        """Several arms are asked. Of a stream, too, nothing leaves before one answer is kept."""
        drafts = Drafts(flight, self._ledger, self._clock, self._rounds)
        arms = Arms(self._attempts, flight, partial(self._calling, flight, drafts))
        drafts.beside = arms.bills_beside
        crew, collapse = flight.admitted.crew, flight.admitted.collapse
        if crew is not None:
            chosen = await Teamwork(arms, self._clock, flight, crew).run()
        else:
            chosen = await self._collapse(flight, Branching(arms, self._clock, flight), collapse or Collapse())
        served = self._described(flight, chosen.answering, chosen.usage, chosen.told)
        if not flight.job.stream:
            return replace(served, events=chosen.arm.events)
        try:
            await self._deliver(flight, served, chosen.arm)
        except BaseException:
            flight.abandon()
            raise
        return served

    async def _collapse(self, flight: Flight, branching: Branching, collapse: Collapse) -> Chosen:
        job = flight.job
        try:
            with Within(job.started + job.seconds - self._clock.monotonic()) as bound:
                flight.watch(bound)
                return await branching.run(collapse)
        except TimeoutError:
            raise flight.too_late() from None
        finally:
            flight.unwatch()

    async def _deliver(self, flight: Flight, served: Served, arm: Arm) -> None:
        """Pass on the kept answer; that it is paid for, whole, is on disk before its first byte leaves."""
        hold, route = flight.admitted.hold, served.route
        self._ledger.underway(hold, settlement_of(served, flight.trail))
        await self._durable(hold)
        flight.run.open(Opening(route.provider.name, route.card.model, dropped=served.dropped))
        await flight.run.push_all(arm.events)

    async def _calling(self, flight: Flight, drafts: Drafts, route: Route, effort: Effort) -> None:
        """What is billed from now on must be in the books even if this process dies at once. Raises `Unavailable`."""
        drafts.calling(route, effort)
        hold = flight.admitted.hold
        if not self._ledger.keeps(hold):
            await self._durable(hold)
        flight.job.under_way()

    async def _relay(self, answering: Answering, flight: Flight, drafts: Drafts) -> End:
        """Pass a stream on: no byte of it leaves before the hold, and that it is paid for, would survive a crash."""
        route, rule = answering.route, _rule(answering)
        meter = Meter(
            route.most_output,
            held=route.bound if flight.admitted.several else flight.admitted.hold.amount,
            tariff=route.tariff,
            rule=rule,
            prompt=flight.admitted.plan.input_expected,
        )
        drafts.begun(answering, meter, rule)
        await self._durable(flight.admitted.hold)
        try:
            return await relay(answering, flight.run, meter, drafts.delivered)
        finally:
            drafts.over()

    async def _not_settled(self, flight: Flight, missed: Exception) -> None:
        """The charge is not booked. Raises `Unavailable` when the ledger lost the hold before it was on disk.

        Where it merely stays away, it is booked behind the caller's back.
        """
        if isinstance(missed, NotFound):
            await self._durable(flight.admitted.hold)
            message = "The ledger lost this request; it is not charged. Try again."
            raise Unavailable(message, retry_after=1.0) from missed
        if not isinstance(missed, GatewayError):
            flight.abandon()
            await self._settlements.void(flight.job, _told(missed), flight.trail)

    async def _durable(self, hold: Hold) -> None:
        """Wait until the hold is on disk. Raises `Unavailable`."""
        try:
            with Within(self._settings.durable):
                await self._ledger.durable(hold)
        except TimeoutError as slow:
            raise Unavailable("The ledger is too slow to take on requests; try again.", retry_after=5.0) from slow

    def _broken(self, flight: Flight, answering: Answering) -> GatewayError:
        """A stream that failed in the middle; one that was merely cut says how far it had come."""
        error = self._attempts.broke(answering, flight.trail)
        failure = answering.answer.failure
        if failure is not None and failure.kind not in MERELY_CUT:
            return error
        request = flight.job.request
        return CutShort(error, usage_of(answering.answer, request, _rule(answering), unfinished=True))

    def _served(self, flight: Flight, answering: Answering, end: End, hedge: Hedge | None) -> Served:
        """The answer with its usage. Raises `ProviderFailed`, `ProviderTimedOut` when it broke off."""
        if end is End.FAILED:
            raise self._broken(flight, answering)
        request, unfinished = flight.job.request, end is not End.FINISHED
        usage = usage_of(answering.answer, request, _rule(answering), unfinished=unfinished)
        self._attempts.ended(answering, flight.trail, _OUTCOMES.get(end, SERVED), usage=usage)
        if hedge is None:
            return self._described(flight, answering, usage)
        return self._described(flight, answering, usage, hedge.collapsed(answering, usage), hedge.told())

    def _described(
        self,
        flight: Flight,
        answering: Answering,
        usage: Usage,
        told: Collapsed | Worked | None = None,
        hedged: Hedged | None = None,
    ) -> Served:
        job = flight.job
        return Served(
            job=job,
            plan=flight.admitted.plan,
            route=answering.route,
            answer=answering.answer,
            usage=usage,
            attempts=tuple(flight.trail.records),
            held=flight.admitted.hold.amount,
            finished_at=self._clock.now(),
            latency_ms=milliseconds(job.started, self._clock.monotonic()),
            first_byte_ms=milliseconds(job.started, answering.started) + answering.first_byte_ms,
            client_gone=flight.run.client_gone,
            relayed=answering.relayed,
            dropped=answering.dropped,
            events=answering.events,
            body=answering.body,
            collapsed=told if isinstance(told, Collapsed) else None,
            worked=told if isinstance(told, Worked) else None,
            sequencing=flight.admitted.sequencing,
            hedged=hedged,
        )


def _rule_told(admitted: Admitted) -> str:
    """By which rule one answer is kept, where several were asked for; `single` where one was enough."""
    if admitted.collapse is not None:
        return admitted.collapse.rule.value
    return "" if admitted.sequencing is None else admitted.sequencing.rule.value


def _hedged(job: Job) -> bool:
    """Whether its several arms are not all asked: the second only when the first is late."""
    return job.collapse is not None and job.collapse.rule is Rule.HEDGE


def _rule(answering: Answering) -> UsageRule:
    return answering.route.provider.usage_rule_in(answering.dialect.name)


def _tokens_of(outcome: Outcome | GatewayError | None) -> int:
    """What a failed request used of limits on tokens: what its caller got. Of a served one its ticket knows by now."""
    return outcome.usage.total if isinstance(outcome, CutShort) else 0


def _told(stopped: BaseException) -> GatewayError:
    """What the caller is told of whatever ended a request early."""
    if isinstance(stopped, GatewayError):
        return stopped
    if isinstance(stopped, asyncio.CancelledError):
        return Unavailable("The gateway is shutting down; the request was not charged. Try again.", retry_after=1.0)
    return GatewayError("The gateway failed to serve this request. It was not charged; try again.")
