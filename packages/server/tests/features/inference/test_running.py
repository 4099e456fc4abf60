"""A run tells its outcome once, also when its work was stopped before it began."""

import asyncio
from collections.abc import Sequence

import pytest

from monkey_coder_server.domain.errors import GatewayError, Unavailable
from monkey_coder_server.domain.stream_events import Event, TextDelta
from monkey_coder_server.features.inference.running import BUFFERED_EVENTS, Opening, Run, Running, Step

A, B, C = TextDelta("a"), TextDelta("b"), TextDelta("c")
SECONDS = 60.0


class Caller:
    """Takes events straight as long as it is `free`, and what is left in the order in which its task is woken."""

    def __init__(self, run: Run[str]) -> None:
        self.run = run
        self.got: list[Event] = []
        self.turns = 0
        self.free = True
        self.raises: Exception | None = None

    def straight(self, events: Sequence[Event]) -> bool:
        if self.raises is not None:
            raise self.raises
        if self.free:
            self.got.extend(events)
        return self.free

    async def read(self) -> None:
        while not self.run.ended:
            events = await self.run.take(SECONDS, self.straight)
            self.turns += 1
            self.got.extend(events)
            await asyncio.sleep(0.001)


async def test_work_that_is_stopped_before_its_first_step_ends_its_run() -> None:
    running, run = Running(), Run[str]()

    async def never_begun() -> None:
        pytest.fail("it was stopped before")

    others = asyncio.all_tasks()
    running.start(run, never_begun())
    [task] = asyncio.all_tasks() - others
    task.cancel()
    with pytest.raises(Unavailable):
        await run.result()
    assert len(running) == 0


async def test_only_the_first_outcome_counts() -> None:
    run = Run[str]()
    run.end("served")
    run.end(GatewayError("too late"))
    assert await run.result() == "served"


async def test_what_comes_while_the_caller_waits_goes_straight_to_it() -> None:
    run = Run[str]()
    caller = Caller(run)
    reading = asyncio.create_task(caller.read())
    await asyncio.sleep(0)
    await run.push([A])
    await run.push([B, C])
    assert (caller.got, caller.turns) == ([A, B, C], 0)
    run.end("served")
    await reading
    assert (caller.got, caller.turns) == ([A, B, C], 1)


async def test_what_a_slow_caller_cannot_take_at_once_waits_and_nothing_overtakes_it() -> None:
    run = Run[str]()
    caller = Caller(run)
    reading = asyncio.create_task(caller.read())
    await asyncio.sleep(0)
    caller.free = False
    await run.push([A])
    caller.free = True
    await run.push([B])
    assert not caller.got
    await asyncio.sleep(0)
    await run.push([C])  # its task still writes
    assert caller.got == [A, B]
    await asyncio.sleep(0.01)
    assert caller.got == [A, B, C]
    run.end("served")
    await reading


@pytest.mark.parametrize("told", ["opening", "step"])
async def test_nothing_overtakes_what_the_caller_is_to_be_told_before(told: str) -> None:
    run = Run[str]()
    caller = Caller(run)
    reading = asyncio.create_task(caller.read())
    await asyncio.sleep(0)
    if told == "step":
        run.tell([Step("draft", {})])
    else:
        run.open(Opening("openai", "gpt-big"))
    await run.push([A])
    assert not caller.got
    run.end("served")
    await reading
    assert caller.got == [A]


async def test_an_error_in_writing_is_the_callers_and_the_pipeline_goes_on() -> None:
    run = Run[str]()
    caller = Caller(run)
    caller.raises = ValueError("a frame that cannot be written")
    reading = asyncio.create_task(caller.read())
    await asyncio.sleep(0)
    await run.push([A])
    with pytest.raises(ValueError, match="cannot be written"):
        await reading
    await run.push([B])


async def test_a_whole_answer_is_pushed_as_fast_as_it_is_read() -> None:
    run = Run[str]()
    pushing = asyncio.create_task(run.push_all([A] * 3 * BUFFERED_EVENTS))
    await asyncio.sleep(0.01)
    assert not pushing.done()
    taken = [len(await run.take(SECONDS)) for _ in range(3)]
    await pushing
    assert taken == [BUFFERED_EVENTS] * 3
