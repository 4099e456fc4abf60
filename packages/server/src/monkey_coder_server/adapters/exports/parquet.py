"""Parquet by pyarrow, which only those install who export it: `pip install monkey-coder-server[parquet]`."""

import io
from collections.abc import Sequence
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.money import NANO_PER_USD
from monkey_coder_server.ports.exports import Column, Kind, Value

_MONEY_DIGITS, _MONEY_DECIMALS = 20, 9


class ParquetTable:
    """Implements `ports.exports.TableWriter`: a row group for each page; money is DECIMAL(20, 9) USD."""

    content_type = "application/vnd.apache.parquet"

    def __init__(self) -> None:
        if find_spec("pyarrow") is None:
            raise InvalidRequest(
                "This gateway cannot write Parquet: pyarrow is not installed (monkey-coder-server[parquet]). "
                "Ask for csv or jsonl."
            )
        self._sink = io.BytesIO()
        self._columns: Sequence[Column] = ()
        self._schema: Any = None
        self._writer: Any = None

    def begin(self, columns: Sequence[Column]) -> bytes:
        """The file's magic bytes."""
        pa, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
        types = {
            Kind.TEXT: pa.string(),
            Kind.COUNT: pa.int64(),
            Kind.FLAG: pa.bool_(),
            Kind.MONEY: pa.decimal128(_MONEY_DIGITS, _MONEY_DECIMALS),
            Kind.TIME: pa.timestamp("us", tz="UTC"),
        }
        self._columns = columns
        self._schema = pa.schema([(column.name, types[column.kind]) for column in columns])
        self._writer = parquet.ParquetWriter(_Counting(self._sink), self._schema)
        return self._ready()

    def rows(self, rows: Sequence[Sequence[Value]]) -> bytes:
        """A row group."""
        pa = import_module("pyarrow")
        arrays = [
            pa.array([_value(column, row[at]) for row in rows], self._schema.field(at).type)
            for at, column in enumerate(self._columns)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        return self._ready()

    def end(self) -> bytes:
        """The footer, which tells where the row groups are."""
        self._writer.close()
        return self._ready()

    def _ready(self) -> bytes:
        ready = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return ready


class _Counting(io.RawIOBase):
    """A file that is only written on: what was taken off it still counts for positions."""

    def __init__(self, sink: io.BytesIO) -> None:
        super().__init__()
        self._sink = sink
        self._written = 0

    def writable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Everything written so far."""
        return self._written

    def write(self, data: Any) -> int:
        """Take bytes."""
        count = self._sink.write(data)
        self._written += count
        return count


def _value(column: Column, value: Value) -> Any:
    if isinstance(value, int) and column.kind is Kind.MONEY:
        return Decimal(value) / NANO_PER_USD
    return value
