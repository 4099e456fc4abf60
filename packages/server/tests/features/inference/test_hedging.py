"""A late call is joined by a second one: the first to speak is kept, the other cut, the books exact, nothing leaked."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.money import parse_usd
from monkey_coder_server.features.inference.branches_asked import HEADER
from monkey_coder_server.features.inference.hedge import BEATEN
from monkey_coder_server.features.inference.house import BEATEN_UNPAID
from monkey_coder_server.ports.ledger import FailedRequest, Settlement
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.hedged_world import (
    DOORS,
    HEALTH,
    HEDGE,
    PATHS,
    SLOW,
    WHOLE,
    asked,
    borne,
    counting,
    first_of,
    let_go,
    outrun,
    over,
    played,
    settled,
    streams,
    world,
)
from packages.server.tests.features.inference.world import Script


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with counting(monkeypatch):
        yield


@pytest.mark.parametrize(("path", "fields"), DOORS)
async def test_when_the_first_is_late_the_second_is_kept_and_alone_paid_for(path: str, fields: dict[str, Any]) -> None:
    stream = streams(path, fields)
    gateway = world(stream=stream)
    first = await first_of(gateway, path, fields)
    played(gateway, first, stream=stream, delay=SLOW)
    answer = await asyncio.wait_for(asked(gateway, path, fields), SLOW / 2)
    assert answer.status == 200, answer.body
    assert answer.complete
    await gateway.settle_down()
    booked = settled(gateway)
    assert [sent[0] for sent in gateway.wire.sent] == [first, booked.provider]
    assert [each.outcome for each in booked.attempts] == [BEATEN_UNPAID, "served"]
    assert booked.attempts[-1].provider == booked.provider != first
    assert not booked.branches
    assert [bill.provider for bill in booked.bills] == [booked.provider]
    assert (gateway.hedges.started, gateway.hedges.won) == (1, 1)
    let_go(gateway)


@pytest.mark.parametrize(("path", "fields"), DOORS)
async def test_when_the_first_speaks_after_all_it_is_kept_and_the_house_pays_the_second(
    path: str, fields: dict[str, Any]
) -> None:
    stream = streams(path, fields)
    gateway = world(stream=stream)
    first = await first_of(gateway, path, fields)
    outrun(gateway, first, stream=stream)
    answer = await asked(gateway, path, fields)
    assert answer.status == 200, answer.body
    booked = settled(gateway)
    assert booked.provider == first
    assert gateway.hedges.started >= 1
    assert sum(bill.cost for bill in booked.bills) == booked.provider_cost
    assert booked.price < booked.provider_cost * 2
    if stream:  # while the kept answer was passed on, the other one was read to its end
        assert len(booked.bills) == 2
        assert not any(bill.usage.estimated for bill in booked.bills)
        assert sum(booked.elsewhere.values()) == booked.bills[1].cost > 0
    await over(gateway)
    own = [failed for failed in borne(gateway) if failed.request_id.startswith(booked.request_id)]
    assert len(booked.bills) + len(own) == 2
    let_go(gateway)


@pytest.mark.parametrize("path", PATHS)
async def test_a_native_answer_tells_of_its_hedge(path: str) -> None:
    stream = streams(path, {})
    gateway = world(stream=stream)
    first = await first_of(gateway, path, {})
    played(gateway, first, stream=stream, delay=SLOW)
    answer = await asked(gateway, path, {})
    body = answer.frames[-1]["data"] if stream else answer.json
    told = body["orchestration_execution"]
    assert told["hedge"]["asked"] is False
    assert (told["hedge"]["kept"], told["hedge"]["other_paid_by"]) == ("second", "house")
    assert told["hedge"]["other"].startswith(first)


@pytest.mark.parametrize("path", PATHS)
async def test_who_asks_for_a_hedge_holds_and_pays_both_arms(path: str) -> None:
    stream = streams(path, {})
    gateway = world(stream=stream, hedged=False)
    fields = {"orchestration_config": HEDGE}
    first = await first_of(gateway, path, fields)
    held: list[int] = []
    gateway.wire.before_send = lambda: held.append(gateway.books.held)
    outrun(gateway, first, stream=stream)
    await asked(gateway, path, fields)
    booked = settled(gateway)
    assert 0 < booked.price <= held[0]
    assert [each.outcome for each in booked.attempts].count(BEATEN) == 1
    assert booked.provider == first
    if stream:
        assert [branch.kept for branch in booked.branches] == [True, False]
        assert booked.price == sum(branch.price for branch in booked.branches)
        assert len(booked.bills) == 2
    await over(gateway)
    let_go(gateway)


@pytest.mark.parametrize(("path", "fields"), DOORS)
async def test_in_every_dialect_a_header_asks_for_a_hedge_and_pays_it(path: str, fields: dict[str, Any]) -> None:
    stream, headers = streams(path, fields), {HEADER: "hedge"}
    gateway = world(stream=stream, hedged=False)
    first = await first_of(gateway, path, fields, headers=headers)
    outrun(gateway, first, stream=stream)
    answer = await asked(gateway, path, fields, headers=headers)
    assert answer.status == 200, answer.body
    assert answer.complete
    booked = settled(gateway)
    assert len(gateway.wire.sent) == 2
    assert [each.outcome for each in booked.attempts].count(BEATEN) == 1
    assert booked.provider == first
    assert [branch.kept for branch in booked.branches] == ([True, False] if stream else [True])
    await over(gateway)
    let_go(gateway)


async def test_the_hold_of_an_asked_hedge_is_both_worst_cases_together() -> None:
    gateway = world(stream=False)
    single = await asked(gateway, "/v1/quote", {})
    both = await asked(gateway, "/v1/quote", {"orchestration_config": HEDGE})
    assert len(both.json["routes"]) == 2
    assert parse_usd(both.json["maximum_usd"]) == sum(parse_usd(each["maximum_usd"]) for each in both.json["routes"])
    assert parse_usd(both.json["expected_usd"]) < 2 * parse_usd(single.json["expected_usd"])


async def test_what_cannot_be_held_for_both_is_not_hedged() -> None:
    fields = {"orchestration_config": HEDGE}
    gateway = world(stream=False)
    both = parse_usd((await asked(gateway, "/v1/quote", fields)).json["maximum_usd"])
    poor = world(stream=False, balance=both * 2 // 3, delays=dict.fromkeys(WHOLE, 0.06))
    answer = await asked(poor, "/v1/execute", fields)
    assert answer.status == 200, answer.body
    assert len(poor.wire.sent) == 1
    assert "held and paid for" in answer.json["orchestration_execution"]["note"]


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "openai/gpt-big"},
        {"model": "auto:best"},
        {"model": "auto:cheap"},
        {"model": "openai/gpt-big", "orchestration_config": HEDGE},
    ],
)
async def test_nobody_is_hedged_unasked_who_named_a_model_or_what_matters(fields: dict[str, Any]) -> None:
    gateway = world(stream=False, delays=dict.fromkeys(WHOLE, 0.06))
    answer = await asked(gateway, "/v1/execute", fields)
    assert answer.status == 200, answer.body
    assert len(gateway.wire.sent) == 1
    assert gateway.hedges.started == 0


async def test_the_operator_turns_it_off() -> None:
    gateway = world(stream=False, delays=dict.fromkeys(WHOLE, 0.06), hedged=False)
    await asked(gateway, "/v1/execute", {})
    assert len(gateway.wire.sent) == 1


async def test_a_pinned_model_is_hedged_by_another_key_where_that_is_asked_for() -> None:
    keys = {"openai": ("sk-1", "sk-2")}
    gateway = world(stream=False, keys=keys)
    slow = replace(wires.openai(), delay=SLOW)
    gateway.wire.play("openai", slow, wires.openai())
    await asked(gateway, "/v1/execute", {"model": "openai/gpt-big", "orchestration_config": HEDGE})
    used = {headers["authorization"] for *_, headers in gateway.wire.sent}
    assert used == {"Bearer sk-1", "Bearer sk-2"}
    assert settled(gateway).price <= gateway.books.asked[-1].amount


TOOLS_ANSWER = [
    {"role": "user", "content": "hi"},
    {
        "role": "assistant",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "done"},
]
OFFERED = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]


@pytest.mark.parametrize(("keys", "calls"), [(1, 1), (2, 2)])
async def test_in_the_middle_of_a_tool_session_only_another_key_of_the_same_model_is_asked(
    keys: int, calls: int
) -> None:
    ring = {name: tuple(f"sk-{name}-{number}" for number in range(keys)) for name in WHOLE}
    gateway = world(stream=False, delays=dict.fromkeys(WHOLE, 0.06), keys=ring)
    fields = {"model": "auto", "messages": TOOLS_ANSWER, "tools": OFFERED}
    answer = await asked(gateway, "/v1/chat/completions", fields)
    assert answer.status == 200, answer.body
    assert len(gateway.wire.sent) == calls
    assert len({sent[0] for sent in gateway.wire.sent}) == 1


@pytest.mark.parametrize("path", PATHS)
async def test_an_arm_that_fails_leaves_the_answer_to_the_other(path: str) -> None:
    stream = streams(path, {})
    gateway = world(stream=stream)
    first = await first_of(gateway, path, {})
    gateway.wire.play(first, Script(delay=0.05, before=FailureKind.CONNECTION))
    for provider in WHOLE:
        if provider != first:
            played(gateway, provider, stream=stream, delay=0.08)
    answer = await asked(gateway, path, {})
    assert answer.status == 200
    booked = settled(gateway)
    assert [each.outcome for each in booked.attempts] == ["connection", "served"]
    body = answer.frames[-1]["data"] if stream else answer.json
    assert body["orchestration_execution"]["hedge"]["other_paid_by"] is None
    let_go(gateway)


@pytest.mark.parametrize("path", PATHS)
async def test_where_every_arm_fails_nobody_is_charged(path: str) -> None:
    gateway = world(stream=streams(path, {}))
    for provider in WHOLE:
        gateway.wire.play(provider, Script(delay=0.05, before=FailureKind.CONNECTION))
    answer = await asked(gateway, path, {})
    assert answer.status == 502 or answer.frames[-1]["type"] == "error"
    await gateway.settle_down()
    assert not gateway.books.settled
    assert len(gateway.books.voided) == 1
    let_go(gateway)


async def test_while_both_run_a_crash_would_find_both_in_the_books() -> None:
    path = "/v1/execute/stream"
    gateway = world(stream=True)
    first = await first_of(gateway, path, {})
    played(gateway, first, stream=True, delay=SLOW)
    await asked(gateway, path, {})
    drafts = gateway.books.drafts[settled(gateway).request_id]
    alone, both, delivering = drafts[:3]
    assert isinstance(alone, FailedRequest)
    assert isinstance(both, FailedRequest)
    assert [bill.provider for bill in alone.bills] == [first]
    second = settled(gateway).provider
    assert [bill.provider for bill in both.bills] == [first, second]
    assert both.provider_cost == sum(bill.cost for bill in both.bills)
    assert isinstance(delivering, Settlement)
    assert {bill.provider for bill in delivering.bills} == {first, second}


async def test_three_that_were_beaten_in_a_row_are_asked_last() -> None:
    gateway = world(stream=True, health=replace(HEALTH, open_seconds=60.0))
    path = "/v1/execute/stream"
    first = await first_of(gateway, path, {})
    played(gateway, first, stream=True, delay=SLOW)
    for _ in range(6):
        await asked(gateway, path, {})
    assert [sent[0] for sent in gateway.wire.sent].count(first) == 3


@pytest.mark.parametrize("path", PATHS)
async def test_without_any_answer_in_time_nobody_is_charged(path: str) -> None:
    gateway = world(stream=streams(path, {}), delays=dict.fromkeys(WHOLE, 60.0))
    answer = await asked(gateway, path, {"context": {"timeout": 1}})
    assert answer.status == 504 or answer.frames[-1]["type"] == "error"
    await gateway.settle_down()
    assert gateway.hedges.started == 1
    assert not gateway.books.settled
    let_go(gateway)
