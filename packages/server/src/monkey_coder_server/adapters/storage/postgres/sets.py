"""One statement for many rows: their parameters travel as one JSON text, which the server reads as a table.

A statement of a batch is then one round trip that costs the driver 2 us a row, where a statement a row costs it 20.
"""

from typing import Any, cast

from sqlalchemy import (
    JSON,
    ColumnElement,
    Delete,
    Dialect,
    Insert,
    LargeBinary,
    Text,
    Update,
    bindparam,
    column,
    func,
    literal_column,
    select,
)
from sqlalchemy.sql.elements import BindParameter, ClauseElement
from sqlalchemy.sql.visitors import ExternallyTraversible, replacement_traverse

from monkey_coder_server.adapters.storage.transaction import Query

ROWS = "rows"
"""The statement's parameter: a JSON array with an object for each row; bytes are base64."""


def of_many(query: Query, dialect: Dialect) -> Query:
    """The same change for all rows of `ROWS`, of which no two may change the same row of the table.

    Raises `InvalidRequestError` for an INSERT that names its values: a row has one for every column of the table.
    """
    construct = query.construct
    if not isinstance(construct, Insert | Update | Delete):
        message = f"changes nothing: {construct}"
        raise TypeError(message)
    given = _rows(construct, dialect)
    if isinstance(construct, Insert):
        names = [each.name for each in construct.table.columns]
        return Query(construct.from_select(names, select(*[given[name] for name in names])))

    def replace(element: ExternallyTraversible, **_: Any) -> ColumnElement[Any] | None:
        return given.get(element.key) if isinstance(element, BindParameter) else None

    return Query(cast("ClauseElement", replacement_traverse(construct, {}, replace)))


def _rows(construct: Insert | Update | Delete, dialect: Dialect) -> dict[str, ColumnElement[Any]]:
    """What stands for each of the statement's parameters in a row."""
    binds = construct.compile(dialect=dialect).binds
    types = {name: bind.type for name, bind in binds.items() if bind.required}
    binary = {name for name, kind in types.items() if isinstance(kind, LargeBinary)}
    columns = [column(name, Text if name in binary else kind) for name, kind in types.items()]
    table = func.json_to_recordset(bindparam(ROWS, type_=JSON)).table_valued(*columns)
    given = table.render_derived(name="given", with_types=True)
    decoded = {name: func.decode(given.c[name], literal_column("'base64'")) for name in binary}
    return {name: decoded.get(name, given.c[name]) for name in types}
