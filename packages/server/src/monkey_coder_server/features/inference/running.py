"""Requests in flight: each owns its task, so that a caller who hangs up changes nothing in the books."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

from monkey_coder_server.domain.cache_control import CacheStatus
from monkey_coder_server.domain.errors import GatewayError, Unavailable
from monkey_coder_server.domain.stream_events import Event
from monkey_coder_server.ports.record import Record
from monkey_coder_server.web.within import Within

T = TypeVar("T")
P = ParamSpec("P")
T_contra = TypeVar("T_contra", contravariant=True)
Straight = Callable[[Sequence[Event]], bool]
"""Passes events on to the caller at once; False where it cannot, and has passed on none of them."""
_NOT_OVER = GatewayError("a run has a result only when it is over")
BUFFERED_EVENTS = 256
"""More than this unread and the provider is read no faster than the caller reads us."""


def after_the_answer(call: Callable[P, object], *arguments: P.args, **named: P.kwargs) -> None:
    """Call it once what ends a request has left, said in the turn of the loop in which its outcome is told.

    In the next turn whoever waits for the outcome writes it, and the loop sends what a turn has written at its end.
    Whatever the caller asks next comes later than that, and so finds it called.
    """
    loop = asyncio.get_running_loop()
    loop.call_soon(loop.call_soon, partial(call, *arguments, **named))


class Opening(Record, frozen=True):
    """The model answers: what a stream's headers can say."""

    provider: str
    model: str
    relayed: bool = False
    """What is pushed are frames of the caller's own dialect."""
    dropped: tuple[str, ...] = ()
    """Parameters the model does not take."""


class Step(Record, frozen=True):
    """Something was done on the way to an answer: a word for it, and its facts."""

    name: str
    facts: Mapping[str, Any]


class Echo(Protocol[T_contra]):
    """Told everything a run says, from its beginning and whether or not its caller is still there."""

    def opened(self, opening: Opening) -> None:
        """The model answers."""

    def heard(self, event: Event) -> None:
        """One event."""

    def over(self, outcome: T_contra | GatewayError) -> None:
        """The request is over."""


class Run(Generic[T]):
    """One request in flight. The pipeline pushes events, the caller's side takes them; either may stop first.

    `stall` is how many seconds a caller may leave the buffer full before counting as gone. Others may read the answer
    by an echo beside the caller (`join`) until they are done with it (`part`).
    """

    def __init__(self, *, stall: float = 30.0) -> None:
        self._stall = stall
        self._events: deque[Event] = deque()
        self._steps: list[Step] = []
        self._straight: Straight | None = None
        self._broken: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._on_leave: Callable[[], None] | None = None
        self._on_return: Callable[[], None] | None = None
        self._echoes: tuple[Echo[T], ...] = ()
        self._others = self._patient = 0
        self._outcome: T | GatewayError = _NOT_OVER
        self.opening: Opening | None = None
        self.collapse = ""
        """By which rule one of several answers is kept, or that one was enough; empty where none were asked for."""
        self.cache = CacheStatus.BYPASS
        self.age = 0
        """Seconds since an answer was made that is given again."""
        self.similarity: float | None = None
        """Of the words it was made for, where those are others."""
        self.client_gone = False
        self.ended = False

    # The pipeline's side

    def open(self, opening: Opening) -> None:
        """Say who answers; from here on an error can only be told inside the stream."""
        self.opening = opening
        self._rouse()
        for echo in self._echoes:
            echo.opened(opening)

    def tell(self, steps: Iterable[Step]) -> None:
        """Say what was done before there is an answer to pass on. An error can then only be told inside the stream."""
        if not self.client_gone:
            self._steps.extend(steps)
            self._rouse()

    async def push(self, events: Sequence[Event]) -> None:
        """Hand on some events; waits while the caller's buffer is full, for `stall` seconds at most."""
        for echo in self._echoes:
            for event in events:
                echo.heard(event)
        if self.client_gone or (self._straight is not None and self._passed(self._straight, events)):
            return
        self._events.extend(events)
        self._rouse()
        if len(self._events) >= BUFFERED_EVENTS and not self._patient:
            self._writer = asyncio.get_running_loop().create_future()
            try:
                with Within(self._stall):
                    await self._writer
            except TimeoutError:
                self.leave()

    async def push_all(self, events: Sequence[Event]) -> None:
        """Hand on an answer that is there already, as fast as the caller reads it."""
        for start in range(0, len(events), BUFFERED_EVENTS):
            await self.push(events[start : start + BUFFERED_EVENTS])

    def when_left(self, callback: Callable[[], None], returned: Callable[[], None]) -> None:
        """Call back once nobody waits any more, at once when that is so already; `returned`: somebody does again."""
        self._on_leave, self._on_return = callback, returned
        if self.deserted:
            callback()

    @property
    def deserted(self) -> bool:
        """Whether nobody waits for the answer."""
        return self.client_gone and not self._others

    def end(self, outcome: T | GatewayError) -> None:
        """The request is over. Only the first outcome counts."""
        if not self.ended:
            self.ended = True
            self._outcome = outcome
            self._on_leave = self._on_return = None  # who was to be called holds this run: garbage for the collector
            self._rouse()
            echoes, self._echoes = self._echoes, ()
            for echo in echoes:
                echo.over(outcome)

    # The caller's side

    async def opened(self, seconds: float) -> Opening | None:
        """Wait until the answer begins or the request is over.

        None when neither happened in time, or it is over, or there are steps to be told before.
        """
        while self.opening is None and not self.ended and not self._steps:
            if not await self._wait(seconds):
                return None
        return self.opening

    async def take(self, seconds: float, straight: Straight | None = None) -> list[Event]:
        """All events that are there, waiting up to `seconds` for the first, or a step.

        What comes while it waits goes `straight` to the caller, as long as it can: the wait goes on. Empty when nothing
        else came or all is over. Raises what `straight` did.
        """
        if not self._events and not self._steps and not self.ended and not self.client_gone:
            self._straight = straight
            try:
                await self._wait(seconds)
            finally:
                self._straight = None
        if self._broken is not None:
            raise self._broken
        events = list(self._events)
        self._events.clear()
        _wake(self._writer)
        return events

    def steps(self) -> list[Step]:
        """What was done since this was asked before."""
        steps, self._steps = self._steps, []
        return steps

    def leave(self) -> None:
        """The caller is gone: nothing more is kept for it."""
        if self.client_gone or self.ended:
            return
        self.client_gone = True
        self._events.clear()
        _wake(self._writer)
        self._rouse()
        self._note_desertion()

    def echo(self, echo: Echo[T]) -> None:
        """Tell somebody else everything, too; before anything was said."""
        self._echoes = (*self._echoes, echo)

    def join(self, *, patient: bool = False) -> None:
        """Somebody else reads the answer. A caller who leaves the buffer full is gone at once: both would wait.

        `patient`: it is not gone, and nobody waits for it; its buffer grows while that lasts, as the echo's does.
        """
        self._others += 1
        if patient:
            self._patient += 1
            _wake(self._writer)
        else:
            self._stall = 0.0
            if len(self._events) >= BUFFERED_EVENTS:
                self.leave()
        if self.client_gone and self._on_return is not None:
            self._on_return()

    def part(self, *, patient: bool = False) -> None:
        """Somebody else is done with the answer, or gone; said as it joined."""
        self._others -= 1
        self._patient -= patient
        self._note_desertion()

    def _rouse(self) -> None:
        """Wake the caller's side. What comes from now on queues up behind what it is to see."""
        self._straight = None
        _wake(self._reader)

    def _passed(self, straight: Straight, events: Sequence[Event]) -> bool:
        """Whether events went straight to the caller. An error in that is the caller's side's, not the pipeline's."""
        try:
            return straight(events)
        except Exception as broken:  # noqa: BLE001 - raised by `take`, where the same would have been raised
            self._broken = broken
            self._rouse()
            return True

    def _note_desertion(self) -> None:
        if self.deserted and not self.ended and self._on_leave is not None:
            self._on_leave()

    async def result(self) -> T:
        """The outcome, whenever it comes. Raises `GatewayError`. Being cancelled here does not stop the request."""
        try:
            while not self.ended:
                await self._woken()
        except asyncio.CancelledError:
            self.leave()
            raise
        outcome = self._outcome
        if isinstance(outcome, GatewayError):
            raise outcome
        return outcome

    async def _wait(self, seconds: float) -> bool:
        try:
            with Within(seconds):
                await self._woken()
        except TimeoutError:
            return False
        return True

    def _woken(self) -> "asyncio.Future[None]":
        """To be awaited until there is something for the caller's side."""
        self._reader = asyncio.get_running_loop().create_future()
        return self._reader


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


class Running:
    """Every request in flight, so that a shutdown can wait for their settlements."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[Any], Run[Any] | None] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def keep(self, work: Coroutine[None, None, object]) -> None:
        """Run something to its end that nobody waits for."""
        self.start(None, work)

    def start(self, run: Run[Any] | None, work: Coroutine[None, None, object]) -> None:
        """Begin work in a task of its own, which ends the run where it is one's."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = run
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[Any]) -> None:
        """Let go of a task. One that was stopped before its first step has told its run nothing."""
        run = self._tasks.pop(task)
        if run is not None and not run.ended:
            run.end(Unavailable("The gateway is shutting down; ask again.", retry_after=1.0))

    async def drain(self, seconds: float) -> int:
        """Wait for what runs, `seconds` at most; stop the rest, and wait as long for their settlements. How many."""
        late = await self._late(seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
            await self._late(seconds)
        return len(late)

    async def _late(self, seconds: float) -> set[asyncio.Task[Any]]:
        """What still runs after a while, also of what was begun meanwhile."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        while self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=max(0.0, ends - loop.time()))
            if late:
                break
        return set(self._tasks)
