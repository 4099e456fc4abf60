"""What was learnt is settled between requests, while the gateway runs."""

import asyncio

import pytest

from monkey_coder_server.features.inference.beliefs import Signal
from monkey_coder_server.features.inference.learning import Learning
from monkey_coder_server.features.inference.outcomes import ServedBy
from monkey_coder_server.features.inference.study import Study
from packages.server.tests.features.inference.world import LoopClock

BY = ServedBy("acct_1", "openai/gpt-big", "testing", "test", "python")


async def test_it_settles_again_and_again_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    learning = Learning(LoopClock())
    settled = asyncio.Event()
    monkeypatch.setattr(learning.beliefs, "settle", lambda _: settled.set())
    study = Study(learning, seconds=0.001)
    await study.start()
    for number in range(2):
        settled.clear()
        learning.beliefs.report(f"req_{number}", BY, Signal(1.0, 1.0))
        await asyncio.wait_for(settled.wait(), 5)
    await study.stop()


async def test_what_is_left_is_settled_at_the_end_even_if_it_never_began() -> None:
    learning = Learning(LoopClock())
    learning.beliefs.report("req_1", BY, Signal(1.0, 1.0))
    await Study(learning, seconds=60.0).stop()
    assert learning.beliefs.unsettled() is None
