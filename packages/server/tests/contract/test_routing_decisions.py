"""What routing decided is logged once a request, with how it turned out, for as long as it is kept."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from monkey_coder_server.adapters.storage import routing_decisions as stored
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.ports.routing_store import LoggedDecision, RoutingDecision, RoutingOutcome, Weighed
from packages.server.tests.contract.booking import ACCOUNT, NOON

SECOND = timedelta(seconds=1)
CANDIDATES = (
    Weighed("openai/gpt-5", 0.75, 0.125, 2_000_000, 900, 0.9),
    Weighed("groq/llama ü", 0.5, 0.25, 1_000, 100, 0.1),
)


def decision(number: int, at: datetime = NOON) -> RoutingDecision:
    return RoutingDecision(
        request_id=f"req_{number:05}",
        at=at,
        account_id=ACCOUNT,
        kind="fix",
        language="",
        size="small",
        mode="balanced",
        arm="groq/llama ü",
        propensity=0.1,
        explored=True,
        served="groq/llama ü",
        cost=1_234,
        latency_ms=321,
        candidates=CANDIDATES,
    )


def outcome(number: int, quality: float = 1.0, weight: float = 1.0, at: datetime = NOON) -> RoutingOutcome:
    return RoutingOutcome(f"req_{number:05}", at, quality, weight, "tests_passed")


async def logged(store: Storage, start: datetime = NOON, end: datetime = NOON + 3_600 * SECOND) -> list[LoggedDecision]:
    return [each async for page in store.decisions.between(start, end) for each in page]


async def test_a_decision_comes_back_as_it_was_with_its_outcome(store: Storage) -> None:
    await store.decisions.write([decision(1), decision(2, NOON + SECOND)], [outcome(2)])
    assert await logged(store) == [
        LoggedDecision(decision(1), None),
        LoggedDecision(decision(2, NOON + SECOND), outcome(2)),
    ]


async def test_what_is_written_twice_stands_once_as_it_was_first(store: Storage) -> None:
    await store.decisions.write([decision(1)], [outcome(1)])
    await store.decisions.write([replace(decision(1), cost=9), decision(2)], [outcome(1)])
    assert [(each.decision, each.outcome) for each in await logged(store)] == [
        (decision(1), outcome(1)),
        (decision(2), None),
    ]


async def test_an_outcome_may_come_before_its_decision(store: Storage) -> None:
    await store.decisions.write([], [outcome(1)])
    assert await logged(store) == []
    await store.decisions.write([decision(1)], [])
    assert await logged(store) == [LoggedDecision(decision(1), outcome(1))]


@pytest.mark.parametrize(("later", "counts"), [(0.5, False), (1.0, True)])
async def test_of_two_outcomes_the_heavier_counts_and_of_equals_the_later(
    store: Storage, later: float, *, counts: bool
) -> None:
    first, second = outcome(1, 1.0, 1.0), outcome(1, 0.0, later, NOON + SECOND)
    await store.decisions.write([decision(1)], [first])
    await store.decisions.write([], [second])
    assert [each.outcome for each in await logged(store)] == [second if counts else first]


async def test_a_time_is_read_page_by_page_without_its_end(store: Storage) -> None:
    many = 2 * stored.PAGE + 1
    await store.decisions.write([decision(number, NOON + number // 7 * SECOND) for number in range(many)], [])
    assert [each.decision.request_id for each in await logged(store)] == [f"req_{n:05}" for n in range(many)]
    some = await logged(store, NOON + SECOND, NOON + 2 * SECOND)
    assert [each.decision.request_id for each in some] == [f"req_{n:05}" for n in range(7, 14)]


async def test_what_is_old_is_forgotten_in_pieces(store: Storage) -> None:
    many = stored.FORGOTTEN_AT_ONCE + 1
    await store.decisions.write([decision(number) for number in range(many)], [outcome(1), outcome(many)])
    await store.decisions.write([decision(many, NOON + SECOND)], [])
    before = NOON + SECOND
    assert [await store.decisions.forget(before) for _ in range(3)] == [stored.FORGOTTEN_AT_ONCE + 2, 1, 0]
    assert [(each.decision.request_id, each.outcome) for each in await logged(store)] == [(f"req_{many:05}", None)]
