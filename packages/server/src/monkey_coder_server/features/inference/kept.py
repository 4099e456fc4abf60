"""The answer of one run, kept while others may still ask for it, and how they read it."""

import asyncio
from collections.abc import Callable, Sequence
from sys import getsizeof

from monkey_coder_server.domain.cache_control import CacheStatus
from monkey_coder_server.domain.errors import GatewayError, Unavailable
from monkey_coder_server.domain.stream_events import Event, Frame, RefusalDelta, TextDelta, ThinkingDelta
from monkey_coder_server.features.inference.job import Outcome, Settled
from monkey_coder_server.features.inference.running import Opening, Run, Straight
from monkey_coder_server.ports.provider import Dialect
from monkey_coder_server.web.within import Within

EVENT = 128
"""Bytes an event takes beside its text."""


class Room:
    """How many bytes all answers together, and each of them, may take."""

    def __init__(self, most: int, longest: int) -> None:
        self._most = most
        self.longest = longest
        self.used = 0

    def take(self, more: int, *, beside: int = 0) -> bool:
        """Take room for an answer that takes `beside` already; False when there is not enough."""
        if beside + more > self.longest or self.used + more > self._most:
            return False
        self.used += more
        return True


class Kept:
    """Implements `running.Echo`. `weight` is what it takes of the room, until nobody holds it any more.

    An answer that grew too long, failed or stayed unfinished is `lost`: whoever reads it still does, nobody else may.
    `ended` is called once the answer is over.
    """

    def __init__(
        self, run: Run[Outcome], room: Room, weight: int, *, stream: bool, ended: "Callable[[Kept], None]"
    ) -> None:
        self.run = run
        self.stream = stream
        self.delivered = False
        self.lost = False
        self.spilled = False
        """Its events are gone."""
        self.log: list[Event] = []
        self.opening: Opening | None = None
        self._room = room
        self._weight = weight
        self._ended = ended
        self._waiting: list[asyncio.Future[None]] = []

    def __del__(self) -> None:
        self._room.used -= self._weight

    # What the run tells

    def opened(self, opening: Opening) -> None:
        """A model answers."""
        self.opening = opening
        self._wake()

    def heard(self, event: Event) -> None:
        """One event of a stream."""
        if not self.lost:
            if self._takes(_weight(event)):
                self.log.append(event)
            else:
                self._spill()
        self._wake()

    def over(self, outcome: Outcome | GatewayError) -> None:
        """The request is over."""
        if not isinstance(outcome, Settled) or outcome.served.answer.finish is None:
            self.lost = True
        elif not self.stream:
            self._whole(outcome)
        self._wake()
        self._ended(self)

    def _whole(self, settled: Settled) -> None:
        served = settled.served
        if self._takes(len(settled.body) + 2 * len(served.body)):
            self.log = list(served.events)
            self.opening = Opening(served.route.provider.name, served.route.card.model, dropped=served.dropped)
        else:
            self._spill()

    def _spill(self) -> None:
        """Let go of what there is."""
        self.lost = self.spilled = True
        self.log = []
        self._room.used -= self._weight
        self._weight = 0

    # What its readers ask

    async def grown(self, seconds: float) -> bool:
        """Wait until the run tells more, or is over; False when it did not in time."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            with Within(seconds):
                await waiter
        except TimeoutError:
            return False
        return True

    def events(self, dialect: Dialect) -> Sequence[Event]:
        """What a stream said, in neutral words; `dialect` reads the frames of one that was passed on as it came.

        Raises `Unavailable` when they are lost.
        """
        self.hold()
        if self.opening is None or not self.opening.relayed:
            return self.log
        decoder = dialect.decoder()
        frames = (_written(event) for event in self.log if isinstance(event, Frame))
        found = [event for frame in frames for event in decoder.feed(frame)]
        return [*found, *decoder.finish()]

    def hold(self) -> None:
        """Raise `Unavailable` when the events are gone."""
        if self.spilled:
            raise Unavailable("The answer grew too long to be given twice; ask again.", retry_after=1.0)

    def _takes(self, more: int) -> bool:
        taken = self._room.take(more, beside=self._weight)
        self._weight += more if taken else 0
        return taken

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)


class Listener:
    """Reads a kept answer from its beginning, beside its first caller or after it; the face of `running.Run`.

    `patient`: its first caller is there as well, and may be slower.
    """

    def __init__(self, kept: Kept, *, patient: bool = False) -> None:
        self._kept = kept
        self._at = 0
        self._left = False
        self._patient = patient
        kept.run.join(patient=patient)

    @property
    def opening(self) -> Opening | None:
        """Who answers."""
        return self._kept.opening

    @property
    def collapse(self) -> str:
        """By which rule the answer was kept, as its run says."""
        return self._kept.run.collapse

    @property
    def cache(self) -> CacheStatus:
        """What its run says of the cache."""
        return self._kept.run.cache

    @property
    def age(self) -> int:
        """How old its run says the answer is, in seconds."""
        return self._kept.run.age

    @property
    def similarity(self) -> float | None:
        """How alike its run says the words are that the answer was made for; None for these very words."""
        return self._kept.run.similarity

    @property
    def ended(self) -> bool:
        """Whether the request is over."""
        return self._kept.run.ended

    async def opened(self, seconds: float) -> Opening | None:
        """Wait until the answer begins or the request is over. None when neither happened in time, or it is over."""
        while self.opening is None and not self.ended:
            if not await self._kept.grown(seconds):
                return None
        return self.opening

    async def take(self, seconds: float, _straight: Straight | None = None) -> list[Event]:
        """All events that are new, waiting up to `seconds` for the first; none goes straight to the caller.

        Raises `Unavailable` when they are lost.
        """
        kept = self._kept
        if self._at == len(kept.log) and not self.ended:
            await kept.grown(seconds)
        kept.hold()
        events = kept.log[self._at :]
        self._at = len(kept.log)
        return events

    def leave(self) -> None:
        """This reader is gone."""
        if not self._left:
            self._left = True
            self._kept.run.part(patient=self._patient)

    async def result(self) -> Outcome:
        """The outcome, whenever it comes. Raises `GatewayError`."""
        try:
            while not self.ended:
                await self._kept.grown(60.0)
            return await self._kept.run.result()
        finally:
            self.leave()


def _weight(event: Event) -> int:
    if isinstance(event, Frame):
        return EVENT + getsizeof(event.data)
    if isinstance(event, TextDelta | ThinkingDelta | RefusalDelta):
        return EVENT + getsizeof(event.text)
    return EVENT + getsizeof(repr(event))


def _written(frame: Frame) -> bytes:
    """A frame as its provider wrote it, near enough for a decoder."""
    lines = [f"event: {frame.event}"] if frame.event else []
    lines += [f"data: {line}" for line in frame.data.split("\n")]
    return ("\n".join(lines) + "\n\n").encode("utf-8", "surrogatepass")
