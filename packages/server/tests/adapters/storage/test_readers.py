"""Reads beside the writer: bounded, of one moment, and unable to write."""

import asyncio
import sqlite3
import threading

import pytest

from monkey_coder_server.adapters.storage import holds
from monkey_coder_server.adapters.storage.readers import Readers
from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.ports.ledger import Wallet
from packages.server.tests.adapters.storage.stores import Books
from packages.server.tests.contract.booking import ACCOUNT


async def test_too_many_waiting_reads_are_refused(books: Books) -> None:
    readers, gate = Readers(books.path, threads=1, waiting=2), threading.Event()
    waiting = [asyncio.create_task(readers.read(lambda _: gate.wait())) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await readers.read(lambda _: None)
    gate.set()
    await asyncio.gather(*waiting)
    assert await readers.read(lambda _: "room again") == "room again"
    readers.close()


async def test_a_read_sees_one_moment_while_the_writer_goes_on(books: Books) -> None:
    between, go_on = threading.Event(), threading.Event()

    def twice(transaction: Transaction) -> list[Wallet]:
        first = holds.read_wallet(transaction, ACCOUNT)
        between.set()
        go_on.wait()
        return [first, holds.read_wallet(transaction, ACCOUNT)]

    readers = Readers(books.path)
    reading = asyncio.create_task(readers.read(twice))
    await asyncio.to_thread(between.wait)
    await books.ledger.grant(ACCOUNT, 5, reason="test", idempotency_key="meanwhile")
    go_on.set()
    first, second = await reading
    assert first == second == Wallet(ACCOUNT, 10_000, 0)
    assert (await books.ledger.wallet(ACCOUNT)).balance == 10_005
    readers.close()


async def test_a_reader_cannot_write(books: Books) -> None:
    readers = Readers(books.path)
    with pytest.raises(Unavailable) as refused:
        await readers.read(lambda transaction: holds.credit(transaction, ACCOUNT, 5))
    assert isinstance(refused.value.__cause__, sqlite3.OperationalError)
    readers.close()


async def test_a_missing_file_is_unavailable_not_unauthorised(books: Books) -> None:
    readers = Readers(books.path.parent / "no" / "such.db")
    with pytest.raises(Unavailable):
        await readers.read(lambda _: None)
    readers.close()
