"""Teams in trouble: no answer is lost that is there, nothing is charged beyond the hold, nothing stays open."""

import asyncio
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.errors import FailureKind
from packages.server.tests.features.inference.gateway import Caller, Gateway
from packages.server.tests.features.inference.teams import (
    DEAD,
    STRATEGIES,
    ask,
    told,
)
from packages.server.tests.features.inference.test_branching import BROKEN, PATHS, PROVIDERS, said, script_of, world
from packages.server.tests.features.inference.world import Script


@pytest.mark.parametrize("path", PATHS)
async def test_a_turn_that_fails_costs_no_answer_that_is_there(path: str) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", script_of("openai", "one"), script_of("openai", "two"), DEAD)
    team = {"agent_count": 2, "enable_reflection": True}
    answer = await ask(gateway, path, team=team, model="openai/gpt-big")
    worked, body = told(answer, path), said(answer, path)
    assert body["result"]["result"] == "one"
    assert worked["ended_by"] == "turn_failed"
    assert worked["turns_failed"] == 2
    [(settled, _)] = gateway.books.settled.values()
    assert len(settled.branches) == 2, "what failed is not paid for"
    assert "connection" in {attempt.outcome for attempt in settled.attempts}
    assert not gateway.books.open


async def test_where_no_agent_answers_other_models_are_asked_within_what_is_held() -> None:
    gateway = world()
    best = (await gateway.ask("/v1/router/debug")).json["debug_info"]["routing_decision"]["provider"]
    gateway.wire.play(best, DEAD)
    answer = await ask(gateway, team={"agent_count": 1, "enable_reflection": True, "max_iterations": 1})
    worked = told(answer)
    assert worked["turns"][0]["provider"] != best
    assert worked["turns_failed"] >= 1
    assert worked["ended_by"] in {"hold_used_up", "turn_failed", "finished"}
    [(settled, charge)] = gateway.books.settled.values()
    assert charge.loss == 0
    assert settled.price <= gateway.books.asked[0].amount


@pytest.mark.parametrize("path", PATHS)
async def test_where_every_turn_fails_nobody_is_charged(path: str) -> None:
    gateway = Gateway()
    for provider in PROVIDERS:
        gateway.wire.play(provider, DEAD)
    answer = await ask(gateway, path, team={"agent_count": 3})
    assert answer.status == 502
    assert not gateway.books.settled
    assert not gateway.books.open


async def test_at_the_deadline_the_best_so_far_is_given() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", script_of("openai", "one"), script_of("openai", "two"), Script(delay=60.0))
    answer = await ask(gateway, team={"agent_count": 2}, model="openai/gpt-big", context={"timeout": 1})
    worked = told(answer)
    assert answer.json["result"]["result"] == "one"
    assert worked["ended_by"] == "deadline"
    assert sorted(turn["outcome"] for turn in worked["turns"]) == ["served", "served", "stopped"]


async def test_without_any_answer_in_time_nobody_is_charged() -> None:
    gateway = Gateway()
    for provider in PROVIDERS:
        gateway.wire.play(provider, Script(delay=60.0))
    answer = await ask(gateway, team={"agent_count": 2}, context={"timeout": 1})
    assert answer.status == 504
    assert not gateway.books.settled
    assert not gateway.books.open


async def test_a_caller_who_leaves_pays_what_was_done_and_no_further_turn_is_taken() -> None:
    gateway = Gateway()
    slow = script_of("openai", "two")
    slow.delay = 0.1
    gateway.wire.play("openai", script_of("openai", "one"), slow)
    caller = Caller(hang_up_after=2)
    team = {"agent_count": 5, "coordination_strategy": "sequential"}
    await ask(gateway, "/v1/execute/stream", team=team, caller=caller, model="openai/gpt-big", task_id="t1")
    await asyncio.sleep(0.3)
    await gateway.settle_down()
    [(settled, charge)] = gateway.books.settled.values()
    assert settled.client_gone
    assert 1 <= len(settled.branches) < 5
    assert charge.charged == sum(branch.price for branch in settled.branches) > 0
    again = await ask(gateway, team=team, model="openai/gpt-big", task_id="t1")
    assert told(again)["ended_by"] == "caller_left"


async def test_a_caller_who_leaves_does_not_keep_a_slow_turn_running() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", script_of("openai", "one"), Script(delay=60.0))
    caller = Caller(hang_up_after=2)
    team = {"agent_count": 3, "coordination_strategy": "sequential"}
    await ask(gateway, "/v1/execute/stream", team=team, caller=caller, model="openai/gpt-big")
    for _ in range(100):
        await asyncio.sleep(0.02)
        if gateway.books.settled:
            break
    [(settled, _)] = gateway.books.settled.values()
    assert [attempt.outcome for attempt in settled.attempts] == ["served", "stopped"]


async def test_a_defect_stops_every_turn_and_the_house_bears_what_is_billed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("monkey_coder_server.features.inference.arms.verdict", broken)
    gateway = world()
    answer = await ask(gateway, team={"agent_count": 3})
    assert answer.status == 500
    assert not gateway.books.open
    [failed] = gateway.books.voided.values()
    assert failed.provider_cost == sum(bill.cost for bill in failed.bills) > 0
    assert all(reply.closed for reply in gateway.wire.replies)


async def test_a_turn_that_breaks_off_is_no_answer() -> None:
    gateway = Gateway()
    broken = script_of("openai", "one")
    broken.pieces, broken.fails = broken.pieces[:2], FailureKind.CONNECTION
    gateway.wire.play("openai", script_of("openai", "one"), broken)
    team = {"agent_count": 2, "coordination_strategy": "sequential"}
    worked = told(await ask(gateway, team=team, model="openai/gpt-big"))
    assert [turn["outcome"] for turn in worked["turns"]] == ["served", "failed"]


class Drawn(NamedTuple):
    """What may differ from one run to the next."""

    strategy: str
    agents: int
    rounds: int
    texts: list[str]
    delays: list[float]
    dead: set[str]
    balance: int
    path: str
    leaves: int | None


DRAWN = st.builds(
    Drawn,
    strategy=st.sampled_from(STRATEGIES),
    agents=st.integers(1, 5),
    rounds=st.integers(0, 3),
    texts=st.lists(st.sampled_from(["one", "two\nlines", "APPROVED", "word " * 900, BROKEN]), min_size=3, max_size=3),
    delays=st.lists(st.sampled_from([0.0, 0.001, 0.003]), min_size=3, max_size=3),
    dead=st.sets(st.sampled_from(PROVIDERS)),
    balance=st.integers(20_000_000, 2_000_000_000),
    path=st.sampled_from(PATHS),
    leaves=st.sampled_from([None, 1, 2, 4]),
)


@settings(max_examples=60, deadline=None)
@given(drawn=DRAWN)
async def test_whatever_happens_no_more_is_charged_than_held_and_nothing_stays_open(drawn: Drawn) -> None:
    gateway = Gateway(balance=drawn.balance)
    for provider, delay, text in zip(PROVIDERS, drawn.delays, drawn.texts, strict=True):
        script = script_of(provider, text)
        script.delay = delay
        gateway.wire.play(provider, DEAD if provider in drawn.dead else script)
    held: list[int] = []
    gateway.wire.before_send = lambda: held.append(gateway.books.held)
    team: dict[str, Any] = {"agent_count": drawn.agents, "coordination_strategy": drawn.strategy}
    if drawn.rounds:
        team |= {"enable_reflection": True, "max_iterations": drawn.rounds}
    await ask(gateway, drawn.path, team=team, context={"max_tokens": 300}, caller=Caller(hang_up_after=drawn.leaves))
    await gateway.settle_down()
    assert not gateway.books.open
    assert not gateway.notes.defects
    for settled, charge in gateway.books.settled.values():
        assert settled.price == sum(branch.price for branch in settled.branches) or not settled.branches
        assert sum(branch.kept for branch in settled.branches) == bool(settled.branches)
        assert settled.provider_cost == sum(bill.cost for bill in settled.bills)
        assert charge.loss == 0
        assert charge.charged == settled.price <= held[0] <= drawn.balance
