"""A beaten arm delays nobody and is in the books: exactly where it ended, flagged where this process ended before."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.features.inference.house import BEATEN_UNPAID
from monkey_coder_server.ports.ledger import HOUSE, FailedRequest
from monkey_coder_server.ports.provider import CancelPolicy
from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.hedged_world import (
    HEDGE,
    PATHS,
    STREAMED,
    asked,
    borne,
    counting,
    first_of,
    let_go,
    over,
    played,
    settled,
    streams,
    world,
)

LONG = 4_000
"""Times a piece of an answer is repeated: far more than is worth reading when a caller has left."""


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with counting(monkeypatch):
        yield


@dataclass
class Outlived:
    """A gateway with a request that is answered while its first arm, at `provider`, waits for a `word`."""

    gateway: Gateway
    provider: str
    request_id: str
    word: asyncio.Event

    def borne(self) -> list[FailedRequest]:
        """What the house saw through of the request."""
        return [each for each in borne(self.gateway) if each.request_id == f"{self.request_id}.beaten"]

    async def spoken(self) -> FailedRequest:
        """Let the beaten arm speak; how it ended in the books."""
        self.word.set()
        await over(self.gateway)
        [failed] = self.borne()
        return failed


async def outlived(
    path: str,
    *,
    policy: CancelPolicy = CancelPolicy.DRAIN,
    fields: dict[str, Any] | None = None,
    hedged: bool = True,
    **how: Any,
) -> Outlived:
    """`how` the beaten arm answers, beside what answers of its provider are."""
    fields, word = fields or {}, asyncio.Event()
    stream = streams(path, fields)
    gateway = world(stream=stream, policy=policy, hedged=hedged)
    first = await first_of(gateway, path, fields)
    played(gateway, first, stream=stream, word=word, **how)
    answer = await asked(gateway, path, fields)
    assert answer.status == 200, answer.body
    return Outlived(gateway, first, settled(gateway).request_id, word)


@pytest.mark.parametrize("policy", list(CancelPolicy))
@pytest.mark.parametrize("path", PATHS)
async def test_one_that_outlives_its_request_is_read_to_its_end_and_billed_exactly(
    path: str, policy: CancelPolicy
) -> None:
    late = await outlived(path, policy=policy)
    booked = settled(late.gateway)
    assert not late.borne(), "the caller has its answer, and its bill, before the beaten arm says a word"
    assert [bill.provider for bill in booked.bills] == [booked.provider]
    failed = await late.spoken()
    [bill] = failed.bills
    assert (failed.account_id, failed.key_id, failed.error_code) == (HOUSE, HOUSE, BEATEN_UNPAID)
    assert (bill.provider, bill.usage.estimated, bill.cost) == (late.provider, False, failed.provider_cost)
    assert bill.cost > 0
    assert [each.outcome for each in failed.attempts] == [BEATEN_UNPAID]
    assert all(reply.read_pieces == len(reply.script.pieces) for reply in late.gateway.wire.replies)
    let_go(late.gateway)


@pytest.mark.parametrize("path", PATHS)
async def test_one_that_says_nothing_until_this_process_ends_is_booked_at_its_prompt_and_flagged(path: str) -> None:
    late = await outlived(path)
    await late.gateway.settle_down()
    [failed] = late.borne()
    [bill] = failed.bills
    assert (bill.provider, bill.usage.estimated, bill.usage.output) == (late.provider, True, 0)
    assert bill.usage.uncached_input > 0
    let_go(late.gateway)


async def test_a_crash_between_answer_and_end_finds_it_in_the_books() -> None:
    late = await outlived(PATHS[0])
    [draft] = late.gateway.books.drafts[f"{late.request_id}.beaten"]
    assert isinstance(draft, FailedRequest)
    [bill] = draft.bills
    assert (bill.provider, bill.usage.estimated) == (late.provider, True)
    await late.spoken()


async def test_a_long_one_is_read_to_its_end_too_where_a_callers_would_be_given_up() -> None:
    path, fields, word = "/v1/execute/stream", {"context": {"max_tokens": 16_000}}, asyncio.Event()
    gateway = world(stream=True)
    first = await first_of(gateway, path, fields)
    script = STREAMED[first]()
    pieces = [*script.pieces[:2], *script.pieces[2:3] * LONG, *script.pieces[3:]]
    gateway.wire.play(first, replace(script, word=word, pieces=pieces))
    await asked(gateway, path, fields)
    late = Outlived(gateway, first, settled(gateway).request_id, word)
    assert not (await late.spoken()).usage.estimated
    let_go(gateway)


@pytest.mark.parametrize("path", PATHS)
async def test_one_that_fails_after_all_costs_nothing(path: str) -> None:
    late = await outlived(path, before=FailureKind.CONNECTION)
    failed = await late.spoken()
    assert (failed.provider_cost, failed.bills) == (0, ())
    assert [each.outcome for each in failed.attempts] == ["connection"]
    let_go(late.gateway)


async def test_what_an_asked_hedge_does_not_hear_in_time_is_the_houses() -> None:
    late = await outlived("/v1/execute/stream", fields={"orchestration_config": HEDGE}, hedged=False)
    assert [branch.kept for branch in settled(late.gateway).branches] == [True]
    assert (await late.spoken()).provider == late.provider
    let_go(late.gateway)


@pytest.mark.parametrize("path", PATHS)
async def test_an_answer_that_comes_as_the_process_ends_is_booked_and_gives_its_place_back(path: str) -> None:
    """Whichever step of its call the stop meets."""
    for step in range(40):
        late = await outlived(path)
        late.word.set()
        for _ in range(step):
            await asyncio.sleep(0)
        [stopped] = [task.cancel() for task in asyncio.all_tasks() if "_see_through" in repr(task.get_coro())] or [
            False
        ]
        failed = await late.spoken()
        [reply] = [each for each in late.gateway.wire.replies if each.provider == late.provider] or [None]
        whole = reply is not None and reply.read_pieces == len(reply.script.pieces)
        assert failed.usage.estimated is not whole or not stopped, step
        assert failed.provider_cost > 0
        let_go(late.gateway)
