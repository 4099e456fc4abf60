"""Whatever two arms do and when, and whoever leaves when: one settlement, books that are the bills, nothing leaked."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.ports.ledger import Bill
from monkey_coder_server.ports.provider import CancelPolicy
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Caller, Gateway
from packages.server.tests.features.inference.hedged_world import (
    ALL_GATES,
    ATTEMPT,
    HEDGE,
    LATE,
    PATHS,
    STREAMED,
    WHOLE,
    asked,
    counting,
    ended,
    let_go,
    streams,
    world,
)
from packages.server.tests.features.inference.world import Script


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with counting(monkeypatch):
        yield


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stops", ["caller", "process"])
async def test_caller_or_process_may_leave_at_any_moment(path: str, stops: str) -> None:
    for moment in [0.0, LATE * 0.9, LATE, LATE * 1.1, LATE * 1.5, LATE * 2, LATE * 3]:
        ALL_GATES.clear()
        gateway = world(stream=streams(path, {}), delays=dict.fromkeys(WHOLE, LATE * 2))
        asking = asyncio.create_task(asked(gateway, path, {}))
        await asyncio.sleep(moment)
        if stops == "caller":
            asking.cancel()
        else:
            for task in asyncio.all_tasks():
                if "_carry" in repr(task.get_coro()):
                    task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        await gateway.settle_down()
        await asyncio.sleep(0)
        assert len(ended(gateway)) <= 1
        let_go(gateway)


class Drawn(NamedTuple):
    """What may differ from one run to the next; times in hundredths of the moment at which the second call is made."""

    stream: bool
    asked: bool
    delays: list[int]
    gaps: list[int]
    ends: list[str]
    balance: int
    policy: CancelPolicy
    leaves: int | None


DRAWN = st.builds(
    Drawn,
    stream=st.booleans(),
    asked=st.booleans(),
    delays=st.lists(st.sampled_from([0, 50, 95, 100, 105, 150, 200, 400]), min_size=3, max_size=3),
    gaps=st.lists(st.sampled_from([0, 5, 20]), min_size=3, max_size=3),
    ends=st.lists(st.sampled_from(["well", "well", "before", "cut", "refused"]), min_size=3, max_size=3),
    balance=st.sampled_from([8_000_000, 12_000_000, 20_000_000, 2_000_000_000]),
    policy=st.sampled_from(list(CancelPolicy)),
    leaves=st.sampled_from([None, None, 1, 2, 4]),
)


def script_of(drawn: Drawn, place: int, provider: str) -> Script:
    delay, gap = drawn.delays[place] * LATE / 100, drawn.gaps[place] * LATE / 100
    made = (STREAMED if drawn.stream else WHOLE)[provider]()
    if drawn.ends[place] == "before":
        return Script(delay=delay, before=FailureKind.CONNECTION)
    if drawn.ends[place] == "refused":
        return replace(wires.error(503), delay=delay)
    if drawn.ends[place] == "cut":
        made = replace(made, pieces=made.pieces[:-2], fails=FailureKind.CUT_SHORT)
    return replace(made, delay=delay, gap=gap if drawn.stream else 0.0)


def bills(gateway: Gateway) -> list[Bill]:
    ended = [*(one for one, _ in gateway.books.settled.values()), *gateway.books.voided.values()]
    return [bill for each in ended for bill in each.bills]


def bought(gateway: Gateway) -> Counter[str]:
    """What was read to its end: providers bill that, and say what."""
    return Counter(
        reply.provider
        for reply in gateway.wire.replies
        if reply.status == 200 and reply.script.fails is None and reply.read_pieces == len(reply.script.pieces)
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=DRAWN)
async def test_under_every_interleaving_the_books_are_the_bills_and_nothing_is_leaked(drawn: Drawn) -> None:
    ALL_GATES.clear()
    gateway = world(stream=drawn.stream, balance=drawn.balance, policy=drawn.policy)
    for place, provider in enumerate(WHOLE):
        gateway.wire.play(provider, script_of(drawn, place, provider))
    held: list[int] = []
    gateway.wire.before_send = lambda: held.append(gateway.books.held)
    fields = {"orchestration_config": HEDGE} if drawn.asked else {}
    caller = Caller(drawn.leaves)
    await asked(gateway, "/v1/execute/stream" if drawn.stream else "/v1/execute", fields, caller=caller)
    await gateway.settle_down()
    let_go(gateway)
    assert len(ended(gateway)) <= 1
    assert len(gateway.wire.sent) <= ATTEMPT.attempts
    exact = Counter(bill.provider for bill in bills(gateway) if not bill.usage.estimated)
    assert exact <= bought(gateway) <= Counter(bill.provider for bill in bills(gateway))
    if drawn.leaves is None:
        assert exact == bought(gateway)
    for one, charge in gateway.books.settled.values():
        assert charge.loss == 0
        assert charge.charged == one.price <= held[0] <= drawn.balance
        assert one.provider_cost == sum(bill.cost for bill in one.bills)
        assert one.price == sum(branch.price for branch in one.branches) or not one.branches
        assert one.branches == () or drawn.asked
