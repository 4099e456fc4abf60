"""`ports.quotas.Quotas`: limits are admitted from parts in memory; what is missing is asked of a bank, if there is one.

Without a bank each of the processes of one host has a fixed share, and there is nobody to ask.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from monkey_coder_server.adapters.limiter.branch import Branch
from monkey_coder_server.domain.quota import Cell, Part, fixed_share
from monkey_coder_server.domain.rates import Bound, Measure
from monkey_coder_server.ports.quotas import Refusal, Standing, Take

_new = tuple.__new__
"""Makes a named tuple in half the time its class takes."""
RECALL_SECONDS = 0.15
"""How long a request waits for what others may give up, before it is refused."""
STANDS_SECONDS = 0.25
"""A refusal holds for further requests so long."""
LONGEST_WAIT = 3.0
IDLE_SECONDS = 120.0
"""A limit nobody asked for in this time is forgotten."""
Sleep = Callable[[float], Awaitable[None]]
ALONE = (0, 1)
"""The only process of its host."""


class Pass:
    """What a request holds of its limits."""

    __slots__ = ("_taken",)

    def __init__(self, taken: list[tuple[Part, int, Cell | None]]) -> None:
        self._taken = taken

    def settle(self, tokens: int) -> None:
        """Give back its places and what it reserved beyond the tokens it used."""
        for part, amount, cell in self._taken:
            if part.measure is Measure.CONCURRENCY:
                part.give_back(amount, cell)
            elif part.measure is Measure.TOKENS and tokens < amount:
                part.give_back(amount - tokens, cell)
        self._taken = []

    def cancel(self) -> None:
        """Give back everything."""
        for part, amount, cell in self._taken:
            part.give_back(amount, cell)
        self._taken = []


class LimiterQuotas:
    """`monotonic` in seconds. With a `branch` of the bank parts move between processes.

    Else each has a fixed share: `place` says which one this is, counted from 0, of how many on this host.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        branch: Branch | None = None,
        *,
        place: tuple[int, int] = ALONE,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._branch = branch
        self._place = place
        self._parts: dict[str, Part] = {} if branch is None else branch.parts
        self._sleep = sleep
        self._swept_at = 0.0

    async def admit(self, takes: Sequence[Take]) -> Pass | Refusal:
        """Take all or nothing. What is missing is asked for, and once more after the others had time to give it up."""
        now = self._monotonic()
        for bound, amount in takes:
            if self._part(bound, now).free(now) < amount:
                break
        else:
            return self._taken(takes, now)
        short = self._short(takes, now)
        if self._branch is not None and not any(self._hopeless(take, now) for take in short):
            short = await self._obtain(self._branch, takes, short)
            now = self._monotonic()
            if not short:
                return self._taken(takes, now)
        return self._refusal(short, now)

    async def _obtain(self, branch: Branch, takes: Sequence[Take], short: list[Take]) -> list[Take]:
        """Ask the bank for what is missing, and once more when others have had time to give it up; what still is.

        A bank that only listens for now is asked until it gives again.
        """
        now = self._monotonic()
        ends, asks = now + LONGEST_WAIT, 2
        while short and asks and now < ends:
            if not await self._ask(branch, short, now):
                return self._short(takes, self._monotonic())
            asks -= not branch.young
            short = self._short(takes, self._monotonic())
            if short and asks:
                await self._sleep(RECALL_SECONDS)
                now = self._monotonic()
                short = self._short(takes, now)
        return short

    def standing(self, bound: Bound) -> Standing:
        """How a bound stands in this process's eyes."""
        now = self._monotonic()
        part = self._part(bound, now)
        left = max(0, part.free(now) + part.spare)
        return _new(Standing, (bound, min(left, bound.allowed), part.reset(now)))

    def _short(self, takes: Sequence[Take], now: float) -> list[Take]:
        return [take for take in takes if self._part(take.bound, now).free(now) < take.amount]

    def _taken(self, takes: Sequence[Take], now: float) -> Pass:
        parts = self._parts
        return Pass([(part := parts[bound.subject], amount, part.take(amount, now)) for bound, amount in takes])

    def _part(self, bound: Bound, now: float) -> Part:
        part = self._parts.get(bound.subject)
        if part is None:
            if self._branch is None and now - self._swept_at > IDLE_SECONDS:
                self._sweep(now)
            part = Part(bound.subject, bound.measure, bound.allowed, self._share(bound))
            self._parts[bound.subject] = part
            part.asked_at = now
            if self._branch is not None:
                self._branch.tell(part)
        elif part.allowed != bound.allowed:
            part.revise(bound.allowed)
            if self._branch is None:
                part.held = self._share(bound)
        return part

    def _share(self, bound: Bound) -> int:
        if self._branch is None:
            return fixed_share(bound.allowed, *self._place)
        return self._branch.share(bound.measure, bound.allowed)

    def _sweep(self, now: float) -> None:
        """Forget the limits nobody asks for; where nobody shares them, a part is made anew as it was."""
        self._swept_at = now
        for subject in [part.subject for part in self._parts.values() if part.idle(now, IDLE_SECONDS)]:
            del self._parts[subject]

    def _hopeless(self, take: Take, now: float) -> bool:
        return take.amount > take.bound.allowed or now < self._parts[take.bound.subject].refused_until

    async def _ask(self, branch: Branch, short: Sequence[Take], now: float) -> bool:
        """Whether the bank answered."""
        asking = [self._parts[take.bound.subject] for take in short]
        for part, take in zip(asking, short, strict=True):
            part.wish(take.amount, now)
        return await branch.ask(asking)

    def _refusal(self, short: Sequence[Take], now: float) -> Refusal:
        """By the limit that asks for the longest wait."""
        worst, wait = short[0], -1.0
        for take in short:
            part = self._part(take.bound, now)
            seconds = part.wait(min(take.amount, take.bound.allowed), now)
            if now >= part.refused_until:
                part.refused_until = now + STANDS_SECONDS
            if seconds > wait:
                worst, wait = take, seconds
        return Refusal(self.standing(worst.bound), wait)
