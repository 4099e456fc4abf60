"""No statement of the request path walks a table: each finds its rows by an index."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest

from monkey_coder_server.adapters.storage import (
    accounts,
    answers,
    audit,
    books,
    caps,
    counting,
    holds,
    idempotency,
    key_rows,
    limits,
    quotes,
    receipt_chain,
    recounting,
    settlements,
    usage_rows,
)
from monkey_coder_server.adapters.storage.sqlite import DIALECT
from monkey_coder_server.adapters.storage.transaction import Query

MODULES = (
    accounts,
    answers,
    audit,
    books,
    caps,
    counting,
    holds,
    idempotency,
    key_rows,
    limits,
    quotes,
    receipt_chain,
    recounting,
    settlements,
    usage_rows,
)
EVERY_REQUEST = (
    holds._RESERVE,
    holds._OPEN,
    holds._OPEN_ONE,
    holds._RESOLVE,
    holds._SPEND,
    caps._ROOM,
    caps._MOVE,
    counting._CURRENT,
    counting._MOVE,
    books._RECORD,
    books._lines(4),
    receipt_chain._HEAD,
    receipt_chain._ADVANCE,
    receipt_chain._ISSUE,
    usage_rows._WRITE,
)
WHOLE_TABLE_WANTED = {"accounts._ALL": "the operator's list of all users"}


def queries() -> Iterator[tuple[str, Query]]:
    for module in MODULES:
        yield from _queries_of(module)


def _queries_of(module: ModuleType) -> Iterator[tuple[str, Query]]:
    for name, value in vars(module).items():
        if isinstance(value, Query):
            yield f"{module.__name__.rpartition('.')[2]}.{name}", value


@pytest.mark.parametrize(("name", "query"), [pytest.param(name, query, id=name) for name, query in queries()])
def test_rows_are_found_by_an_index(name: str, query: Query, template: Path) -> None:
    compiled = query.compiled(DIALECT)
    with closing(sqlite3.connect(template)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {compiled.text}", [None] * len(compiled.names)).fetchall()
    walks = [step[3] for step in plan if step[3].startswith("SCAN") and "CONSTANT ROW" not in step[3]]
    assert bool(walks) == (name in WHOLE_TABLE_WANTED), plan


@pytest.mark.parametrize("query", EVERY_REQUEST)
def test_what_every_request_runs_fills_no_temporary_table(query: Query, template: Path) -> None:
    compiled = query.compiled(DIALECT)
    with closing(sqlite3.connect(template)) as connection:
        program = connection.execute(f"EXPLAIN {compiled.text}", [None] * len(compiled.names)).fetchall()
    assert "OpenEphemeral" not in {step[1] for step in program}


def test_usage_of_a_time_is_read_in_its_order(template: Path) -> None:
    compiled = usage_rows._BETWEEN.compiled(DIALECT)
    with closing(sqlite3.connect(template)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {compiled.text}", [None] * len(compiled.names)).fetchall()
    assert [step[3] for step in plan] == ["SEARCH usage USING PRIMARY KEY (account_id=? AND at>? AND at<?)"]
