"""A run tells its outcome once, also when its work was stopped before it began."""

import asyncio

import pytest

from monkey_coder_server.domain.errors import GatewayError, Unavailable
from monkey_coder_server.features.inference.running import Run, Running


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
