"""A step is stopped when its time is over, and nothing but that step."""

import asyncio

import pytest

from monkey_coder_server.web import within
from monkey_coder_server.web.within import Within


async def test_a_step_that_is_over_in_time_is_left_alone() -> None:
    with Within(0.01) as bound:
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)
    assert not bound.expired


async def test_a_step_that_takes_longer_is_stopped() -> None:
    with pytest.raises(TimeoutError), Within(0.001) as bound:
        await asyncio.sleep(5)
    assert bound.expired


async def test_no_time_at_all_stops_at_the_first_wait() -> None:
    with pytest.raises(TimeoutError), Within(-1):
        await asyncio.sleep(5)


async def test_a_stopped_task_can_go_on() -> None:
    with pytest.raises(TimeoutError), Within(0.001):
        await asyncio.sleep(5)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_a_cancellation_from_elsewhere_is_no_timeout() -> None:
    async def work() -> None:
        with Within(5):
            await asyncio.sleep(5)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_from_elsewhere_in_the_same_moment_goes_on() -> None:
    async def work() -> None:
        with Within(0):
            await asyncio.sleep(5)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_the_error_of_a_step_is_not_covered_by_its_timeout() -> None:
    async def fail_when_stopped() -> None:
        with Within(0.001):
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                raise KeyError from None

    with pytest.raises(KeyError):
        await fail_when_stopped()


async def test_of_two_bounds_the_one_that_is_over_raises() -> None:
    with Within(5) as outer:
        with pytest.raises(TimeoutError), Within(0.001):
            await asyncio.sleep(5)
        await asyncio.sleep(0)
    assert not outer.expired


async def test_a_bound_can_be_shortened_but_not_extended() -> None:
    with Within(5) as bound:
        bound.shorten(1)
        sooner = bound.ends
        bound.shorten(10)
        assert bound.ends == sooner < asyncio.get_running_loop().time() + 2


async def test_a_shortened_bound_stops_the_step() -> None:
    async def work() -> None:
        with Within(5) as bound:
            bound.shorten(0.001)
            await asyncio.sleep(5)

    with pytest.raises(TimeoutError):
        await work()


def test_only_a_task_can_be_stopped() -> None:
    loop = asyncio.new_event_loop()
    problems: list[BaseException] = []

    def outside_of_any_task() -> None:
        try:
            Within(1)
        except RuntimeError as error:
            problems.append(error)
        loop.stop()

    loop.call_soon(outside_of_any_task)
    loop.run_forever()
    loop.close()
    assert [str(problem) for problem in problems] == ["only a task can be stopped"]


async def test_many_bounds_expire_each_at_its_own_time() -> None:
    stopped: list[int] = []

    async def work(number: int) -> None:
        try:
            with Within(0.01 * number):
                await asyncio.sleep(5)
        except TimeoutError:
            stopped.append(number)

    await asyncio.gather(*(work(number) for number in (5, 1, 20, 10)))
    assert stopped == [1, 5, 10, 20]


async def test_a_long_bound_ends_when_it_is_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(within, "LONG_SECONDS", 0.04)
    monkeypatch.setattr(within, "ROUND_SECONDS", 0.02)
    loop = asyncio.get_running_loop()
    over: list[tuple[str, bool]] = []

    async def work(name: str, seconds: float) -> None:
        bound = Within(seconds)
        try:
            with bound:
                await asyncio.sleep(0.15 if name == "left" else 5)
        except TimeoutError:
            over.append((name, loop.time() >= bound.ends))
        else:
            over.append((name, bound.expired))

    await asyncio.gather(work("long", 0.2), work("short", 0.01), work("longer", 0.3), work("left", 0.25))
    assert over == [("short", True), ("left", False), ("long", True), ("longer", True)]


async def test_a_long_bound_that_was_moved_ends_when_it_is_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(within, "LONG_SECONDS", 0.04)
    monkeypatch.setattr(within, "ROUND_SECONDS", 0.02)
    loop = asyncio.get_running_loop()

    async def work() -> None:
        with Within(0.1) as bound:
            ends = bound.ends
            bound.shorten(0.01)
            bound.lengthen(ends)
            await asyncio.sleep(5)

    begun = loop.time()
    with pytest.raises(TimeoutError):
        await work()
    assert loop.time() >= begun + 0.1
    with Within(0.1) as left:
        left.shorten(0.01)
        left.lengthen(left.ends + 0.1)
    await asyncio.sleep(0.15)
    assert not left.expired


async def test_a_bound_that_was_shortened_can_be_given_back() -> None:
    with Within(5) as bound:
        ends = bound.ends
        bound.shorten(0.001)
        bound.lengthen(ends)
        await asyncio.sleep(0.01)
        bound.lengthen(ends - 1)
    assert (bound.ends, bound.expired) == (ends, False)
