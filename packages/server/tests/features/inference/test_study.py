"""What was learnt is settled between requests, shared with other processes, and outlives this one."""

import asyncio

import msgspec
import pytest

from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.domain.work import Work
from monkey_coder_server.features.inference.beliefs import Signal
from monkey_coder_server.features.inference.learning import Learning
from monkey_coder_server.features.inference.outcomes import ServedBy
from monkey_coder_server.features.inference.sharing import KEPT, READ_EVERY, Sharing
from monkey_coder_server.features.inference.study import Study
from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.test_quote_debug_feedback import everything_answers, feedback
from packages.server.tests.features.inference.world import LoopClock, Sums

BY = ServedBy("acct_1", "openai/gpt-big", "testing", "test", "python")
WORK = Work("test", "python", "small")


class Clock(LoopClock):
    """Monotonic time by hand."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


class Process:
    """One process that learns."""

    def __init__(self, name: str, sums: Sums, *, seconds: float = 60.0) -> None:
        self.learning = Learning(LoopClock())
        self.clock = Clock()
        beliefs, clock = self.learning.beliefs, self.clock
        self.study = Study(
            self.learning, [Sharing(beliefs.evidence, beliefs.take, sums, clock, instance=name)], seconds=seconds
        )

    def report(self, request_id: str, quality: float, by: ServedBy = BY) -> None:
        self.learning.beliefs.report(request_id, by, Signal(quality, 1.0))

    def success(self, account: str = "acct_9") -> float:
        value = self.learning.beliefs.expect(WORK, account, {BY.model: 0.8})[0].success
        assert value is not None
        return value


async def test_it_settles_again_and_again_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process("one", Sums(), seconds=0.001)
    settled = asyncio.Event()
    monkeypatch.setattr(process.learning.beliefs, "settle", lambda _: settled.set())
    await process.study.start()
    for number in range(2):
        settled.clear()
        process.report(f"req_{number}", 1.0)
        await asyncio.wait_for(settled.wait(), 5)
    await process.study.stop()


async def test_what_is_left_is_settled_at_the_end_even_if_it_never_began() -> None:
    process = Process("one", Sums())
    process.report("req_1", 1.0)
    await process.study.stop()
    assert process.learning.beliefs.unsettled() is None


async def test_a_new_process_believes_what_another_learnt() -> None:
    sums = Sums()
    before = Process("one", sums)
    await before.study.start()
    for number in range(30):
        before.report(f"req_{number}", 0.0, msgspec.structs.replace(BY, account_id=f"acct_{number}"))
    await before.study.stop()
    after = Process("two", sums)
    await after.study.start()
    assert after.success() == pytest.approx(before.success())
    assert after.success() < 0.4
    await after.study.stop()


async def test_processes_that_run_learn_from_each_other_and_no_account_weighs_more_in_two_than_in_one() -> None:
    sums = Sums()
    one, two, alone = Process("one", sums), Process("two", sums), Process("alone", Sums())
    for process in (one, two):
        await process.study.start()
        for number in range(50):
            process.report(f"{id(process)} {number}", 0.0)
            alone.report(f"{id(process)} {number}", 0.0)
    for process in (alone, one, two, one):
        process.clock.seconds += READ_EVERY
        await process.study.stop()
    for process in (one, two):
        assert process.success() == pytest.approx(alone.success(), abs=0.02)
        assert process.success("acct_1") == pytest.approx(alone.success("acct_1"), abs=0.02)


async def test_what_a_database_that_is_away_missed_is_added_once_when_it_is_back() -> None:
    sums = Sums()
    process = Process("one", sums)
    sums.fail.append(Unavailable("away", retry_after=1.0))
    await process.study.start()
    process.report("req_1", 1.0)
    sums.fail.append(Unavailable("away", retry_after=1.0))
    await process.study.stop()
    assert not sums.kept
    await process.study.stop()
    await process.study.stop()
    assert [tally.rows for tally in sums.kept.values()] == [1.0]


async def test_what_nobody_added_to_for_a_year_is_forgotten() -> None:
    sums = Sums()
    process = Process("one", sums)
    await process.study.start()
    await process.study.stop()
    assert sums.forgotten == process.clock.now() - KEPT


async def test_a_restart_of_a_gateway_forgets_nothing_that_was_reported() -> None:
    async def success(gateway: Gateway) -> float:
        info = (await gateway.ask("/v1/router/debug")).json["debug_info"]
        candidates = info["metadata"]["candidates"]
        return next(float(each["success"]) for each in candidates if each["model"] == "openai/gpt-big")

    before = Gateway()
    everything_answers(before)
    assert before.feature.start is not None
    await before.feature.start()
    stated = await success(before)
    for number in range(3):
        served = (await before.ask(model="openai/gpt-big", context={"max_tokens": 10 + number})).json["execution_id"]
        await before.ask("/v1/feedback", body=feedback(request_id=served, outcome="tests_failed"))
    await before.settle_down()
    after = Gateway(sums=before.sums)
    assert after.feature.start is not None
    await after.feature.start()
    assert await success(after) < stated - 0.05
    await after.settle_down()
