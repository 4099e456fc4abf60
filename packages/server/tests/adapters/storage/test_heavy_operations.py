"""Heavy operations: they fill turns of the loop and share commits, and nobody waits for more than one of them."""

import asyncio
import time
from collections.abc import Iterator
from functools import partial

import pytest

from monkey_coder_server.adapters.storage import holds, writer
from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.adapters.storage.waiting import JOBS_A_TURN
from monkey_coder_server.adapters.storage.writer import HEAVY, STEPS_NANOSECONDS
from monkey_coder_server.domain.errors import NotFound, Unavailable
from packages.server.tests.adapters.storage.stores import Books
from packages.server.tests.contract.booking import ACCOUNT, hold_request


def nothing(_: Transaction) -> Iterator[None]:
    """A heavy operation that does not do anything."""
    yield


def work() -> None:
    """What fills a turn."""
    until = time.monotonic_ns() + STEPS_NANOSECONDS
    while time.monotonic_ns() < until:
        pass


class OutOfOrder(Exception):
    """What a broken operation raises."""


async def test_heavy_operations_share_a_commit_and_fill_a_turn_each(books: Books) -> None:
    turns: list[int] = []

    def heavy(_: Transaction) -> Iterator[None]:
        turns.append(next_turn[0])
        yield

    async def count() -> None:
        while True:
            next_turn[0] += 1
            await asyncio.sleep(0)

    next_turn = [0]
    counting = asyncio.create_task(count())
    books.script.seen.clear()
    await books.writer.perform_each([partial(heavy) for _ in range(HEAVY)])
    counting.cancel()
    assert books.script.seen.count("COMMIT") == 1
    assert len(set(turns)) == HEAVY


async def test_no_more_heavy_operations_than_a_batch_of_them_share_a_commit(books: Books) -> None:
    books.script.seen.clear()
    await books.writer.perform_each([partial(nothing) for _ in range(2 * HEAVY + 1)])
    assert books.script.seen.count("COMMIT") == 3


async def test_none_at_all_are_done_at_once(books: Books) -> None:
    assert await books.writer.perform_each([]) == []


async def test_nobody_waits_for_more_than_one_heavy_operation(books: Books) -> None:
    story: list[str] = []
    holding: list[asyncio.Task[None]] = []

    async def hold() -> None:
        await books.books.place(hold_request(10))
        story.append("held")

    def heavy(_: Transaction) -> Iterator[None]:
        story.append("heavy")
        if not holding:
            holding.append(asyncio.create_task(hold()))
        yield

    await books.writer.perform_each([partial(heavy) for _ in range(HEAVY)])
    await holding[0]
    assert story.index("held") <= 2
    assert story.count("heavy") == HEAVY


async def test_heavy_operations_get_on_however_many_others_come(books: Books) -> None:
    others = 0

    async def one_after_another() -> None:
        nonlocal others
        while True:
            await books.books.place(hold_request(1))
            others += 1

    holding = [asyncio.create_task(one_after_another()) for _ in range(JOBS_A_TURN)]
    await books.writer.perform_each([partial(nothing) for _ in range(HEAVY)])
    for task in holding:
        task.cancel()
    await asyncio.wait(holding)
    assert others <= (HEAVY + 1) * JOBS_A_TURN


async def test_a_heavy_operation_that_raises_leaves_nothing_and_spoils_no_other(books: Books) -> None:
    def half_done(transaction: Transaction) -> Iterator[None]:
        holds.credit(transaction, ACCOUNT, 77)
        yield
        raise OutOfOrder

    def done(transaction: Transaction) -> Iterator[None]:
        yield
        holds.credit(transaction, ACCOUNT, 1)

    books.script.seen.clear()
    jobs = await books.writer.perform_each([done, half_done])
    assert [type(job.error) for job in jobs] == [type(None), OutOfOrder]
    assert books.script.seen.count("COMMIT") == 1
    assert (await books.ledger.wallet(ACCOUNT)).balance == 10_001


async def test_heavy_operations_whose_commit_fails_are_unavailable_all_of_them(books: Books) -> None:
    books.script.fails_on = "COMMIT"

    def opened(number: int, transaction: Transaction) -> Iterator[None]:
        holds.open_wallet(transaction, account_id=f"acc_{number}")
        yield

    jobs = await books.writer.perform_each([partial(opened, number) for number in range(3)])
    assert [type(job.error) for job in jobs] == [Unavailable] * 3
    books.script.fails_on = ""
    with pytest.raises(NotFound):
        await books.ledger.wallet("acc_2")


async def turns_taken(books: Books, *, late: int) -> int:
    """In how many turns of a loop that is never idle an operation of three steps is run; `late` as the writer's."""
    turns = set[int]()
    turn = 0

    def heavy(_: Transaction) -> Iterator[None]:
        for _step in range(3):
            turns.add(turn)
            work()
            yield

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "LATE_NANOSECONDS", late)
        await books.writer.perform_each([heavy])
    counting.cancel()
    return len(turns)


async def test_a_heavy_operation_stops_between_its_steps(books: Books) -> None:
    assert await turns_taken(books, late=60_000_000_000) == 3


async def test_a_heavy_operation_goes_on_to_its_end_in_a_full_loop(books: Books) -> None:
    assert await turns_taken(books, late=0) == 1


async def test_what_a_heavy_operation_did_before_it_stopped_is_undone_alone(books: Books) -> None:
    def half_done(transaction: Transaction) -> Iterator[None]:
        for _step in range(3):
            holds.credit(transaction, ACCOUNT, 77)
            work()
            yield
        raise OutOfOrder

    def done(transaction: Transaction) -> Iterator[None]:
        holds.credit(transaction, ACCOUNT, 1)
        yield

    jobs = await books.writer.perform_each([partial(done), half_done, partial(done)])
    assert [type(job.error) for job in jobs] == [type(None), OutOfOrder, type(None)]
    assert (await books.ledger.wallet(ACCOUNT)).balance == 10_002
