"""Group commit: one transaction for all that waits, none spoils another, nothing decided is undone silently."""

import asyncio
import sqlite3
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.adapters.storage import holds
from monkey_coder_server.adapters.storage.books import Movement, post
from monkey_coder_server.adapters.storage.operations import Job
from monkey_coder_server.adapters.storage.sqlite import SqliteTransaction, open_writer
from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.adapters.storage.waiting import JOBS_A_TURN
from monkey_coder_server.adapters.storage.writer import APART, LINGER, Writer
from monkey_coder_server.domain.errors import InsufficientCredit, NotFound, Unavailable
from monkey_coder_server.domain.ledger import Account, AccountKind, Entry
from monkey_coder_server.ports.ledger import Hold, HoldRequest, Replay, Wallet
from packages.server.tests.adapters.storage.stores import Books, open_books
from packages.server.tests.contract.booking import ACCOUNT, StillClock, fail, hold_request, idempotent, settle


class OutOfOrder(Exception):
    """What a broken operation raises."""


def broken(_transaction: Transaction) -> None:
    raise OutOfOrder


async def held(books: Books, amount: int = 1_000) -> Job[Hold | Replay]:
    """An operation that has run and whose commit nobody waits for yet."""
    job = books.writer.submit(partial(holds.place, hold_request(amount)), awaited=False)
    async with asyncio.timeout(5):
        while not job.decided:  # noqa: ASYNC110 - nobody else is told of it
            await asyncio.sleep(0)
    assert isinstance(job.result(), Hold)
    return job


async def durable(books: Books, job: Job[Hold | Replay]) -> None:
    books.writer.hurry(job)
    await asyncio.shield(job.committed)
    job.result()


async def placed(books: Books, **changes: Any) -> HoldRequest:
    request = hold_request(**changes)
    assert isinstance(await books.books.place(request), Hold)
    return request


async def test_what_waits_together_is_committed_together(books: Books) -> None:
    books.script.seen.clear()
    await asyncio.gather(*[held(books, 1) for _ in range(100)])
    assert books.script.seen.count("COMMIT") <= 5


async def test_an_operation_is_decided_before_its_commit_and_durable_after(books: Books) -> None:
    books.script.gate.clear()
    waiting = asyncio.create_task(durable(books, await held(books)))
    done, _ = await asyncio.wait({waiting}, timeout=0.05)
    assert not done
    books.script.gate.set()
    await waiting


async def test_an_operation_nobody_waits_for_is_committed_soon_all_the_same(books: Books) -> None:
    before = books.script.seen.count("COMMIT")
    await held(books, 10)
    assert books.script.seen.count("COMMIT") == before
    await asyncio.sleep(10 * LINGER.total_seconds())
    assert (await books.ledger.wallet(ACCOUNT)).held == 10


async def test_an_operation_nobody_waits_for_and_one_close_upon_it_share_a_commit(books: Books) -> None:
    books.script.seen.clear()
    first = await held(books, 10)
    await books.books.place(hold_request(20))
    await durable(books, first)
    assert books.script.seen.count("COMMIT") == 1
    assert (await books.ledger.wallet(ACCOUNT)).held == 30


async def test_what_somebody_waits_for_never_waits_for_company(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monkey_coder_server.adapters.storage.writer.LINGER", timedelta(minutes=1))
    await asyncio.wait_for(durable(books, await held(books)), 5)
    await asyncio.wait_for(settle(books.books, await placed(books)), 5)


async def test_a_writer_lives_from_its_start_to_its_threads_end(tmp_path: Path) -> None:
    writer = Writer(partial(open_writer, tmp_path / "books.db"), clock=StillClock())
    alive = [writer.alive]
    await writer.start()
    alive.append(writer.alive)
    await writer.close()
    assert [*alive, writer.alive] == [False, True, False]


async def test_a_writer_whose_database_does_not_open_is_not_alive(tmp_path: Path) -> None:
    writer = Writer(partial(open_writer, tmp_path / "nowhere" / "books.db"), clock=StillClock())
    with pytest.raises(sqlite3.OperationalError):
        await writer.start()
    await writer.close()
    assert not writer.alive
    with pytest.raises(Unavailable):
        writer.submit(broken)


async def test_a_caller_who_leaves_before_the_decision_holds_nothing(books: Books) -> None:
    books.script.gate.clear()
    committing = asyncio.create_task(books.ledger.open_wallet("acc_2"))
    await asyncio.sleep(0.01)
    leaving = asyncio.create_task(books.books.place(hold_request()))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    books.script.gate.set()
    await committing
    await books.writer.perform(lambda _: None)
    assert await books.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 0)
    assert (await books.ledger.verify()).sound


async def test_one_who_waits_for_a_commit_can_leave_without_ending_the_wait_of_another(books: Books) -> None:
    books.script.gate.clear()
    job = await held(books)
    leaving, staying = (asyncio.create_task(durable(books, job)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    books.script.gate.set()
    await staying
    assert leaving.cancelled() or leaving.cancelling()


async def test_a_replay_is_told_only_once_the_first_result_is_on_disk(books: Books) -> None:
    first = await placed(books, idempotency=idempotent())
    books.script.gate.clear()
    settling = asyncio.create_task(settle(books.books, first, result=b"answer"))
    replaying = asyncio.create_task(books.books.place(hold_request(idempotency=idempotent())))
    done, _ = await asyncio.wait({settling, replaying}, timeout=0.05)
    assert not done
    books.script.gate.set()
    await settling
    assert await replaying == Replay(first.request_id, b"answer")


async def test_an_operation_that_raises_leaves_nothing_and_spoils_no_other(books: Books) -> None:
    def half_done(transaction: Transaction) -> None:
        holds.credit(transaction, ACCOUNT, 77)
        raise OutOfOrder

    results = await asyncio.gather(
        held(books, 10),
        books.writer.perform(half_done),
        held(books, 20),
        books.writer.perform(broken),
        held(books, 30),
        return_exceptions=True,
    )
    assert [type(result).__bases__[0] is Exception for result in results] == [False, True, False, True, False]
    await books.writer.perform(lambda _: None)
    assert await books.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 60)
    assert (await books.ledger.verify()).sound


async def test_what_runs_in_one_turn_shares_a_savepoint_until_something_raises(books: Books) -> None:
    books.script.seen.clear()
    await asyncio.gather(*[held(books, 1) for _ in range(2 * JOBS_A_TURN)])
    assert books.script.seen.count("SAVEPOINT turn") == 1  # the first turn's is the transaction itself
    assert "SAVEPOINT job" not in books.script.seen
    await asyncio.gather(held(books, 1), books.writer.perform(broken), return_exceptions=True)
    assert books.script.seen.count("SAVEPOINT job") == 2
    books.script.seen.clear()
    await asyncio.gather(*[held(books, 1) for _ in range(APART)])
    await asyncio.gather(*[held(books, 1) for _ in range(JOBS_A_TURN)])
    assert books.script.seen.count("SAVEPOINT job") == APART
    assert books.script.seen.count("SAVEPOINT turn") == 1
    await books.writer.perform(lambda _: None)
    assert (await books.ledger.wallet(ACCOUNT)).held == 3 * JOBS_A_TURN + 1 + APART


async def test_what_comes_first_is_undone_whole_and_runs_again_though_another_process_writes_meanwhile(
    books: Books,
) -> None:
    other, loop = sqlite3.connect(books.path, isolation_level=None), asyncio.get_running_loop()
    tries = []

    def write_meanwhile() -> None:
        other.execute("BEGIN IMMEDIATE")
        loop.call_later(0.02, other.execute, "COMMIT")

    def half_done(transaction: Transaction) -> None:
        holds.credit(transaction, ACCOUNT, 77)
        if not tries:
            loop.call_soon(write_meanwhile)
        tries.append("half done")
        raise OutOfOrder

    placed_first, broken_later = held(books, 10), books.writer.perform(half_done)
    results = await asyncio.gather(placed_first, broken_later, return_exceptions=True)
    assert [type(result) for result in results] == [Job, OutOfOrder]
    assert len(tries) == 2
    assert await books.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 10)
    assert (await books.ledger.verify()).sound
    other.close()


async def test_a_transaction_the_database_itself_gave_up_is_lost_for_all_in_it(books: Books) -> None:
    def given_up(transaction: Transaction) -> None:
        assert isinstance(transaction, SqliteTransaction)
        transaction.connection.cursor().execute("ROLLBACK")
        raise OutOfOrder

    results = await asyncio.gather(
        books.ledger.open_wallet("acc_2"), books.writer.perform(given_up), return_exceptions=True
    )
    assert [type(result) for result in results] == [Unavailable, Unavailable]
    with pytest.raises(NotFound):
        await books.ledger.wallet("acc_2")
    await books.ledger.open_wallet("acc_2")


async def test_entries_that_do_not_sum_to_zero_are_not_booked(books: Books) -> None:
    lopsided = [Entry(Account(AccountKind.CUSTOMER_CREDIT, ACCOUNT), 5), Entry(Account(AccountKind.PROMOTIONS), -4)]
    movement = Movement("grant:wrong", "grant", ACCOUNT, 0)
    with pytest.raises(ValueError, match="sum to 1"):
        await books.writer.perform(lambda transaction: post(transaction, movement, lopsided))


@pytest.mark.parametrize("statement", ["COMMIT", "BEGIN", "INSERT INTO receipts", "UPDATE wallets"])
async def test_a_full_disk_refuses_and_loses_nothing(books: Books, statement: str) -> None:
    settled, other = await placed(books), await placed(books)
    books.script.fails_on = statement
    for _ in range(2):
        with pytest.raises(Unavailable) as refused:
            await settle(books.books, settled, price=600)
        assert refused.value.retry_after
    books.script.fails_on = ""
    assert (await settle(books.books, settled, price=600)).charged == 600
    await fail(books.books, other)
    assert await books.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 9_400, 0)
    assert (await books.ledger.verify()).sound


async def test_what_fails_to_be_committed_is_not_durable_and_not_there(books: Books) -> None:
    books.script.fails_on = "COMMIT"
    books.script.gate.clear()
    job = await held(books)
    books.script.gate.set()
    for _ in range(2):
        with pytest.raises(Unavailable):
            await durable(books, job)
    books.script.fails_on = ""
    assert await books.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 0)
    assert (await books.ledger.verify()).sound


async def test_a_refusal_stays_a_refusal_when_its_transaction_is_lost(books: Books) -> None:
    books.script.fails_on = "COMMIT"
    refused = books.writer.perform(partial(holds.place, hold_request(10_001)))
    results = await asyncio.gather(refused, books.ledger.open_wallet("acc_2"), return_exceptions=True)
    assert [type(result) for result in results] == [InsufficientCredit, Unavailable]


async def test_a_lost_transaction_shows_until_one_succeeds_or_some_seconds_pass(books: Books) -> None:
    books.script.fails_on = "COMMIT"
    with pytest.raises(Unavailable):
        await books.ledger.open_wallet("acc_2")
    assert books.writer.failing
    books.clock.forward(timedelta(seconds=6))
    assert not books.writer.failing
    with pytest.raises(Unavailable):
        await books.ledger.open_wallet("acc_2")
    assert books.writer.failing
    books.script.fails_on = ""
    await books.ledger.open_wallet("acc_2")
    assert not books.writer.failing


async def test_a_full_queue_refuses_at_once(template: Path, tmp_path: Path, signer: Ed25519Signer) -> None:
    async with open_books(template, tmp_path / "books.db", signer, capacity=4) as books:
        books.script.gate.clear()
        committing = asyncio.create_task(durable(books, await held(books)))
        await asyncio.sleep(0.01)
        waiting = [asyncio.create_task(books.ledger.open_wallet(f"acc_{number}")) for number in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as refused:
            await books.books.place(hold_request())
        assert refused.value.retry_after
        books.script.gate.set()
        await asyncio.gather(committing, *waiting)
        assert (await books.ledger.verify()).sound


async def test_closing_serves_what_waits_and_refuses_what_comes_later(books: Books) -> None:
    waiting = [asyncio.create_task(durable(books, await held(books, 1))) for _ in range(50)]
    settling = [asyncio.create_task(books.ledger.open_wallet(f"acc_{number}")) for number in range(50)]
    await asyncio.sleep(0)
    await books.writer.close()
    await books.writer.close()
    await asyncio.gather(*waiting, *settling)
    with pytest.raises(Unavailable):
        await books.books.place(hold_request())
    assert await books.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 50)


async def test_a_file_that_is_no_database_is_refused_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    path.write_text("this is a letter, not a database " * 100)
    with pytest.raises(sqlite3.DatabaseError):
        await Writer(partial(open_writer, path), clock=StillClock()).start()


async def test_another_process_that_writes_is_waited_for(books: Books) -> None:
    other = sqlite3.connect(books.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    holding = [asyncio.create_task(held(books, 10)) for _ in range(3)]
    done, _ = await asyncio.wait(holding, timeout=0.05)
    assert not done
    other.execute("COMMIT")
    await asyncio.gather(*holding)
    other.close()
    await books.writer.perform(lambda _: None)
    assert (await books.ledger.wallet(ACCOUNT)).held == 30


async def test_one_that_lets_go_for_a_moment_only_is_looked_at_all_the_time(books: Books) -> None:
    other = sqlite3.connect(books.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    books.script.seen.clear()
    holding = asyncio.create_task(held(books, 10))
    async with asyncio.timeout(4):
        while books.script.seen.count("BEGIN IMMEDIATE") < 100:  # noqa: ASYNC110 - nobody else is told of it
            await asyncio.sleep(0)
    other.execute("COMMIT")
    await holding
    other.close()


async def test_other_tasks_have_their_turn_between_operations(books: Books) -> None:
    turns = 0

    async def other_work() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    working = asyncio.create_task(other_work())
    await asyncio.gather(*[held(books, 1) for _ in range(200)])
    working.cancel()
    assert turns >= 200 // JOBS_A_TURN


async def test_closing_on_a_full_disk_ends_with_every_operation_answered(books: Books) -> None:
    books.script.fails_on = "BEGIN"
    waiting = [asyncio.create_task(books.ledger.open_wallet(f"acc_{number}")) for number in range(3)]
    await asyncio.sleep(0)
    await asyncio.wait_for(books.writer.close(), 5)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * 3
    await books.writer.close()


async def test_a_lock_that_is_never_let_go_is_unavailable(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monkey_coder_server.adapters.storage.writer.BUSY_TIMEOUT_MS", 20)
    other = sqlite3.connect(books.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    results = await asyncio.gather(*[books.ledger.open_wallet(f"acc_{n}") for n in range(3)], return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * 3
    other.execute("ROLLBACK")
    other.close()
    await books.ledger.open_wallet("acc_2")
    assert await books.ledger.wallet("acc_2") == Wallet("acc_2", 0, 0)
