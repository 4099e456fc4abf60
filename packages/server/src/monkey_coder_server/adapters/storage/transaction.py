"""The seam between what a transaction does and the database it runs in.

Bodies of transactions are plain functions over `Transaction`; their statements are SQLAlchemy constructs compiled
once for a dialect to SQL text and run on the driver's own cursor, because SQLAlchemy's cost per execution is above
what the request path can spend.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Dialect, UpdateBase
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

Row = tuple[Any, ...]
Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """SQL, the names of its parameters in their order, and the values of those that are constants."""

    text: str
    names: tuple[str, ...]
    constants: Parameters


class Query:
    """One statement with named parameters."""

    __slots__ = ("construct",)

    def __init__(self, construct: ClauseElement) -> None:
        self.construct = construct

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table it writes to, in their order. Raises `TypeError` when it writes to none."""
        if not isinstance(self.construct, UpdateBase):
            message = f"writes to no table: {self.construct}"
            raise TypeError(message)
        return tuple(self.construct.table.columns.keys())

    def compiled(self, dialect: Dialect) -> Compiled:
        """The SQL in a dialect of positional parameters."""
        compiled = self.construct.compile(dialect=dialect)
        if not isinstance(compiled, SQLCompiler):
            message = f"not a statement with parameters: {compiled}"
            raise TypeError(message)
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        return Compiled(str(compiled), tuple(compiled.positiontup or ()), constants)


class Transaction(Protocol):
    """An open transaction: all its changes become visible and durable together, or not at all."""

    def change(self, query: Query, parameters: Parameters) -> int:
        """Run a statement that changes rows; how many."""

    def change_each(self, query: Query, several: Sequence[Parameters]) -> int:
        """Run a statement for each of several parameters, of which no two change the same row; how many in all."""

    def insert_each(self, query: Query, rows: Sequence[Row]) -> int:
        """Run an INSERT for each row, which has its values in the order of the table's columns; how many in all."""

    def rows(self, query: Query, parameters: Parameters) -> list[Row]:
        """Run a statement and take all its rows, also of `RETURNING`."""

    def row(self, query: Query, parameters: Parameters) -> Row | None:
        """The first row, if any."""

    def alone(self, what: str, *, told: bool = False) -> None:
        """Wait until no other transaction is alone with `what`; until this one ends, others wait. A name is a constant.

        For what is read and then written by many at once and has no row of its own to lock. `told`: every process
        learns of it when this is committed, see `following`.
        """


def change(query: Query, parameters: Parameters, transaction: Transaction) -> int:
    """A whole operation that is one statement; how many rows it changed."""
    return transaction.change(query, parameters)
