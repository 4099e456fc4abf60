"""Equal requests at the same time share one call, and nobody among them depends on another's patience or luck."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from monkey_coder_server.domain.errors import FailureKind
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.cached import ON, Asking
from packages.server.tests.features.inference.gateway import Caller
from packages.server.tests.features.inference.test_repeats import ended, text
from packages.server.tests.features.inference.world import Script

whole_or_stream = pytest.mark.parametrize("stream", [False, True])


@pytest.mark.parametrize(("stream", "many"), [(False, 1_000), (True, 200)])
async def test_a_thousand_equal_requests_at_once_make_one_call(many: int, *, stream: bool) -> None:
    asking = Asking()
    asking.play(replace((wires.openai_stream if stream else wires.openai)(), delay=0.01))
    answers = await asyncio.gather(*[asking.ask(stream=stream) for _ in range(many)])
    assert asking.calls == 1
    assert {text(each) for each in answers} == {wires.TEXT}
    assert all(each.complete and (ended(each) or not stream) for each in answers)
    said = [each.headers["x-monkey-cache"] for each in answers]
    assert (said.count("miss"), said.count("hit")) == (1, many - 1)
    charges = [charge.charged for _, charge in asking.gateway.books.settled.values()]
    assert (len(charges), sum(charge > 0 for charge in charges)) == (many, 1)
    assert asking.gateway.counts.shared == many - 1
    assert asking.gateway.books.open == {}
    assert not asking.gateway.notes.defects


async def test_who_follows_a_stream_has_each_piece_as_it_comes() -> None:
    asking = Asking()
    asking.play(replace(wires.openai_stream(), gap=0.01))
    callers = [Caller() for _ in range(3)]
    running = [asyncio.create_task(asking.ask(stream=True, caller=each)) for each in callers]
    async with asyncio.timeout(5):
        while not asking.gateway.wire.replies or asking.gateway.wire.replies[0].read_pieces < 5:  # noqa: ASYNC110 - a count
            await asyncio.sleep(0.001)
    assert all(len(each.got) >= 4 for each in callers)
    assert not any(each.done() for each in running)
    late = await asking.ask(stream=True)
    assert [text(await each) for each in running] == [text(late)] * 3 == [wires.TEXT] * 3
    assert asking.calls == 1


@whole_or_stream
async def test_a_first_one_that_fails_lets_another_go_first(*, stream: bool) -> None:
    good = wires.openai_stream() if stream else wires.openai()
    asking = Asking()
    broken = Script(pieces=[b'{"error": {"message": "no"}}'], status=400, delay=0.01)
    asking.play(broken, replace(good, delay=0.01))
    answers = await asyncio.gather(*[asking.ask(stream=stream) for _ in range(50)])
    assert sorted(each.status for each in answers) == [200] * 49 + [400]
    assert asking.calls == 2
    assert {text(each) for each in answers if each.status == 200} == {wires.TEXT}


async def test_after_two_that_failed_everybody_goes_alone() -> None:
    asking = Asking()
    asking.play(Script(pieces=[b'{"error": {"message": "no"}}'], status=400, delay=0.005))
    answers = await asyncio.gather(*[asking.ask() for _ in range(20)])
    assert [each.status for each in answers] == [400] * 20
    assert asking.calls == 20


async def test_a_stream_that_breaks_breaks_for_all_who_follow_it() -> None:
    asking = Asking()
    script = wires.openai_stream()
    asking.play(replace(script, pieces=script.pieces[:4], fails=FailureKind.SERVER_ERROR, gap=0.002))
    answers = await asyncio.gather(*[asking.ask(stream=True) for _ in range(5)])
    assert not any(ended(each) and b'finish_reason":"stop' in each.body for each in answers)
    assert asking.calls == 1
    assert asking.gateway.books.settled == {}
    assert asking.gateway.books.open == {}
    assert (await asking.ask(stream=True)).headers["x-monkey-cache"] == "miss"


async def test_a_first_one_that_hangs_up_leaves_the_answer_to_the_others() -> None:
    asking = Asking()
    asking.play(replace(wires.openai_stream(), gap=0.005))
    first = asyncio.create_task(asking.ask(stream=True, caller=Caller(hang_up_after=3)))
    await asyncio.sleep(0.002)
    others = await asyncio.gather(*[asking.ask(stream=True) for _ in range(3)])
    assert {text(each) for each in others} == {wires.TEXT}
    assert not ended(await first)
    assert asking.calls == 1


async def test_a_follower_that_hangs_up_changes_nothing() -> None:
    asking = Asking()
    asking.play(replace(wires.openai_stream(), gap=0.005))
    callers = [Caller(), Caller(hang_up_after=2), Caller(hang_up_after=1), Caller()]
    answers = await asyncio.gather(*[asking.ask(stream=True, caller=each) for each in callers])
    assert [ended(each) for each in answers] == [True, False, False, True]
    await asking.gateway.settle_down()
    assert len(asking.gateway.books.settled) == 4
    assert asking.gateway.books.open == {}


async def test_a_slow_first_one_holds_nobody_up_and_loses_nothing() -> None:
    asking = Asking()
    long = "word " * 1_000
    asking.play(wires.openai_stream(long, step=5))

    more = asyncio.Event()

    class Slow(Caller):
        async def send(self, message: Any) -> None:
            if len(self.got) == 2:
                await more.wait()
            await super().send(message)

    first = asyncio.create_task(asking.ask(stream=True, caller=Slow()))
    await asyncio.sleep(0.002)
    assert text(await asking.ask(stream=True)) == long
    assert not first.done()
    more.set()
    assert text(await first) == long


async def test_a_follower_waits_no_longer_than_it_said() -> None:
    asking = Asking()
    asking.play(replace(wires.openai(), delay=1.2))
    first = asyncio.create_task(asking.ask())
    await asyncio.sleep(0.01)
    impatient = await asking.ask({**ON, "x-stainless-timeout": "1"})
    assert impatient.status == 504
    assert text(await first) == wires.TEXT
