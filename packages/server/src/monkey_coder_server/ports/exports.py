"""Tables in pieces: what writes a file of rows without ever holding it whole."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

from monkey_coder_server.ports.record import Record

Value = str | int | bool | None


class Kind(StrEnum):
    """What a column holds: text, a count, a flag, nano-dollars, or microseconds since 1970 UTC."""

    TEXT = "text"
    COUNT = "count"
    FLAG = "flag"
    MONEY = "money"
    TIME = "time"


class Column(Record, frozen=True):
    """A column by name."""

    name: str
    kind: Kind


class TableWriter(Protocol):
    """Writes one file. Each call gives the bytes that are ready."""

    content_type: str

    def begin(self, columns: Sequence[Column]) -> bytes:
        """The file's beginning."""

    def rows(self, rows: Sequence[Sequence[Value]]) -> bytes:
        """Some rows."""

    def end(self) -> bytes:
        """The file's end."""


MakeWriter = Callable[[], TableWriter]
