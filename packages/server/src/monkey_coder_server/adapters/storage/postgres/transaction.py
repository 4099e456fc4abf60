"""A transaction on one connection: statements are compiled once, and prepared by the server once they repeat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from typing import Any

from msgspec.json import Encoder
from psycopg import RawCursor
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from monkey_coder_server.adapters.storage.postgres.connection import Connection
from monkey_coder_server.adapters.storage.postgres.sets import ROWS, of_many
from monkey_coder_server.adapters.storage.transaction import Compiled, Parameters, Query, Row

DIALECT = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # not annotated
CHANNEL = "monkey_coder"
"""On which processes tell each other what they have changed."""
_ALONE = b"SELECT pg_advisory_xact_lock(hashtext(current_schema()), $1::int)"
_ALONE_AND_TOLD = _ALONE + b", pg_notify('monkey_coder', $2)"


@dataclass(frozen=True, slots=True)
class _Prepared:
    """SQL with `$1` marks, and what picks their values."""

    text: bytes
    values: Callable[[Parameters], tuple[Any, ...]]


def _picker(compiled: Compiled) -> Callable[[Parameters], tuple[Any, ...]]:
    names, constants = compiled.names, compiled.constants
    return lambda parameters: tuple([constants[name] if name in constants else parameters[name] for name in names])


@cache
def _prepared(query: Query) -> _Prepared:
    """Compiled once in a process."""
    compiled = query.compiled(DIALECT)
    return _Prepared(compiled.text.encode(), _picker(compiled))


@cache
def _prepared_for_many(query: Query) -> _Prepared:
    return _prepared(of_many(query, DIALECT))


_encode = Encoder().encode


@dataclass(slots=True)
class PgTransaction:
    """`Transaction` on one PostgreSQL connection."""

    connection: Connection
    cursor: RawCursor[Row] = field(init=False)

    def __post_init__(self) -> None:
        self.cursor = RawCursor(self.connection)

    def change(self, query: Query, parameters: Parameters) -> int:
        """Run a statement that changes rows; how many."""
        prepared = _prepared(query)
        return self.cursor.execute(prepared.text, prepared.values(parameters)).rowcount

    def change_each(self, query: Query, several: Sequence[Parameters]) -> int:
        """Run a statement that changes rows for each of several parameters, as one statement; how many in all."""
        if len(several) == 1:
            return self.change(query, several[0])
        prepared = _prepared_for_many(query)
        return self.cursor.execute(prepared.text, prepared.values({ROWS: _encode(several).decode()})).rowcount

    def insert_each(self, query: Query, rows: Sequence[Row]) -> int:
        """Run an INSERT for each row, which has its values in the order of the table's columns; how many in all."""
        names = query.columns
        return self.change_each(query, [dict(zip(names, row, strict=True)) for row in rows])

    def rows(self, query: Query, parameters: Parameters) -> list[Row]:
        """Run a statement and take all its rows."""
        prepared = _prepared(query)
        return self.cursor.execute(prepared.text, prepared.values(parameters)).fetchall()

    def row(self, query: Query, parameters: Parameters) -> Row | None:
        """The first row, if any."""
        rows = self.rows(query, parameters)
        return rows[0] if rows else None

    def alone(self, what: str, *, told: bool = False) -> None:
        """Take a lock of this name, kept to the transaction's end; waits at most `LOCK_MS`."""
        number = int.from_bytes(blake2b(what.encode(), digest_size=4).digest(), "big", signed=True)
        if told:
            self.cursor.execute(_ALONE_AND_TOLD, (number, what))
        else:
            self.cursor.execute(_ALONE, (number,))
