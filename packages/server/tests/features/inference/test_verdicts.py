"""What checks are worth is learnt from what callers report, and moves what is planned and believed."""

import asyncio
from typing import Any

import pytest

from monkey_coder_server.features.inference import checking, planning
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.test_branching import BROKEN, PROVIDERS, ran, script_of
from packages.server.tests.features.inference.test_cascade import WHOLE, ask, debugged, sequence, world
from packages.server.tests.features.inference.test_quote_debug_feedback import everything_answers, feedback
from packages.server.tests.features.inference.world import Sums


async def test_what_callers_report_makes_a_check_useful_and_outlives_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planning, "WATCHED_SHARE", 0.0)
    kept, sums = Sums(), Sums()
    gateway = Gateway(verdicts=kept, sums=sums, balance=10**12)
    assert gateway.feature.start is not None
    await gateway.feature.start()
    rates = [(await debugged(gateway))["verification"]["together"]]
    for number in range(60):
        good = number % 2 == 0
        for provider in PROVIDERS:
            text = wires.TEXT if good else BROKEN
            gateway.wire.play(provider, WHOLE[provider](text))
        answer = await ask(gateway, context={"max_tokens": 100 + number})
        if answer.headers["x-monkey-collapse"] != "single":
            break
        outcome = "tests_passed" if good else "tests_failed"
        sent = feedback(request_id=answer.json["execution_id"], outcome=outcome)
        assert (await gateway.ask("/v1/feedback", body=sent)).status == 200
        rates.append((await debugged(gateway))["verification"]["together"])
        for provider in PROVIDERS:
            gateway.wire.play(provider, script_of(provider))
        if (await debugged(gateway))["verification"]["together"]["useful"]:
            break
    assert rates[-1]["useful"]
    assert 10 < len(rates) < 60
    assert rates[-1]["passes_right"] > rates[0]["passes_right"]
    assert rates[-1]["passes_wrong"] < 0.3 < rates[0]["passes_wrong"]
    assert rates[-1]["right_answers_seen"] + rates[-1]["wrong_answers_seen"] == len(rates) - 1
    await gateway.settle_down()
    after = await world(kept)
    assert ran(await ask(after))["rule"] == "cascade"
    await after.settle_down()


async def reported(gateway: Gateway, *outcomes: str, **fields: Any) -> list[float]:
    """What is counted of right and of wrong answers after these were told of one."""
    answer = await ask(gateway, **fields)
    for outcome in outcomes:
        await gateway.ask("/v1/feedback", body=feedback(request_id=answer.json["execution_id"], outcome=outcome))
    told = (await debugged(gateway))["verification"]["together"]
    return [told["right_answers_seen"], told["wrong_answers_seen"]]


async def test_of_several_outcomes_the_weightiest_counts_and_an_equal_one_replaces_it() -> None:
    gateway = await world(Sums())
    everything_answers(gateway)
    assert await reported(gateway, "accepted", "tests_failed", "rejected") == [0.0, 1.0]
    assert await reported(gateway, "tests_failed", "tests_passed", prompt="write another") == [1.0, 1.0]
    await gateway.settle_down()


async def test_what_is_asked_for_again_at_once_was_wrong() -> None:
    gateway = await world(Sums())
    everything_answers(gateway)
    await ask(gateway)
    await asyncio.sleep(0.05)
    assert await reported(gateway) == [0.0, 0.2]
    await gateway.settle_down()


async def test_what_was_chosen_for_passing_teaches_nothing_of_the_check() -> None:
    gateway = await world()
    before = (await debugged(gateway))["verification"]
    await reported(gateway, "tests_failed")
    assert (await debugged(gateway))["verification"] == before
    await gateway.settle_down()


async def test_an_account_that_reports_nothing_is_checked_only_where_it_asks_for_sequences(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[object] = []
    found = checking.verdict

    def looking(request: Any, answer: Any, **facts: Any) -> Any:
        looked.append(answer)
        return found(request, answer, **facts)

    monkeypatch.setattr(checking, "verdict", looking)
    gateway = await world(Sums())
    everything_answers(gateway)
    first = (await gateway.ask()).json["execution_id"]
    await gateway.settle_down()
    assert not looked
    await gateway.ask("/v1/feedback", body=feedback(request_id=first, outcome="accepted"))
    await gateway.ask(prompt="write another")
    await gateway.settle_down()
    assert len(looked) == 1


async def test_where_many_answers_wait_to_be_checked_further_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "WAITING", 0)
    gateway = await world(Sums())
    everything_answers(gateway)
    assert await reported(gateway, "tests_passed") == [0.0, 0.0]
    await gateway.settle_down()


async def test_verdicts_move_the_belief_in_a_model_until_the_truth_is_told() -> None:
    gateway = await world()

    async def success(name: str) -> float:
        candidates = (await debugged(gateway))["candidates"]
        return next(float(each["success"]) for each in candidates if each["model"] == name)

    arm = (await debugged(gateway))["sequence"]["arms"][0]
    before = await success(arm)
    gateway.wire.play(arm.partition("/")[0], script_of(arm.partition("/")[0], BROKEN))
    for number in range(6):
        await ask(gateway, context={"max_tokens": 2_000 + number})
    assert await success(arm) < before - 0.03
    await gateway.settle_down()


async def test_now_and_then_the_strongest_model_answers_whatever_checks_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "WATCHED_SHARE", 1.0)
    gateway = await world()
    assert (await debugged(gateway))["sequence"]["ran"] == "cascade", "nothing is told by this account yet"
    everything_answers(gateway)
    first = (await gateway.ask()).json["execution_id"]
    await gateway.ask("/v1/feedback", body=feedback(request_id=first, outcome="accepted"))
    answer = await ask(gateway)
    planned, metadata = sequence(answer), answer.json["result"]["metadata"]
    assert planned["ran"] == "single"
    assert "go on being measured" in planned["reason"]
    assert f"{metadata['provider']}/{metadata['model']}" == planned["strongest_model"]
    await gateway.settle_down()
    assert first in gateway.diary.decisions
    assert answer.json["execution_id"] not in gateway.diary.decisions, "the ranking did not choose it"
