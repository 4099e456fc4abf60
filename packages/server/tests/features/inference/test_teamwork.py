"""Several agents at one task: which turns they take, what each is told, and what is told of them."""

import asyncio
from typing import Any

import pytest

from monkey_coder_server.domain.money import parse_usd
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Caller, Gateway
from packages.server.tests.features.inference.teams import (
    alone,
    ask,
    disagreeing,
    prompts,
    tasks,
    told,
)
from packages.server.tests.features.inference.test_branching import BROKEN, PATHS, PROVIDERS, said, script_of, world
from packages.server.tests.features.inference.world import Script


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("strategy", "taken"),
    [
        ("sequential", ["draft", "improve", "improve"]),
        ("parallel", ["draft", "draft", "draft"]),
        ("collaborative", ["draft", "draft", "draft", "merge"]),
        ("hierarchical", ["draft", "draft", "merge", "plan"]),
    ],
)
async def test_every_turn_is_paid_for_once_and_told(strategy: str, taken: list[str], path: str) -> None:
    gateway = disagreeing()
    answer = await ask(gateway, path, team={"agent_count": 3, "coordination_strategy": strategy})
    worked, body = told(answer, path), said(answer, path)
    assert tasks(worked) == taken
    assert (worked["strategy"], worked["agents"], worked["turns_run"]) == (strategy, 3, len(taken))
    assert [turn["kept"] for turn in worked["turns"]] == [True] + [False] * (len(taken) - 1)
    [(settled, charge)] = gateway.books.settled.values()
    assert len(settled.branches) == len(taken)
    assert settled.price == sum(branch.price for branch in settled.branches) == charge.charged
    assert settled.price == sum(parse_usd(turn["cost_usd"]) for turn in worked["turns"])
    assert settled.provider_cost == sum(bill.cost for bill in settled.bills)
    assert settled.usage.total == body["usage"]["tokens_used"] == sum(body["usage"]["provider_breakdown"].values())
    assert settled.usage.total == sum(turn["tokens"] for turn in worked["turns"])
    assert body["orchestration_execution"]["mode"] == "agents"
    assert not gateway.books.open
    assert all(reply.closed for reply in gateway.wire.replies)
    if path == "/v1/execute/stream":
        assert answer.text == body["result"]["result"]


async def test_a_stream_tells_each_turn_as_it_ends_then_the_answer() -> None:
    gateway = disagreeing()
    answer = await ask(gateway, "/v1/execute/stream", team={"agent_count": 2, "enable_reflection": True})
    kinds = [frame["type"] for frame in answer.frames]
    steps = [frame["progress"] for frame in answer.frames if frame["type"] == "progress"]
    worked = told(answer, "/v1/execute/stream")
    assert [step["step"] for step in steps][:4] == ["draft", "draft", "merge", "critique"]
    assert steps[-1]["step"] == "answering"
    assert len(steps) == worked["turns_run"] + 1
    assert steps[0]["metadata"]["agent"] == 1
    assert steps[0]["metadata"]["outcome"] == "served"
    assert kinds.index("delta") > max(place for place, kind in enumerate(kinds) if kind == "progress")


async def test_a_turn_is_told_while_the_next_still_runs() -> None:
    gateway = world()
    slow = script_of("google")
    slow.delay = 60.0
    for provider in PROVIDERS:
        gateway.wire.play(provider, script_of(provider, provider), slow)
    caller = Caller()
    team = {"agent_count": 2}
    asking = asyncio.create_task(
        ask(gateway, "/v1/execute/stream", team=team, caller=caller, preferred_providers=["openai"])
    )
    for _ in range(200):
        await asyncio.sleep(0.01)
        if b'"step":"draft"' in b"".join(message.get("body", b"") for message in caller.got):
            break
    else:
        pytest.fail("no turn was told of")
    asking.cancel()


async def test_agents_are_different_models_and_each_is_told_its_part() -> None:
    gateway = disagreeing()
    worked = told(await ask(gateway, team={"agent_count": 3}))
    assert len({turn["provider"] for turn in worked["turns"]}) == 3
    first, *others, merge = prompts(gateway)
    assert "several agents" not in first
    assert all("Care above all for" in prompt for prompt in others)
    assert all(text in merge for text in (r"one\nway", r"another\nway", r"a third\nmanner"))


async def test_agents_who_agree_need_no_merging() -> None:
    gateway = world()
    worked = told(await ask(gateway, team={"agent_count": 3, "consensus_threshold": 1.0}))
    assert tasks(worked) == ["draft", "draft", "draft"]
    assert (worked["consensus_reached"], worked["agreement"]) == (True, 1.0)


async def test_once_enough_agree_the_others_are_stopped() -> None:
    gateway = world()
    gateway.wire.play("google", Script(delay=60.0))
    team = {"agent_count": 3, "consensus_threshold": 0.6, "coordination_strategy": "parallel"}
    worked = told(await asyncio.wait_for(ask(gateway, team=team), 5))
    assert sorted(turn["outcome"] for turn in worked["turns"]) == ["served", "served", "stopped"]
    assert worked["consensus_reached"]


async def test_a_plan_leads_the_others() -> None:
    gateway, pinned = alone("first sort, then print", "an answer")
    worked = told(await ask(gateway, team={"agent_count": 2, "coordination_strategy": "hierarchical"}, **pinned))
    assert tasks(worked) == ["draft", "plan"]
    assert "first sort, then print" in prompts(gateway)[1]
    assert worked["turns"][0]["task"] == "draft"


async def test_an_answer_is_criticised_and_written_anew_until_it_is_approved() -> None:
    gateway, pinned = alone("a draft", "1. It is a draft.", "better", "APPROVED", "never asked")
    team = {"agent_count": 1, "enable_reflection": True, "max_iterations": 5}
    answer = await ask(gateway, team=team, **pinned)
    worked = told(answer)
    assert answer.json["result"]["result"] == "better"
    assert tasks(worked) == ["critique", "critique", "draft", "rework"]
    assert (worked["approved"], worked["ended_by"], worked["reflections_run"]) == (True, "approved", 2)
    draft, critique, rework, _ = prompts(gateway)
    assert "several agents" not in draft
    assert "a draft" in critique
    assert "1. It is a draft." in rework


async def test_reflection_ends_after_so_many_rounds_and_when_nothing_changes() -> None:
    gateway, pinned = alone("a", "wrong", "b", "wrong", "c", "never asked")
    team = {"agent_count": 1, "enable_reflection": True, "max_iterations": 2}
    worked = told(await ask(gateway, team=team, **pinned))
    assert (worked["turns_run"], worked["ended_by"], worked["approved"]) == (5, "finished", False)
    gateway, pinned = alone("a", "wrong", "a", "never asked")
    assert told(await ask(gateway, team=team, **pinned))["ended_by"] == "unchanged"


async def test_what_checks_found_is_told_and_such_an_answer_is_not_approved() -> None:
    gateway, pinned = alone(BROKEN, "APPROVED", wires.TEXT, "APPROVED")
    team = {"agent_count": 1, "enable_reflection": True}
    answer = await ask(gateway, team=team, **pinned)
    assert answer.json["result"]["result"] == wires.TEXT
    assert "Automatic checks of this answer found" in prompts(gateway)[1]
    assert told(answer)["approved"]


async def test_agents_come_before_branches_and_that_is_said() -> None:
    gateway = disagreeing()
    answer = await ask(gateway, team={"agent_count": 2}, orchestration_config={"execution_branches": 3})
    ran = answer.json["orchestration_execution"]
    assert (ran["mode"], "no branches" in ran["note"]) == ("agents", True)
    assert set(ran["requested"]) == {"monkey1_config", "orchestration_config"}


@pytest.mark.parametrize("field", ["monkey1_config", "orchestration_config", "quantum_config"])
async def test_agents_are_asked_for_by_the_names_of_the_fields(field: str) -> None:
    gateway = disagreeing()
    answer = await gateway.ask(**{field: {"coordination_strategy": "parallel"}})
    assert answer.json["monkey1_orchestration"]["agents"] == 3


@pytest.mark.parametrize(
    "team",
    [{"agent_count": 1}, {"consensus_threshold": 0.5}, {"enable_reflection": False}, {"max_iterations": 3}, {}],
)
async def test_unless_agents_are_asked_for_it_is_an_ordinary_request(team: dict[str, Any]) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    answer = await ask(gateway, team=team, model="openai/gpt-big")
    assert answer.json["monkey1_orchestration"] == {}
    assert answer.json["orchestration_execution"]["mode"] == "single"
    assert len(gateway.wire.sent) == 1


async def test_a_repeat_gets_the_same_answer_and_pays_nothing() -> None:
    gateway = disagreeing()
    first = await ask(gateway, team={"agent_count": 2}, task_id="t1")
    sent = len(gateway.wire.sent)
    again = await ask(gateway, team={"agent_count": 2}, task_id="t1")
    assert again.body == first.body
    assert len(gateway.wire.sent) == sent
