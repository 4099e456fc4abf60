"""A few requests at a time are on their way to a provider, and accounts take turns: a flood is in nobody's way.

Whatever is ready runs in one turn of the event loop, so a hundred requests that begin together make everybody wait for
all of them. Here one begins when another has called its provider, or when the loop had a turn with next to nothing to
do: then those that have begun wait for a disk, and the processor would be idle.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.domain.fair_queue import FairQueue
from monkey_coder_server.ports.clock import Clock

BYTES_AT_NO_COST = 16 * 1024
"""A body of so many bytes more costs an account as much as one more request."""
LONGEST_RETRY_SECONDS = 60.0
_OVERLOADED = (
    "More is asked of this gateway than it can do, and most of what waits is this account's; "
    "wait as long as Retry-After says, and send less at a time."
)


@dataclass(frozen=True, slots=True)
class TurnstileOptions:
    """`begun` requests are on their way at a time, and one of each account that has none on its way besides.

    A turn of the loop shorter than `idle` lets in one more. Seconds: `line` is the longest that all who wait may take
    at the present pace, judged every `look`. When it stays longer for `standing`, those who came last are sent away.
    `least` wait whatever the pace, no more than `most`, and of one account `most_of_one`. Who is refused hears of it
    after `refusing`, so that refusals take no more of the gateway than work does; only `most_refused` wait for that.
    """

    begun: int = 8
    idle: float = 0.0002
    line: float = 2.0
    look: float = 0.25
    standing: float = 1.0
    least: int = 32
    most: int = 1_024
    most_of_one: int = 512
    refusing: float = 5.0
    most_refused: int = 2_048


class _Waiting:
    """A request in line: True comes when it may begin, False when it is sent away."""

    __slots__ = ("account", "turn")

    def __init__(self, account: str, turn: asyncio.Future[bool]) -> None:
        self.account = account
        self.turn = turn


class Turnstile:
    """Of one process. `shed` counts who was sent away."""

    def __init__(self, clock: Clock, options: TurnstileOptions = TurnstileOptions()) -> None:
        self._clock = clock
        self._options = options
        self._line = FairQueue[_Waiting]()
        self._refused: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._turning = False
        self._pace = _Pace(options)
        self._begun = 0
        self._of: dict[str, int] = {}
        """Of those that have begun, how many are of each account."""
        self._looked = 0.0
        self.shed = 0

    @property
    def waiting(self) -> int:
        """How many requests are in line."""
        return len(self._line)

    @property
    def accounts(self) -> int:
        """Of how many accounts."""
        return self._line.accounts

    def passes(self, account: str) -> bool:
        """Whether an account's request may begin at once; then it must say when it has `left`."""
        if self._turning or self._begun >= self._options.begun:
            return False
        self._let_in(account)
        return True

    def left(self, account: str) -> None:
        """A request of an account that began is done, or waits for somebody else."""
        self._begun -= 1
        left = self._of.pop(account, 0) - 1
        if left > 0:
            self._of[account] = left

    async def wait(self, account: str, size: int) -> None:
        """Wait for a turn, for a request with a body of so many bytes. Raises `Unavailable` for who is sent away."""
        line, options = self._line, self._options
        me = _Waiting(account, asyncio.get_running_loop().create_future())
        full = line.waiting(account) >= options.most_of_one
        if not full:
            line.join(account, me, 1 + size // BYTES_AT_NO_COST)
            if len(line) > self._pace.room:
                self._send_one_away()
            self._take_turns()
            try:
                full = not await me.turn
            except asyncio.CancelledError:
                if not line.leave(account, me) and not me.turn.cancelled() and me.turn.result():
                    self.left(account)
                raise
        if full:
            await self._reluctantly()
            raise Unavailable(_OVERLOADED, retry_after=self._retry_after(account))

    def _turn(self) -> None:
        """Once in each turn of the loop while anybody waits."""
        now = self._clock.monotonic()
        took, self._looked = now - self._looked, now
        if self._begun < self._options.begun or took < self._options.idle or self._line.first not in self._of:
            self._let_first_in(now)
        if self._refused and (not self._line or self._refused[0][0] <= now):
            _, told = self._refused.popleft()
            if not told.done():
                told.set_result(None)
        if self._line or self._refused:
            asyncio.get_running_loop().call_soon(self._turn)
        else:
            self._turning = False
            self._pace.forget()

    def _take_turns(self) -> None:
        if not self._turning:
            self._turning = True
            self._looked = self._clock.monotonic()
            asyncio.get_running_loop().call_soon(self._turn)

    def _let_in(self, account: str) -> None:
        self._begun += 1
        self._of[account] = self._of.get(account, 0) + 1

    def _let_first_in(self, now: float) -> None:
        waiting = self._line.next()
        if waiting is None or waiting.turn.done():
            return
        self._let_in(waiting.account)
        waiting.turn.set_result(True)
        if self._pace.stands(now, len(self._line)):
            while len(self._line) > self._pace.room:
                self._send_one_away()

    def _send_one_away(self) -> None:
        last = self._line.last_of_longest()
        if last is not None and not last.turn.done():
            last.turn.set_result(False)

    async def _reluctantly(self) -> None:
        """Hold a refusal back, unless too many are: a caller that asks again at once costs little then."""
        self.shed += 1
        if len(self._refused) >= self._options.most_refused:
            return
        told = asyncio.get_running_loop().create_future()
        self._refused.append((self._clock.monotonic() + self._options.refusing, told))
        self._take_turns()
        await told

    def _retry_after(self, account: str) -> float:
        """Seconds until all of the account's requests that wait now would have begun."""
        ahead = (1 + self._line.waiting(account)) * max(1, self._line.accounts)
        return min(LONGEST_RETRY_SECONDS, max(1.0, self._pace.seconds(ahead)))


class _Pace:
    """How many begin in a second while others wait, and so how many may wait."""

    def __init__(self, options: TurnstileOptions) -> None:
        self._options = options
        self.forget()

    def forget(self) -> None:
        """Nobody waits: what was seen says nothing of the next time."""
        self._since = 0.0
        self._passed = 0
        self._rate = 0.0
        self._stood = 0.0
        self.room = self._options.most

    def stands(self, now: float, waiting: int) -> bool:
        """One more has begun. Whether the line has been longer than it may be for a while."""
        if not self._since:
            self._since = now
            return False
        self._passed += 1
        took = now - self._since
        if took < self._options.look:
            return False
        rate = self._passed / took
        self._rate = (self._rate + rate) / 2 if self._rate else rate
        self._since, self._passed = now, 0
        self.room = min(self._options.most, max(self._options.least, int(self._rate * self._options.line)))
        self._stood = self._stood + took if waiting > self.room else 0.0
        return self._stood >= self._options.standing

    def seconds(self, requests: int) -> float:
        """How long it takes until so many have begun; 0.0 before that is known."""
        return requests / self._rate if self._rate else 0.0
