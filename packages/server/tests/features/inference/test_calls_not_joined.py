"""Which late calls are not joined by a second one: none is a storm on a model in trouble, or beyond the budget."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from monkey_coder_server.features.inference.call_budget import FOR_THE_STUCK, HEDGES
from monkey_coder_server.features.inference.refused_keys import KEYS
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import CARDS, Gateway
from packages.server.tests.features.inference.hedged_world import (
    ALL_GATES,
    HEALTH,
    LATE,
    QUICK,
    SLOW,
    UNHURRIED,
    WHOLE,
    asked,
    counting,
    first_of,
    let_go,
    played,
    world,
)
from packages.server.tests.features.inference.world import ACCOUNT


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with counting(monkeypatch):
        yield


async def test_when_the_budget_is_spent_no_second_call_is_made() -> None:
    gateway = world(stream=False)
    [gates] = ALL_GATES
    now = asyncio.get_running_loop().time()
    for _ in range(int(HEDGES.most)):
        gates.hedges.spend(now)
    for provider in WHOLE:
        played(gateway, provider, stream=False, delay=0.06)
    await asked(gateway, "/v1/execute", {})
    assert len(gateway.wire.sent) == 1


async def test_when_little_is_left_of_the_budget_it_is_kept_for_calls_that_are_twice_as_late() -> None:
    gateway = world(stream=False, health=UNHURRIED)
    [gates] = ALL_GATES
    now = asyncio.get_running_loop().time()
    for _ in range(int(HEDGES.most - FOR_THE_STUCK)):
        gates.hedges.spend(now)
    first = await first_of(gateway, "/v1/execute", {})
    for delay, calls in ((UNHURRIED.hedge_least * 1.5, 1), (UNHURRIED.hedge_least * 3, 2)):
        gateway.wire.sent.clear()
        for provider in WHOLE:
            played(gateway, provider, stream=False, delay=delay if provider == first else QUICK)
        await asked(gateway, "/v1/execute", {})
        assert len(gateway.wire.sent) == calls


@pytest.mark.parametrize("refused", ["first", "others", "another model of the first"])
async def test_no_second_call_is_made_from_or_towards_what_refuses_keys(refused: str) -> None:
    gateway = world(stream=False)
    first = await first_of(gateway, "/v1/execute", {})
    now = asyncio.get_running_loop().time()
    chosen = next(name for name in CARDS if name.startswith(first))
    names = {"first": [chosen], "others": [name for name in CARDS if not name.startswith(first)]}
    for name in names.get(refused, [f"{first}/another"]):
        for key in range(KEYS if "another" in refused else 1):
            gateway.health.refused(name, key, now, began=now, retry_after=None)
    if refused == "others":
        gateway.wire.play(first, *[replace(WHOLE[first](), delay=0.06)] * 2)
    else:
        played(gateway, first, stream=False, delay=0.06)
    await asked(gateway, "/v1/execute", {})
    assert {sent[0] for sent in gateway.wire.sent} == {first}
    assert gateway.hedges.started == 0


def tripped(gateway: Gateway, name: str, *, ago: float) -> None:
    """Open the breaker of a model, so many seconds ago."""
    then = asyncio.get_running_loop().time() - ago
    for _ in range(HEALTH.open_after):
        gateway.health.beaten(name, then, began=then)


async def test_a_probe_is_not_joined() -> None:
    gateway = world(stream=False)
    first = await first_of(gateway, "/v1/execute", {})
    chosen = next(name for name in CARDS if name.startswith(first))
    tripped(gateway, chosen, ago=HEALTH.open_seconds * 2)
    played(gateway, first, stream=False, delay=0.06)
    await asked(gateway, "/v1/execute", {})
    assert [sent[0] for sent in gateway.wire.sent] == [first]
    assert gateway.hedges.started == 0


async def test_who_waits_already_when_the_breaker_opens_is_joined() -> None:
    gateway = world(stream=False, health=UNHURRIED)
    first = await first_of(gateway, "/v1/execute", {})
    chosen = next(name for name in CARDS if name.startswith(first))
    played(gateway, first, stream=False, delay=SLOW)
    asking = asyncio.create_task(asked(gateway, "/v1/execute", {}))
    while not gateway.wire.sent:  # noqa: ASYNC110 - the wire has no event
        await asyncio.sleep(0)
    tripped(gateway, chosen, ago=0.0)
    assert (await asking).status == 200
    assert gateway.hedges.started == 1
    await gateway.settle_down()


async def test_a_call_that_is_made_again_is_not_joined() -> None:
    gateway = world(stream=False, health=UNHURRIED)
    first = await first_of(gateway, "/v1/execute", {})
    for provider in WHOLE:
        played(gateway, provider, stream=False, delay=UNHURRIED.hedge_least * 2)
    gateway.wire.play(first, wires.error(503))
    answer = await asked(gateway, "/v1/execute", {})
    assert answer.status == 200
    assert len(gateway.wire.sent) == 2
    assert gateway.hedges.started == 0


async def test_without_a_free_place_no_second_call_is_made() -> None:
    gateway = world(stream=False)
    [gates] = ALL_GATES
    first = await first_of(gateway, "/v1/execute", {})
    for provider in WHOLE:
        played(gateway, provider, stream=False, delay=0.06)
        while provider != first and gates.of(provider).bulkhead.take(ACCOUNT):
            pass
    await asked(gateway, "/v1/execute", {})
    assert len(gateway.wire.sent) == 1


async def test_for_a_caller_who_left_no_second_call_is_made() -> None:
    gateway = world(stream=True, delays=dict.fromkeys(WHOLE, LATE * 3))
    asking = asyncio.create_task(asked(gateway, "/v1/execute/stream", {}))
    await asyncio.sleep(LATE / 4)
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    await gateway.settle_down()
    assert len(gateway.wire.sent) == 1
    let_go(gateway)
