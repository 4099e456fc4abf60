"""Where requests were sent is logged with why and how it turned out, behind their backs and without their words."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.features.inference import decision_log as module
from monkey_coder_server.features.inference.beliefs import Signal
from monkey_coder_server.features.inference.decision_log import DecisionQueue, DecisionWriter
from monkey_coder_server.features.inference.restraint import Restraint
from monkey_coder_server.ports.routing_store import RoutingDecision, RoutingOutcome
from packages.server.tests.features.inference.diary import Diary
from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.test_exploration import reporting
from packages.server.tests.features.inference.test_quote_debug_feedback import everything_answers, feedback
from packages.server.tests.features.inference.world import ACCOUNT, LoopClock

SECRET = "the words nobody logs"


def answering() -> Gateway:
    gateway = Gateway()
    everything_answers(gateway)
    return gateway


async def stop(gateway: Gateway) -> None:
    assert gateway.feature.stop is not None
    await gateway.feature.stop()


async def test_a_decision_is_logged_with_the_numbers_it_was_made_by_and_its_outcome() -> None:
    gateway = answering()
    answer = (await gateway.ask(prompt=f"fix {SECRET} in main.py")).json
    served = answer["execution_id"]
    await gateway.ask("/v1/feedback", body=feedback(request_id=served, outcome="tests_passed"))
    await stop(gateway)
    [decision] = gateway.diary.decisions.values()
    collapse = answer["result"]["quantum_collapse_info"]
    assert (decision.request_id, decision.account_id, decision.size) == (served, ACCOUNT, "small")
    assert (decision.mode, decision.arm, decision.served) == (collapse["mode"], *[collapse["collapsed_to"]] * 2)
    assert (decision.propensity, decision.explored) == (1.0, False)
    assert decision.cost == gateway.books.settled[served][0].price
    assert [each.propensity for each in decision.candidates] == [1.0] + [0.0] * (len(decision.candidates) - 1)
    assert decision.candidates[0].arm == collapse["superposition"][0]["model"]
    assert 0.0 < decision.candidates[0].quality <= 1.0
    [outcome] = gateway.diary.outcomes.values()
    assert (outcome.request_id, outcome.quality, outcome.weight, outcome.signal) == (served, 1.0, 1.0, "tests_passed")
    assert SECRET.encode() not in msgspec.json.encode([decision, outcome])


async def test_what_was_drawn_is_logged_with_the_probability_of_every_candidate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Restraint, "allows", lambda *_: True)
    gateway = await reporting()
    told = (await gateway.ask()).json
    await stop(gateway)
    decision = gateway.diary.decisions[told["execution_id"]]
    assert decision.explored
    by_arm = {each.arm: each.propensity for each in decision.candidates}
    assert by_arm[decision.arm] == decision.propensity == told["result"]["quantum_collapse_info"]["propensity"]
    assert sum(by_arm.values()) == pytest.approx(1.0)


async def test_a_request_that_had_no_choice_is_not_logged() -> None:
    gateway = answering()
    await gateway.ask(model="openai/gpt-big")
    await stop(gateway)
    assert gateway.diary.decisions == {}


async def test_a_database_that_is_away_gets_it_later() -> None:
    gateway = answering()
    gateway.diary.fail.extend([Unavailable("away"), Unavailable("away")])
    assert (await gateway.ask()).status == 200
    for left in (1, 0):
        await stop(gateway)
        assert len(gateway.diary.fail) == left
        assert not gateway.diary.decisions
    await stop(gateway)
    assert len(gateway.diary.decisions) == 1


async def test_it_is_written_while_the_gateway_runs() -> None:
    gateway = answering()
    assert gateway.feature.start is not None
    await gateway.feature.start()
    await gateway.ask()
    await asyncio.wait_for(gateway.diary.something.wait(), 5)
    assert gateway.diary.decisions
    await stop(gateway)


async def test_a_full_queue_drops_the_oldest_and_counts_it() -> None:
    queue, diary = DecisionQueue(LoopClock(), most=2), Diary()
    for number in range(5):
        queue.told(f"req_{number}", Signal(1.0, 1.0), "accepted")
    await DecisionWriter(queue, diary, seconds=60.0).stop()
    assert list(diary.outcomes) == ["req_3", "req_4"]
    assert queue.dropped == 3


async def test_of_two_signals_that_wait_the_heavier_is_written_and_of_equals_the_later() -> None:
    queue, diary = DecisionQueue(LoopClock()), Diary()
    queue.told("req_1", Signal(1.0, 1.0), "tests_passed")
    queue.told("req_1", Signal(0.0, 0.5), "rejected")
    queue.told("req_2", Signal(1.0, 0.5), "accepted")
    queue.told("req_2", Signal(0.0, 0.5), "rejected")
    await DecisionWriter(queue, diary, seconds=60.0).stop()
    assert {each.request_id: each.signal for each in diary.outcomes.values()} == {
        "req_1": "tests_passed",
        "req_2": "rejected",
    }


async def test_what_is_told_while_a_batch_is_written_is_written_after_it() -> None:
    queue = DecisionQueue(LoopClock())
    queue.told("req_1", Signal(1.0, 0.5), "accepted")
    batch = queue.batch()
    assert batch is not None
    queue.told("req_1", Signal(0.0, 1.0), "tests_failed")
    queue.written(batch)
    left = queue.batch()
    assert left is not None
    assert [each.signal for each in left.outcomes] == ["tests_failed"]


async def test_many_are_written_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITTEN_AT_ONCE", 2)
    gateway = answering()
    sizes = []
    write = gateway.diary.write

    async def watched(decisions: Sequence[RoutingDecision], outcomes: Sequence[RoutingOutcome]) -> None:
        sizes.append(len(decisions))
        await write(decisions, outcomes)

    monkeypatch.setattr(gateway.diary, "write", watched)
    for number in range(5):
        await gateway.ask(context={"max_tokens": 50 + number})
    await stop(gateway)
    assert sizes == [2, 2, 1]
