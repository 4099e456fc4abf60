"""Answers given again: those that are kept, and those on their way to somebody who asks the same.

The first of several equal requests of one API key looks for a kept answer and, where there is none, is served as any
other; the rest follow it. Whoever follows one that fails goes on with the others that did, behind a new first one, and
after `FOLLOWED` of them alone.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from msgspec.structs import replace

from monkey_coder_server.domain.cache_control import CacheMode, CacheStatus, CacheWish, read_wish
from monkey_coder_server.domain.catalog import Kind
from monkey_coder_server.domain.errors import GatewayError, NotCached, ProviderTimedOut, Unavailable
from monkey_coder_server.domain.stream_events import FinishReason
from monkey_coder_server.features.inference.cached_answer import CachedAnswer, Recalled
from monkey_coder_server.features.inference.caching import (
    CacheSettings,
    Caching,
    Revision,
    Wording,
    flight_of,
    key_of,
)
from monkey_coder_server.features.inference.first_answers import kept as told_before
from monkey_coder_server.features.inference.job import Job, Outcome, Settled
from monkey_coder_server.features.inference.kept import Kept, Listener, Room
from monkey_coder_server.features.inference.kept_answers import Found, KeptAnswers
from monkey_coder_server.features.inference.recalling import Recalling
from monkey_coder_server.features.inference.repeats import LONGEST, MOST_BYTES, REQUEST_WEIGHT
from monkey_coder_server.features.inference.rewordings import Rewordings
from monkey_coder_server.features.inference.running import Opening, Run, Running
from monkey_coder_server.ports.cache import Cache
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import Replay
from monkey_coder_server.ports.record import Record
from monkey_coder_server.ports.telemetry import Telemetry
from monkey_coder_server.web.within import Within

FOLLOWED = 2
WAIT = 60.0
"""Longest sleep of who follows; whatever happens wakes it at once."""


class Question(Record, frozen=True, kw_only=True):
    """What of a request its job does not tell. `said` is all an answer hangs on beside the job, in canonical form.

    `beside` is the same without the given text; it raises `ValueError` where that is not one text in one place.
    `size` in bytes. `barred`: its answer is never given again. `retell` and `keep` as in `Caching`.
    """

    said: Sequence[object]
    beside: Callable[[str], Sequence[object]]
    size: int
    retell: Callable[[Recalled], bytes]
    keep: Callable[[Recalled], bytes] | None = None
    barred: bool = False


@dataclass(slots=True)
class CacheCounts:
    """Requests by what became of them: `shared` had the answer of another at the same time. `saved`: nano-dollars.

    `reworded` are those hits whose answer was kept for other words.
    """

    hits: int = 0
    reworded: int = 0
    shared: int = 0
    misses: int = 0
    bypassed: int = 0
    stored: int = 0
    saved: int = 0


@dataclass(slots=True, eq=False)
class _Flight:
    """One answer on its way: first it is looked for, then it is `found`, or comes and is `kept` for who follows."""

    looked: asyncio.Event = field(default_factory=asyncio.Event)
    found: Found | None = None
    kept: Kept | None = None


class ResponseCache:
    """Which requests take part, and how they are answered."""

    def __init__(  # noqa: PLR0913 - its collaborators, named
        self,
        cache: Cache,
        recalling: Recalling,
        revision: Revision,
        rewordings: Rewordings | None,
        *,
        clock: Clock,
        telemetry: Telemetry,
        running: Running,
        settings: CacheSettings,
        counts: CacheCounts,
    ) -> None:
        self._answers = KeptAnswers(cache, rewordings, clock, telemetry)
        self._recalling = recalling
        self._revision = revision
        self._rewordings = rewordings
        self._clock = clock
        self._telemetry = telemetry
        self._running = running
        self._settings = settings
        self._counts = counts
        self._flights: dict[bytes, _Flight] = {}
        self._room = Room(MOST_BYTES, LONGEST)

    def consider(self, job: Job, control: str | None, own: str | None, question: Callable[[], Question]) -> Job:
        """The job with how it takes part, after what its two headers say. A `question` may raise `ValueError`.

        Raises `InvalidRequest` for nonsense in ours, `NotCached` where no model may be asked and nothing can be kept.
        """
        if control is None and own is None and self._settings.mode is not CacheMode.OPT_OUT:
            self._counts.bypassed += 1
            return job
        wish = read_wish(control, own)
        if wish.takes_part(self._settings.mode, repeatable=_repeatable(job)):
            caching = self._caching(job, wish, question)
            if caching is not None:
                return replace(job, caching=caching)
        if wish.only_if_cached:
            raise NotCached("Only a kept answer is wanted, but answers to this request are not kept.")
        self._counts.bypassed += 1
        return job

    def _caching(self, job: Job, wish: CacheWish, ask: Callable[[], Question]) -> Caching | None:
        """How the job takes part; None for one whose answer is nobody else's, or that has no one meaning."""
        if job.locked is not None or job.rounds is not None:
            return None
        try:
            question = ask()
        except ValueError:
            return None
        if question.barred:
            return None
        source, most = job.request.source, self._settings.seconds
        besides = [
            None if source is None else dict(source.headers),
            job.endpoint,
            job.stream,
            job.collapse,
            job.wishes.weights,
            job.max_cost,
        ]
        key = key_of(self._settings.secret, job.principal, self._revision, [*question.said, *besides])
        wording = self._wording(job, question, besides) if wish.reworded else None
        return Caching(
            key=key,
            flight=flight_of(key, job.principal, wording),
            wish=wish,
            seconds=min(wish.max_age or most, most),
            size=question.size,
            retell=question.retell,
            keep=question.keep,
            wording=wording,
        )

    def _wording(self, job: Job, question: Question, besides: Sequence[object]) -> Wording | None:
        """The words of its last turn, where an answer to others will do; None where that is not safe, or not on."""
        text = None if self._rewordings is None else self._rewordings.text_of(job)
        if self._rewordings is None or text is None:
            return None
        try:
            return self._rewordings.wording(job, text, [*question.beside(text), *besides])
        except ValueError:
            return None

    async def recall(self, job: Job, caching: Caching, run: Run[Outcome]) -> Recalled | Replay | None:
        """An answer without a provider; None: the request is to be served, and what comes of it is kept.

        Raises `NotCached`, and whatever keeps the answer from being booked or from coming to its end.
        """
        if caching.wish.only_if_cached:
            return await self._only_kept(job, caching, run)
        for _ in range(FOLLOWED if caching.wish.look else 0):
            flight = self._flights.get(caching.flight)
            if flight is None:
                return await self._lead(job, caching, run)
            told = await self._follow(job, caching, flight, run)
            if told is not None:
                return told
        self._serve(job, caching, run, None)
        return None

    async def _only_kept(self, job: Job, caching: Caching, run: Run[Outcome]) -> Recalled | Replay:
        found = await self._answers.find(caching) if caching.wish.look else None
        if found is None:
            self._counts.misses += 1
            raise NotCached("Only a kept answer is wanted, and none is kept for this request.")
        return await self._tell(job, found, run)

    async def _lead(self, job: Job, caching: Caching, run: Run[Outcome]) -> Recalled | Replay | None:
        """Look for a kept answer, for all who ask the same now; where there is none, be served for them."""
        flight = self._flights[caching.flight] = _Flight()
        try:
            flight.found = await self._answers.find(caching)
            if flight.found is None:
                flight.kept = self._serve(job, caching, run, flight)
        finally:
            if flight.kept is None:
                self._land(caching, flight)
            flight.looked.set()
        return None if flight.found is None else await self._tell(job, flight.found, run)

    async def _tell(self, job: Job, found: Found, run: Run[Outcome]) -> Recalled | Replay:
        """Give a whole answer, or a stream from its beginning to its end."""
        answer, similarity = found
        replay = await self._recalling.hold(job)
        if replay is not None:
            return told_before(replay)
        async with self._recalling.voided_unless_done(job):
            age = self._answers.age(answer)
            self._recalling.begin(job, run, _opening(answer), age=age, rule=answer.rule, similarity=similarity)
            if job.stream:
                await run.push_all(answer.events)
        self._counts.hits += 1
        self._counts.reworded += similarity is not None
        return await self._end(job, answer, run)

    async def _end(self, job: Job, answer: CachedAnswer, run: Run[Outcome]) -> Recalled:
        recalled = await self._recalling.end(job, run, answer)
        self._counts.saved += answer.price
        return recalled

    async def _follow(self, job: Job, caching: Caching, flight: _Flight, run: Run[Outcome]) -> Recalled | Replay | None:
        """Have the answer another is looking for, or is being served. None when there is none to be had."""
        with self._in_time(job):
            await flight.looked.wait()
        if flight.found is not None:
            return (
                await self._tell(job, flight.found, run)
                if self._answers.fresh(flight.found.answer, caching.wish)
                else None
            )
        kept = flight.kept
        if kept is None or kept.lost:
            return None
        listener = Listener(kept, patient=True)
        run.when_left(listener.leave, _nothing)
        try:
            told = await (self._live if job.stream else self._whole)(job, kept, listener, run)
        finally:
            listener.leave()
        if not isinstance(told, CachedAnswer):
            return told
        self._counts.shared += 1
        return await self._end(job, told, run)

    async def _whole(self, job: Job, kept: Kept, listener: Listener, run: Run[Outcome]) -> CachedAnswer | Replay | None:
        """The answer once it is there; None when it failed."""
        with self._in_time(job):
            try:
                answer = _answer(kept, await listener.result())
            except GatewayError:
                return None
        if answer is None:
            return None
        replay = await self._recalling.hold(job)
        if replay is not None:
            return told_before(replay)
        self._recalling.begin(job, run, _opening(answer), rule=answer.rule)
        return answer

    async def _live(self, job: Job, kept: Kept, listener: Listener, run: Run[Outcome]) -> CachedAnswer | Replay | None:
        """A stream as it comes. Once it has begun it is one with the first one's, and ends as that does."""
        with self._in_time(job):
            while listener.opening is None and not listener.ended:
                await listener.opened(WAIT)
        if listener.opening is None or kept.spilled:
            return None
        replay = await self._recalling.hold(job)
        if replay is not None:
            return told_before(replay)
        async with self._recalling.voided_unless_done(job):
            self._recalling.begin(job, run, listener.opening, rule=listener.collapse)
            with self._in_time(job):
                while (events := await listener.take(WAIT)) or not listener.ended:
                    await run.push_all(events)
                answer = _answer(kept, await listener.result())
            if answer is None:
                raise Unavailable("The answer this one was to be the same as did not come to its end; ask again.")
            return answer

    @contextmanager
    def _in_time(self, job: Job) -> Iterator[None]:
        """Within the job's own deadline. Raises `ProviderTimedOut`."""
        try:
            with Within(job.started + job.seconds - self._clock.monotonic()):
                yield
        except TimeoutError:
            message = f"The request was not served within its {job.seconds:g} seconds; it is not charged."
            raise ProviderTimedOut(message) from None

    # What is served and kept

    def _serve(self, job: Job, caching: Caching, run: Run[Outcome], flight: _Flight | None) -> Kept | None:
        """Note what the request is answered; None when there is no room for it."""
        run.cache = CacheStatus.MISS
        self._counts.misses += 1
        weight = caching.size * REQUEST_WEIGHT
        if weight > self._room.longest or not self._room.take(weight):
            return None
        kept = Kept(run, self._room, weight, stream=job.stream, ended=partial(self._served, caching, flight))
        run.echo(kept)
        return kept

    def _served(self, caching: Caching, flight: _Flight | None, kept: Kept) -> None:
        if kept.lost:
            self._land(caching, flight)
        else:
            self._running.keep(self._store(caching, flight, kept))

    async def _store(self, caching: Caching, flight: _Flight | None, kept: Kept) -> None:
        """Keep an answer that is complete. Until that is done who asks the same has it from its run."""
        try:
            answer = _answer(kept, await kept.run.result())
            noted = self._settings.seconds
            if answer is not None and await self._answers.keep(caching, answer, noted=noted):
                self._counts.stored += 1
        except Exception as defect:  # noqa: BLE001 - nobody waits for this; counted and logged
            self._telemetry.defect("response cache", defect)
        finally:
            self._land(caching, flight)

    def _land(self, caching: Caching, flight: _Flight | None) -> None:
        if flight is not None and self._flights.get(caching.flight) is flight:
            del self._flights[caching.flight]


def _repeatable(job: Job) -> bool:
    """Whether a request says that it wants the same answer each time: vectors, verdicts, and talk without chance.

    What a provider looks up by itself is another answer each time.
    """
    request = job.request
    if job.wishes.kind is not Kind.CHAT:
        return True
    source = request.source
    looks_up = any(tool.server is not None for tool in request.tools) or (source is not None and source.server_tools)
    return request.sampling.temperature == 0 and not looks_up


def _answer(kept: Kept, outcome: Outcome) -> CachedAnswer | None:
    """What was served, as it is given again; None for what was not served whole, or is gone."""
    if kept.lost or not isinstance(outcome, Settled):
        return None
    served, native = outcome.served, outcome.served.job.request.source is None
    tariff, whole = served.route.tariff, () if native or served.relayed else served.events
    return CachedAnswer(
        provider=served.route.provider.name,
        model=served.route.card.model,
        relayed=served.relayed,
        dropped=served.dropped,
        rule=served.rule,
        usage=served.usage,
        finish=served.answer.finish or FinishReason.OTHER,
        native_finish=served.answer.native_finish,
        price=outcome.charge.charged,
        price_row=tariff.row.name,
        price_book=tariff.book,
        markup_basis_points=tariff.markup,
        at=int(served.finished_at.timestamp()),
        events=tuple(kept.log) if served.job.stream else tuple(whole),
        body=outcome.body if native else served.body,
    )


def _opening(answer: CachedAnswer) -> Opening:
    return Opening(answer.provider, answer.model, relayed=answer.relayed, dropped=answer.dropped)


def _nothing() -> None:
    """Who has left the first one's answer does not come back to it."""
