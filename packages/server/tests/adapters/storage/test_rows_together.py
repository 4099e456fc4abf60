"""SQLite takes several rows in one statement where there are so many; what is written and counted is the same."""

import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, insert, literal_column, select
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.sqlite import TOGETHER, SqliteTransaction
from monkey_coder_server.adapters.storage.transaction import Query

THINGS = Table("things", MetaData(), Column("name", Text, primary_key=True), Column("size", Integer, nullable=False))
MANY, SOME = TOGETHER
SIZES = (1, SOME - 1, SOME, SOME + 1, MANY - 1, MANY, MANY + SOME + 1, 3 * MANY + 5)


@pytest.fixture
def transaction() -> Iterator[SqliteTransaction]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE things (name TEXT PRIMARY KEY, size INTEGER NOT NULL CHECK (size >= 0))")
    yield SqliteTransaction(connection)
    connection.close()


def things(count: int) -> list[dict[str, object]]:
    return [{"name": f"thing_{number:03}", "size": number} for number in range(count)]


def stored(transaction: SqliteTransaction) -> list[dict[str, object]]:
    found = transaction.cursor.execute("SELECT name, size FROM things ORDER BY name")
    return [{"name": name, "size": size} for name, size in found]


@pytest.mark.parametrize("count", SIZES)
def test_every_row_is_written_once_whatever_their_number(transaction: SqliteTransaction, count: int) -> None:
    assert transaction.change_each(Query(insert(THINGS)), things(count)) == count
    assert stored(transaction) == things(count)


@pytest.mark.parametrize("count", SIZES)
def test_a_row_without_names_has_its_values_in_the_order_of_the_columns(
    transaction: SqliteTransaction, count: int
) -> None:
    rows = [(each["name"], each["size"]) for each in things(count)]
    assert transaction.insert_each(Query(insert(THINGS)), rows) == count
    assert stored(transaction) == things(count)


def test_a_statement_that_writes_to_no_table_has_no_columns() -> None:
    assert Query(insert(THINGS)).columns == ("name", "size")
    with pytest.raises(TypeError, match="writes to no table"):
        _ = Query(select(THINGS)).columns


@pytest.mark.parametrize("count", SIZES)
def test_rows_that_are_there_are_not_counted(transaction: SqliteTransaction, count: int) -> None:
    unless_there = Query(insert_or_not(THINGS).on_conflict_do_nothing())
    transaction.change_each(unless_there, things(count)[::2])
    assert transaction.change_each(unless_there, things(count)) == count // 2
    assert stored(transaction) == things(count)


def test_what_has_a_constant_in_it_is_written_row_by_row(transaction: SqliteTransaction) -> None:
    seven = Query(insert(THINGS).values(name=bindparam("name"), size=literal_column("7")))
    assert transaction.change_each(seven, things(SOME)) == SOME
    assert {each["size"] for each in stored(transaction)} == {7}


def test_one_wrong_row_is_refused_among_many(transaction: SqliteTransaction) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        transaction.change_each(Query(insert(THINGS)), [*things(SOME - 1), {"name": "wrong", "size": -1}])


def test_so_many_rows_are_one_statement(transaction: SqliteTransaction) -> None:
    seen: list[str] = []
    transaction.connection.set_trace_callback(seen.append)
    transaction.change_each(Query(insert(THINGS)), things(2 * MANY + SOME + 1))
    assert len(seen) == 4
