"""Callers who hang up, deadlines that pass, shutdowns: every hold resolves once, and the right party pays."""

import asyncio

import pytest

from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.features.inference.pipeline import PipelineSettings
from monkey_coder_server.ports.provider import CancelPolicy
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Caller, Gateway
from packages.server.tests.features.inference.world import Script

MODEL = "openai/gpt-big"
FULL_PRICE = (100 * 10_000 + 20 * 30_000) * 105 // 100


def slow(script: Script, gap: float = 0.005) -> Script:
    script.gap = gap
    return script


async def test_a_drained_stream_is_charged_by_the_providers_own_report() -> None:
    gateway = Gateway(policy=CancelPolicy.DRAIN)
    gateway.wire.play("openai", slow(wires.openai_stream()))
    answer = await gateway.stream(model=MODEL, caller=Caller(hang_up_after=2))
    assert not answer.complete
    await gateway.settle_down()
    ((settlement, charge),) = gateway.books.settled.values()
    assert settlement.client_gone
    assert settlement.cancel_policy == "drain"
    assert not settlement.usage.estimated
    assert charge.charged == FULL_PRICE


async def test_a_cancelled_stream_is_charged_by_what_was_seen_and_its_connection_given_up() -> None:
    gateway = Gateway(policy=CancelPolicy.CANCEL)
    gateway.wire.play("openai", slow(wires.openai_stream("word " * 400), 0.01))
    await gateway.stream(model=MODEL, caller=Caller(hang_up_after=2))
    await gateway.settle_down()
    ((settlement, charge),) = gateway.books.settled.values()
    assert settlement.client_gone
    assert settlement.cancel_policy == "cancel"
    assert settlement.usage.estimated
    assert charge.charged > 0
    assert 0 < settlement.usage.output < 250
    (reply,) = gateway.wire.replies
    assert reply.closed
    assert reply.read_pieces < len(reply.script.pieces)


PATIENT = PipelineSettings(drain=30.0)


@pytest.mark.parametrize(("leave", "prompt"), [(40, 2), (1_400, 2), (40, 18_000)])
async def test_a_drain_ends_where_it_costs_more_than_an_estimate_could_be_wrong_by(leave: int, prompt: int) -> None:
    """512 tokens or half of what had come, and what the prompt costs while nobody has told its tokens."""
    gateway = Gateway(pipeline=PATIENT)
    gateway.wire.play("openai", wires.openai_stream("word" * 6_000, step=4))
    await gateway.stream(model=MODEL, prompt="x" * prompt, caller=Caller(hang_up_after=leave))
    await wait_for_the_end(gateway)
    ((settlement, charge),) = gateway.books.settled.values()
    assert (settlement.client_gone, settlement.cancel_policy, settlement.usage.estimated) == (True, "estimate", True)
    assert gateway.wire.replies[0].closed
    reckoned = settlement.usage.uncached_input // 3  # a token of the prompt costs a third of one of the answer
    assert settlement.usage.output == pytest.approx(leave + max(512, leave // 2) + reckoned, rel=0.05)
    assert charge.charged == settlement.price


async def wait_for_the_end(gateway: Gateway) -> None:
    async with asyncio.timeout(10):
        while gateway.books.open:  # noqa: ASYNC110 - the books of the small world tell nobody
            await asyncio.sleep(0.01)


async def test_an_answer_that_is_billed_in_any_case_is_read_to_its_end() -> None:
    gateway = Gateway(policy=CancelPolicy.FINISH, pipeline=PATIENT)
    gateway.wire.play("openai", wires.openai_stream("word" * 3_000, step=4, output=3_000))
    await gateway.stream(model=MODEL, caller=Caller(hang_up_after=2))
    await wait_for_the_end(gateway)
    ((settlement, _),) = gateway.books.settled.values()
    assert (settlement.cancel_policy, settlement.usage.estimated) == ("finish", False)
    assert settlement.usage.output == 3_000


async def test_a_prompt_that_was_told_at_the_beginning_is_no_reason_to_read_on() -> None:
    read = {}
    for model, stream in ((MODEL, wires.openai_stream), ("anthropic/claude-big", wires.anthropic_stream)):
        gateway = Gateway(pipeline=PATIENT)
        gateway.wire.play(model.partition("/")[0], stream("word" * 6_000, step=4))
        await gateway.stream(model=model, prompt="x" * 18_000, caller=Caller(hang_up_after=4))
        await wait_for_the_end(gateway)
        ((settlement, _),) = gateway.books.settled.values()
        assert settlement.cancel_policy == "estimate"
        read[model] = settlement.usage.output
    assert read["anthropic/claude-big"] < 800 < read[MODEL]


async def test_a_caller_who_stays_gets_all_of_a_long_answer() -> None:
    gateway = Gateway(policy=CancelPolicy.DRAIN)
    gateway.wire.play("openai", wires.openai_stream("word" * 3_000, step=4, output=3_000))
    answer = await gateway.stream(model=MODEL)
    assert len(answer.text) == 12_000
    ((settlement, _),) = gateway.books.settled.values()
    assert (settlement.client_gone, settlement.cancel_policy) == (False, None)


@pytest.mark.parametrize("policy", [CancelPolicy.CANCEL, CancelPolicy.ESTIMATE])
async def test_a_provider_is_stopped_at_once_where_its_policy_says_so(policy: CancelPolicy) -> None:
    gateway = Gateway(policy=policy)
    gateway.wire.play("openai", slow(wires.openai_stream("word" * 400, step=4), 0.01))
    await gateway.stream(model=MODEL, caller=Caller(hang_up_after=4))
    await gateway.settle_down()
    ((settlement, _),) = gateway.books.settled.values()
    assert (settlement.cancel_policy, settlement.usage.estimated) == (policy.value, True)
    assert settlement.usage.output < 20


async def test_a_drain_ends_in_time_and_bills_what_was_seen() -> None:
    gateway = Gateway(policy=CancelPolicy.DRAIN, pipeline=PipelineSettings(drain=0.05))
    script = wires.openai_stream()
    gateway.wire.play("openai", Script(pieces=script.pieces[:5], gap=0.005, hang=True))
    await gateway.stream(model=MODEL, caller=Caller(hang_up_after=2))
    started = gateway.clock.monotonic()
    while gateway.books.open:
        await asyncio.sleep(0.01)
        assert gateway.clock.monotonic() - started < 2.0
    ((settlement, _),) = gateway.books.settled.values()
    assert settlement.usage.estimated


async def test_a_whole_answer_is_settled_though_its_caller_was_cancelled() -> None:
    gateway = Gateway()
    script = wires.openai()
    script.delay = 0.05
    gateway.wire.play("openai", script)
    asking = asyncio.create_task(gateway.ask(model=MODEL))
    await asyncio.sleep(0.02)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await gateway.settle_down()
    ((settlement, charge),) = gateway.books.settled.values()
    assert settlement.client_gone
    assert charge.charged == FULL_PRICE


@pytest.mark.parametrize("path", ["/v1/execute", "/v1/execute/stream"])
async def test_the_callers_own_deadline_ends_in_504_and_no_charge(path: str) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", Script(delay=5.0))
    answer = await gateway.ask(path, model=MODEL, context={"timeout": 1})
    assert answer.status == 504
    assert answer.json["error_code"] == "provider_timeout"
    assert len(gateway.books.voided) == 1
    assert gateway.books.balance == 5_000_000_000


async def test_a_deadline_in_mid_stream_ends_in_an_error_event_and_the_house_bears_the_cost() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", Script(pieces=wires.openai_stream().pieces[:5], hang=True))
    answer = await gateway.stream(model=MODEL, context={"timeout": 1})
    assert answer.frames[-1]["error"]["code"] == "provider_timeout"
    (failed,) = gateway.books.voided.values()
    assert failed.provider_cost > 0
    assert failed.usage.estimated
    assert gateway.notes.records[-1].loss == failed.provider_cost
    assert gateway.wire.replies[0].closed


async def test_silence_is_filled_with_comments_and_the_error_then_comes_as_an_event() -> None:
    gateway = Gateway(keep_alive=0.02)
    gateway.wire.play("openai", Script(delay=0.15, status=400, pieces=wires.error(400).pieces))
    answer = await gateway.stream(model=MODEL)
    assert answer.status == 200
    assert b": keep-alive\n\n" in answer.body
    assert [frame["type"] for frame in answer.frames] == ["start", "error"]


async def test_a_shutdown_stops_what_is_late_and_still_resolves_its_hold() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", Script(delay=30.0))
    asking = asyncio.create_task(gateway.ask(model=MODEL))
    await asyncio.sleep(0.02)
    await gateway.settle_down()
    answer = await asking
    assert answer.status == 503
    assert len(gateway.books.voided) == 1
    assert not gateway.books.open


async def test_a_ledger_that_stumbles_is_asked_again() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    gateway.books.fail.append(Unavailable("busy"))
    answer = await gateway.ask(model=MODEL)
    assert answer.status == 200
    assert len(gateway.books.settled) == 1


async def test_without_a_settlement_no_answer_leaves() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    gateway.books.fail.extend(Unavailable("away") for _ in range(3))
    answer = await gateway.ask(model=MODEL)
    assert answer.status == 503
    assert wires.TEXT.encode() not in answer.body
    await gateway.settle_down()
    assert len(gateway.books.settled) == 1
    assert [record.status for record in gateway.notes.records] == ["served"]


async def test_an_answer_that_was_booked_late_is_had_by_asking_again_under_its_id() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    gateway.books.fail.extend(Unavailable("away") for _ in range(4))
    assert (await gateway.ask(model=MODEL, task_id="task-7")).status == 503
    await asyncio.sleep(0.1)
    again = await gateway.ask(model=MODEL, task_id="task-7")
    assert again.json["result"]["result"] == wires.TEXT
    assert len(gateway.wire.sent) == 1


async def test_a_slow_reader_slows_the_provider_and_at_last_counts_as_gone() -> None:
    gateway = Gateway(pipeline=PipelineSettings(stall=0.05))
    gateway.wire.play("openai", wires.openai_stream("x" * 2_000, step=4))
    caller = Caller()
    blocked = asyncio.Event()
    plain = caller.send

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.body":
            await blocked.wait()
        await plain(message)

    caller.send = send  # type: ignore[method-assign, assignment] - a connection that takes nothing
    asking = asyncio.create_task(gateway.stream(model=MODEL, caller=caller))
    await asyncio.sleep(0.4)
    ((settlement, charge),) = gateway.books.settled.values()
    assert settlement.client_gone
    assert charge.charged == FULL_PRICE
    blocked.set()
    answer = await asking
    assert answer.frames[-1]["data"]["result"]["result"] == "x" * 2_000
