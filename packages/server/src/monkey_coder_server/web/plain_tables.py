"""CSV and JSON lines. A text that a spreadsheet would take for a formula is given a quote before it in CSV.

Cells that begin with `=`, `+`, `-`, `@`, a tab or a carriage return are formulas to spreadsheet programs (OWASP, CSV
injection): names of keys are their owners' words, and an export is opened by others.
"""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from monkey_coder_server.domain.money import usd
from monkey_coder_server.ports.exports import Column, Kind, Value

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encode = msgspec.json.Encoder().encode


class CsvTable:
    """Implements `ports.exports.TableWriter`: RFC 4180 with a header, times in UTC, money as decimal USD."""

    content_type = "text/csv; charset=utf-8"

    def __init__(self) -> None:
        self._columns: Sequence[Column] = ()

    def begin(self, columns: Sequence[Column]) -> bytes:
        """The header."""
        self._columns = columns
        return _written([[column.name for column in columns]])

    def rows(self, rows: Sequence[Sequence[Value]]) -> bytes:
        """A line each."""
        return _written([[self._cell(*each) for each in zip(self._columns, row, strict=True)] for row in rows])

    def end(self) -> bytes:
        """Nothing: the last line is whole."""
        return b""

    def _cell(self, column: Column, value: Value) -> str:
        if value is None:
            return ""
        if column.kind is Kind.TEXT:
            return harmless(str(value))
        if column.kind is Kind.FLAG:
            return "true" if value else "false"
        return str(_plain(column, value))


class JsonLines:
    """Implements `ports.exports.TableWriter`: an object a line; money as decimal text, so that nothing is rounded."""

    content_type = "application/x-ndjson"

    def __init__(self) -> None:
        self._columns: Sequence[Column] = ()

    def begin(self, columns: Sequence[Column]) -> bytes:
        """Nothing: every line names its columns."""
        self._columns = columns
        return b""

    def rows(self, rows: Sequence[Sequence[Value]]) -> bytes:
        """A line each."""
        lines = [
            {column.name: _plain(column, value) for column, value in zip(self._columns, row, strict=True)}
            for row in rows
        ]
        return b"".join([_encode(line) + b"\n" for line in lines])

    def end(self) -> bytes:
        """Nothing."""
        return b""


def harmless(text: str) -> str:
    """Text no spreadsheet runs."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(column: Column, value: Value) -> Value:
    if isinstance(value, int) and column.kind is Kind.MONEY:
        return usd(value)
    if isinstance(value, int) and column.kind is Kind.TIME:
        return (_EPOCH + timedelta(microseconds=value)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return value


def _written(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
