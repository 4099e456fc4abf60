"""Opening and closing the store, and what it tells the readiness check."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.adapters.storage.following import News
from monkey_coder_server.adapters.storage.keys import SqlKeys
from monkey_coder_server.adapters.storage.migrate import UnsupportedDatabase
from monkey_coder_server.adapters.storage.open import open_storage
from monkey_coder_server.adapters.storage.sqlite import SqliteTransaction, open_writer
from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.ports.accounts import AuditEntry
from packages.server.tests.adapters.storage.stores import Books
from packages.server.tests.contract.booking import ACCOUNT, NOON, StillClock
from packages.server.tests.contract.test_keys import LAPTOP


async def test_a_store_is_healthy_from_open_to_close(tmp_path: Path, signer: Ed25519Signer) -> None:
    store = await open_storage(f"sqlite:///{tmp_path}/data/books.db", signer=signer, clock=StillClock())
    assert store.healthy()
    await store.close()
    assert not store.healthy()
    await store.close()
    with pytest.raises(Unavailable):
        await store.ledger.open_wallet(ACCOUNT)


async def test_commits_survive_power_loss(tmp_path: Path, signer: Ed25519Signer) -> None:
    store = await open_storage(tmp_path / "books.db", signer=signer, clock=StillClock())

    def pragmas(transaction: Transaction) -> list[object]:
        assert isinstance(transaction, SqliteTransaction)
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [transaction.cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await store.writer.perform(pragmas) == ["wal", 2, 1]
    await store.close()


async def test_a_new_file_is_waited_for_while_another_process_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE first (here)")
        opening = asyncio.create_task(asyncio.to_thread(lambda: open_writer(path).close()))
        await asyncio.sleep(0.1)
        assert not opening.done()
        other.execute("COMMIT")
    await opening


async def test_a_file_that_stays_taken_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monkey_coder_server.adapters.storage.sqlite.BUSY_TIMEOUT_MS", 50)
    path = tmp_path / "books.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE first (here)")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            open_writer(path)


async def test_an_audit_entry_is_kept_with_its_facts(tmp_path: Path, signer: Ed25519Signer) -> None:
    store = await open_storage(tmp_path / "books.db", signer=signer, clock=StillClock())
    await store.audit.record(AuditEntry("cli", "grant", target=ACCOUNT, details="5 USD", at=NOON))
    await store.close()
    connection = sqlite3.connect(tmp_path / "books.db")
    rows = connection.execute("SELECT at, actor, action, target, details FROM audit").fetchall()
    connection.close()
    assert rows == [(1_795_348_800_000_000, "cli", "grant", ACCOUNT, "5 USD")]


async def test_another_kind_of_database_is_refused(signer: Ed25519Signer) -> None:
    with pytest.raises(UnsupportedDatabase):
        await open_storage("mysql://db/books", signer=signer, clock=StillClock())


async def test_keys_are_followed_in_the_background_also_after_the_store_was_away(
    books: Books, signer: Ed25519Signer, caplog: pytest.LogCaptureFixture
) -> None:
    here = await open_storage(books.path, signer=signer, clock=StillClock())
    following = SqlKeys(here.writer, here.readers, StillClock(), News(), refresh_seconds=0)
    await following.start()
    following.touch("key_1", NOON)
    with caplog.at_level(logging.WARNING):
        here.readers._most_waiting = 0
        await asyncio.sleep(0.02)
        here.readers._most_waiting = 512
    assert "API keys were not refreshed" in caplog.text
    await here.keys.create(LAPTOP)
    while LAPTOP.digest not in following._known:  # noqa: ASYNC110 - a snapshot rings no bell
        await asyncio.sleep(0.001)
    await following.close()
    await here.close()
