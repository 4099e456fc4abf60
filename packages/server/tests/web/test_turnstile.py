"""A few begin at a time, in turn by account; what is too much is told so, and told when to come again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.web.turnstile import Turnstile, TurnstileOptions

BUSY = 0.001
"""Seconds a turn of the loop takes while others are on their way."""


@dataclass
class Clock:
    """Moves when it is looked at: every turn of the loop takes so long."""

    turn: float = BUSY
    at: float = 1_000.0

    def monotonic(self) -> float:
        self.at += self.turn
        return self.at


@dataclass
class Gate:
    """A turnstile and who passed it, in order."""

    turnstile: Turnstile
    clock: Clock
    passed: list[str] = field(default_factory=list)
    gone: int = 0
    callers: list["asyncio.Task[None]"] = field(default_factory=list)

    async def come(self, account: str, size: int = 0) -> None:
        if not self.turnstile.passes(account):
            await self.turnstile.wait(account, size)
        self.passed.append(account)

    def leave(self) -> None:
        """The one that has been on its way for longest calls its provider."""
        self.turnstile.left(self.passed[self.gone])
        self.gone += 1

    async def sent(self, account: str, count: int = 1, size: int = 0) -> list["asyncio.Task[None]"]:
        tasks = [asyncio.create_task(self.come(account, size)) for _ in range(count)]
        self.callers += tasks
        await turns(3)
        return tasks


@asynccontextmanager
async def gate(clock: Clock | None = None, **options: float) -> AsyncIterator[Gate]:
    """At the end of the block all callers are gone, and so is the line."""
    seen = clock or Clock()
    told = TurnstileOptions(**{"begun": 2, "idle": 0.0002, **options})  # type: ignore[arg-type] # whole or not
    at_the_gate = Gate(Turnstile(seen, told), seen)  # type: ignore[arg-type] # only that of the clock
    yield at_the_gate
    for caller in at_the_gate.callers:
        caller.cancel()
    await asyncio.gather(*at_the_gate.callers, return_exceptions=True)
    assert at_the_gate.turnstile.waiting == 0


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def until(held: Callable[[], bool]) -> None:
    for _ in range(20_000):
        if held():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


async def refused(waiting: Awaitable[None]) -> Unavailable:
    with pytest.raises(Unavailable) as told:
        await waiting
    return told.value


async def test_so_many_begin_at_once_and_the_next_when_one_of_them_is_under_way() -> None:
    async with gate() as here:
        await here.sent("acc_one", 5)
        assert len(here.passed) == 2
        assert here.turnstile.waiting == 3
        here.leave()
        await turns(3)
        assert len(here.passed) == 3


async def test_a_loop_with_nothing_to_do_lets_all_in_however_long_the_others_take() -> None:
    async with gate(Clock(turn=0.0001)) as here:
        await here.sent("acc_one", 50)
        await until(lambda: len(here.passed) == 50)


async def test_an_account_with_nothing_on_its_way_does_not_wait_for_a_flood() -> None:
    async with gate() as here:
        await here.sent("acc_flood", 300)
        here.leave()
        await turns(3)
        await here.sent("acc_quiet", 3)
        assert here.passed == ["acc_flood"] * 3 + ["acc_quiet"]
        for _ in range(6):
            here.leave()
            await turns(3)
        assert here.passed.count("acc_quiet") == 3


async def test_large_bodies_cost_an_account_its_turns() -> None:
    async with gate() as here:
        await here.sent("acc_first", 2)
        await here.sent("acc_large", 20, size=160 * 1024)
        await here.sent("acc_small", 20)
        for _ in range(22):
            here.leave()
            await turns(3)
        assert here.passed.count("acc_small") >= 18
        assert here.passed.count("acc_large") >= 2


async def test_an_account_cannot_fill_the_line_for_others() -> None:
    async with gate(most=20, most_of_one=100) as here:
        flood = await here.sent("acc_flood", 22)
        quiet = await here.sent("acc_quiet")
        assert here.turnstile.waiting == 20
        assert not quiet[0].done()
        for _ in range(2):
            here.leave()
            await turns(3)
        assert quiet[0].done()
        assert sum(task.done() for task in flood) <= 3


async def test_who_finds_his_account_with_too_many_in_line_is_refused_and_told_when_to_come() -> None:
    async with gate(most_of_one=3, refusing=0.05) as here:
        await here.sent("acc_flood", 5)
        [late] = await here.sent("acc_flood")
        assert not late.done(), "refusals are held back: who asks again at once would cost more than who is served"
        error = await refused(late)
        assert error.code == "unavailable"
        assert error.retry_after == 1.0
        assert here.turnstile.shed == 1


async def test_when_nobody_waits_any_more_refusals_are_told_at_once() -> None:
    async with gate(most_of_one=1, refusing=1e9) as here:
        await here.sent("acc_flood", 3)
        [late] = await here.sent("acc_flood")
        assert not late.done()
        here.leave()
        await refused(late)


async def test_only_so_many_refusals_are_held_back() -> None:
    async with gate(most_of_one=1, refusing=1e9, most_refused=2) as here:
        await here.sent("acc_flood", 3)
        late = await here.sent("acc_flood", 5)
        assert [task.done() for task in late] == [False, False, True, True, True]
        for task in late[2:]:
            await refused(task)


async def test_a_line_that_would_take_too_long_is_cut_at_its_end_and_retry_after_follows_its_pace() -> None:
    async with gate(line=0.5, look=0.1, standing=0.2, least=4, refusing=0.01) as here:
        waiting = await here.sent("acc_flood", 300)

        async def serve() -> None:
            while True:
                here.clock.at += 0.02
                here.leave()
                await turns(2)

        serving = asyncio.create_task(serve())
        error = await refused(waiting[-1])
        assert here.turnstile.waiting <= 30, "as many as fifty a second make of half a second, or fewer"
        assert here.turnstile.shed > 200
        assert error.retry_after == 1.0
        assert len(here.passed) < 70
        assert all(not task.done() or not task.exception() for task in waiting[: len(here.passed)])
        serving.cancel()


async def test_who_is_stopped_in_line_takes_no_turn_even_when_it_was_just_given() -> None:
    async with gate(begun=1) as here:
        await here.sent("acc_one")
        [stopped] = await here.sent("acc_one")
        here.leave()
        await until(lambda: here.turnstile.waiting == 0)
        stopped.cancel()
        await turns(3)
        assert here.passed == ["acc_one"]
        assert here.turnstile.passes("acc_one"), "the turn it was given is another's"


async def test_who_is_stopped_before_its_turn_leaves_the_line() -> None:
    async with gate(begun=1) as here:
        await here.sent("acc_one")
        [stopped, _] = await here.sent("acc_one", 2)
        stopped.cancel()
        await turns(3)
        assert here.turnstile.waiting == 1
        here.leave()
        await until(lambda: here.passed == ["acc_one", "acc_one"])
