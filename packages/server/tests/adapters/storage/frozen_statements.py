"""Says again, on either database, what `python -m tools.frozen` wrote down of the code of an earlier revision."""

import base64
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg import RawCursor

from monkey_coder_server.adapters.storage import migrate
from monkey_coder_server.adapters.storage.postgres.connection import Server
from monkey_coder_server.adapters.storage.postgres.connection import connect as connect_to_postgresql
from monkey_coder_server.adapters.storage.sqlite import open_writer

HOW_MANY = frozenset({"most", "page"})
"""Parameters behind LIMIT: SQLite takes no NULL there."""
FOLDER = Path(__file__).with_name("frozen")
Values = Mapping[str, Any]
Said = tuple[str, str, Any, int]
"""A statement's name, how it was said (`change`, `change_each`, `rows`), its values, and how many rows it concerned."""


@dataclass(frozen=True, slots=True)
class Statement:
    """As the code sends it: text, names of its parameters in their order, values of those that are constants."""

    text: str
    names: Sequence[str]
    constants: Values
    of_many: str | None = None

    @property
    def makes_rows(self) -> bool:
        return self.text.strip().startswith("INSERT")

    def arguments(self, values: Values) -> tuple[Any, ...]:
        return tuple(self.constants[name] if name in self.constants else values[name] for name in self.names)

    def no_arguments(self) -> tuple[Any, ...]:
        """Such as no row is found by, but how many to look for."""
        return self.arguments({name: 1 if name in HOW_MANY else None for name in self.names})


class Database(Protocol):
    """An open database of one kind, spoken to as that kind's code does."""

    kind: str

    def run(self, text: str, arguments: Sequence[Any]) -> int:
        """Run one statement; how many rows it changed or found."""

    def say(self, statement: Statement, way: str, values: Any) -> int:
        """Run a statement the way the code did; how many rows it concerned."""

    def attempt(self, statement: Statement) -> None:
        """Have it understood and, if it makes no row, run for nothing, in a database without rows.

        Raises what the driver raises.
        """


class Sqlite:
    kind = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, text: str, arguments: Sequence[Any]) -> int:
        cursor = self._connection.execute(text, arguments)
        return cursor.rowcount if cursor.description is None else len(cursor.fetchall())

    def say(self, statement: Statement, way: str, values: Any) -> int:
        several = values if way == "change_each" else [values]
        return sum(self.run(statement.text, statement.arguments(each)) for each in several)

    def attempt(self, statement: Statement) -> None:
        reads = statement.text.strip().startswith("SELECT")  # run for nothing, `LIMIT NULL` would be a mismatch
        explained = f"EXPLAIN {statement.text}" if reads or statement.makes_rows else statement.text
        self.run(explained, statement.no_arguments())


class Postgresql:
    kind = "postgresql"

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._cursor = RawCursor(connection)

    def run(self, text: str, arguments: Sequence[Any]) -> int:
        return self._cursor.execute(text.encode(), arguments).rowcount

    def say(self, statement: Statement, way: str, values: Any) -> int:
        if way == "change_each" and len(values) > 1:
            assert statement.of_many
            return self.run(statement.of_many, (json.dumps(values, default=_in_base64),))
        return self.run(statement.text, statement.arguments(values[0] if way == "change_each" else values))

    def attempt(self, statement: Statement) -> None:
        for text in filter(None, (statement.text, statement.of_many)):
            self._cursor.execute(f"PREPARE asked AS {text}".encode())
            self._cursor.execute(b"DEALLOCATE asked")
        if not statement.makes_rows:
            self.run(statement.text, statement.no_arguments())


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """A database by its URL; what is said commits at once."""
    if migrate.is_postgresql(url):
        with closing(connect_to_postgresql(Server(url), "frozen")) as connection:
            yield Postgresql(connection)
        return
    with closing(open_writer(migrate.sqlite_path(url))) as connection:
        yield Sqlite(connection)


def statements(revision: str, kind: str) -> dict[str, Statement]:
    """Every statement of a revision's code by its name."""
    return {name: Statement(**given) for name, given in _read(revision, kind).items()}


def business(revision: str) -> dict[str, Any]:
    """What that code said `before` the next revision came and `after`, and the `ending`s it left to be shipped."""
    read: dict[str, Any] = _read(revision, "business")
    return read


def misunderstood(database: Database, said: Mapping[str, Statement]) -> dict[str, str]:
    """The statements a database does not understand, each with what it says to it."""
    wrong: dict[str, str] = {}
    for name, statement in said.items():
        try:
            database.attempt(statement)
        except (sqlite3.Error, psycopg.Error) as error:
            wrong[name] = str(error)
    return wrong


def say_all(database: Database, known: Mapping[str, Statement], said: Sequence[Said]) -> None:
    """Say it in its order; each must concern as many rows as it did at its time."""
    for name, way, values, rows in said:
        assert database.say(known[name], way, values) == rows, (name, values)


def _read(revision: str, name: str) -> Any:
    return json.loads((FOLDER / revision / f"{name}.json").read_text(), object_hook=_bytes)


def _bytes(found: dict[str, Any]) -> Any:
    return base64.b64decode(found["bytes"]) if found.keys() == {"bytes"} else found


def _in_base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
