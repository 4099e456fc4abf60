"""Tables change under gateways that serve, beside a transaction that reads them for long: nobody is refused for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from monkey_coder_server.adapters.storage import migrate
from monkey_coder_server.adapters.storage.operations import UnusableDatabase
from monkey_coder_server.adapters.storage.postgres import migrate as on_postgresql
from monkey_coder_server.adapters.storage.postgres.connection import Server, connect

COLUMNS = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'wallets' AND column_name = 'added'"
MADE = "SELECT to_regclass('added_table')::text"


def expand(connection: Any) -> None:
    """What a release adds: a table, and a column to one that is in use."""
    connection.exec_driver_sql("CREATE TABLE added_table (name text PRIMARY KEY)")
    connection.exec_driver_sql("ALTER TABLE wallets ADD COLUMN added bigint")


@contextmanager
def long_report(url: str) -> Iterator[None]:
    """A transaction that has read the table and is not over."""
    with psycopg.connect(url) as reader:
        reader.execute("SELECT count(*) FROM wallets")
        yield


def test_a_change_of_tables_waits_for_a_long_report_and_nobody_waits_for_it_in_vain(
    postgresql_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = threading.Semaphore(0)
    monkeypatch.setattr(on_postgresql.time, "sleep", lambda _seconds: tries.release())
    gateway = connect(Server(postgresql_database), "gateway")
    with long_report(postgresql_database):
        changing = threading.Thread(target=migrate.change_tables, args=(postgresql_database, expand))
        changing.start()
        for _ in range(2):
            while not tries.acquire(blocking=False):
                gateway.execute("SELECT balance FROM wallets").fetchall()
        assert gateway.execute(MADE).fetchone() == (None,)
    changing.join()
    assert gateway.execute(MADE).fetchone() == ("added_table",)
    assert gateway.execute(COLUMNS).fetchone() == (1,)
    assert gateway.execute("SELECT balance FROM wallets").fetchall() == []
    gateway.close()


def test_a_table_that_stays_in_use_is_said_in_one_sentence_and_left_as_it_was(
    postgresql_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_postgresql, "TRIES", 1)
    with long_report(postgresql_database), pytest.raises(UnusableDatabase, match="stayed in use") as refused:
        migrate.change_tables(postgresql_database, expand)
    assert "\n" not in str(refused.value).strip()
    with psycopg.connect(postgresql_database) as connection:
        assert connection.execute(MADE).fetchone() == (None,)
