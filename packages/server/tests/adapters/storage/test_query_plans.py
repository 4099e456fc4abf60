"""No statement of the request path walks a table: each finds its rows by an index."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any, LiteralString

import psycopg
import pytest

from monkey_coder_server.adapters.storage import (
    accounts,
    answers,
    audit,
    books,
    caps,
    counting,
    credit_sums,
    expiry,
    grant_rows,
    grants,
    holds,
    idempotency,
    key_rows,
    leases,
    lessons,
    limits,
    payment_cash,
    provider_costs,
    quotes,
    recalls,
    receipt_chain,
    receipt_keys,
    recounting,
    refunds,
    replies,
    reports,
    retention,
    rollups,
    routing_decisions,
    routing_evidence,
    routing_sums,
    routing_texts,
    routing_verdicts,
    shipping,
    statements,
    till,
    unbooked,
    usage_names,
    usage_rows,
    usage_sums,
)
from monkey_coder_server.adapters.storage.postgres.sets import of_many
from monkey_coder_server.adapters.storage.postgres.transaction import DIALECT as POSTGRESQL
from monkey_coder_server.adapters.storage.several import Several
from monkey_coder_server.adapters.storage.sqlite import DIALECT
from monkey_coder_server.adapters.storage.transaction import Query
from packages.server.tests.databases import migrated_template
from tools.postgresql import Cluster

MODULES = (
    accounts,
    answers,
    audit,
    books,
    caps,
    counting,
    credit_sums,
    expiry,
    grant_rows,
    grants,
    holds,
    idempotency,
    key_rows,
    limits,
    leases,
    lessons,
    payment_cash,
    provider_costs,
    quotes,
    recalls,
    receipt_chain,
    receipt_keys,
    recounting,
    reports,
    refunds,
    replies,
    retention,
    rollups,
    routing_decisions,
    routing_evidence,
    routing_sums,
    routing_texts,
    routing_verdicts,
    shipping,
    statements,
    till,
    unbooked,
    usage_names,
    usage_rows,
)
OF_A_BATCH = (
    holds._MOVE,
    caps._MOVE,
    counting._MOVE,
    grant_rows._TAKE,
    books._RECORD,
    books._WRITE,
    receipt_chain._BEGIN,
    receipt_chain._ADVANCE,
    receipt_chain._ISSUE,
    provider_costs._WRITE,
    rollups._ADD,
    usage_rows._WRITE,
    shipping._ENDED,
    shipping._END,
    leases._CHARGE,
    leases._USE_UP,
)
EVERY_REQUEST = (
    holds._RESERVE,
    holds._OPEN,
    caps._ROOM,
    counting._CURRENT,
    grant_rows._LEFT.one,
    receipt_chain._HEAD.one,
    *OF_A_BATCH,
)
WITH_MANY_ROWS = (*OF_A_BATCH, idempotency._REMEMBER, idempotency._RELEASE)
WHOLE_TABLE_WANTED = {
    "accounts._ALL": "the operator's list of all users",
    "lessons._NEWEST": "all that are kept, read once at the start",
    "lessons._OLDEST_KEPT": "walked from the newest to the last that is kept",
    "receipt_keys._ALL": "one row for each key that ever signed",
    "routing_evidence.EVIDENCE.newest": "all that are learnt from, read once at the start",
    "routing_texts.TEXTS.newest": "the same",
    "routing_verdicts.VERDICTS.newest": "the same",
    "statements._NEWEST": "the last entry of the index, read once at the start",
    "unbooked._ALL": "the operator's list of what could not be booked",
}


def queries() -> Iterator[tuple[str, Query]]:
    for module in MODULES:
        yield from _queries_of(module)
    yield from _of_usage_sums()


def _of_usage_sums() -> Iterator[tuple[str, Query]]:
    """Of the statements made for what is grouped by, one of each kind."""
    by: tuple[tuple[usage_sums.Dimension, ...], ...] = (("day",), ("provider", "model"), ("key", "project"))
    for names in by:
        for behind in (False, True):
            yield f"usage_sums.{'-'.join(names)}.{behind}", usage_sums._query(names, behind)


def _queries_of(module: ModuleType) -> Iterator[tuple[str, Query]]:
    for name, value in vars(module).items():
        full_name = f"{module.__name__.rpartition('.')[2]}.{name}"
        if isinstance(value, Query):
            yield full_name, value
        elif isinstance(value, Several):
            yield from [(f"{full_name}.{size}", by_size) for size, by_size in value.by_size.items()]
        elif isinstance(value, routing_sums.Kind):
            parts = ("add", "newest", "changed", "old", "drop")
            yield from [(f"{full_name}.{part}", getattr(value, part)) for part in parts]


@pytest.mark.parametrize(("name", "query"), [pytest.param(name, query, id=name) for name, query in queries()])
def test_rows_are_found_by_an_index(name: str, query: Query, template: Path) -> None:
    """`parts` is what was found, before it is summed."""
    plan = plan_of(query, template)
    walks = [step for step in plan if step.startswith("SCAN") and "CONSTANT ROW" not in step and step != "SCAN parts"]
    assert bool(walks) == (name in WHOLE_TABLE_WANTED), plan


@pytest.mark.parametrize("query", EVERY_REQUEST)
def test_what_every_request_runs_fills_no_temporary_table(query: Query, template: Path) -> None:
    compiled = query.compiled(DIALECT)
    with closing(sqlite3.connect(template)) as connection:
        program = connection.execute(f"EXPLAIN {compiled.text}", [None] * len(compiled.names)).fetchall()
    assert "OpenEphemeral" not in {step[1] for step in program}


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (leases._OTHERS, "ix_leases_open_account (account_id=?)"),
        (leases._OF_INSTANCE, "ix_leases_open_instance (instance=?)"),
        (leases._OVERDUE, "ix_leases_open_expires_at (expires_at<?)"),
        (recalls._EXTEND, "ix_leases_open_instance (instance=?)"),
        (recalls._RECALL, "ix_leases_open_account (account_id=?)"),
        (recalls._RECALL_OF_KEY, "ix_leases_open_account (account_id=?)"),
        (recalls._RECALLED, "ix_leases_recalled (instance=?)"),
    ],
)
def test_leases_are_found_by_the_index_of_the_few_that_matter(query: Query, index: str, template: Path) -> None:
    """However many leases have ended, these look at open or recalled ones alone."""
    assert any(step.endswith(index) for step in plan_of(query, template)), plan_of(query, template)


MANY_OPEN: tuple[LiteralString, ...] = (
    "INSERT INTO wallets (account_id, balance, held) SELECT 'acc_' || n, 0, 0 FROM generate_series(0, 499) n",
    """
    INSERT INTO holds
        (request_id, account_id, key_id, amount, charged, state, day, month, at, expires_at, resolved_at)
    SELECT 'req_' || n, 'acc_' || n % 500, 'key_' || n % 500, 1, 0, CASE WHEN n % 5 = 0 THEN 'open' ELSE 'voided' END,
        '2026-11-22', '2026-11', n, n, CASE WHEN n % 5 = 0 THEN NULL ELSE n END FROM generate_series(0, 9999) n
    """,
    """
    INSERT INTO leases
        (lease_id, account_id, key_id, instance, day, month, amount, charged, returned, state, taken_at, expires_at)
    SELECT 'lease_' || n, 'acc_' || n % 500, 'key_' || n % 500, 'instance_' || n % 51, '2026-11-22', '2026-11', 1, 0,
        CASE WHEN n % 5 = 0 THEN 0 ELSE 1 END, CASE WHEN n % 5 = 0 THEN 'open' ELSE 'closed' END, n, n
    FROM generate_series(0, 9999) n
    """,
    """
    INSERT INTO grants (grant_id, account_id, kind, priority, amount, remaining, at, expires_at)
    SELECT 'grant_' || n, 'acc_' || n, 'promo', 100, 1, 1, n, n FROM generate_series(0, 9999) n
    """,
    "ANALYZE wallets, holds, leases, grants",
)
"""So many open holds, leases and grants that looking through all of them is no way to find one."""


@pytest.fixture(scope="session")
def planner(postgresql_server: Cluster) -> Iterator[psycopg.Connection]:
    """A connection that plans for any values and walks a table only where it finds no index."""
    with (
        migrated_template(postgresql_server) as name,
        psycopg.connect(postgresql_server.database(name), autocommit=True) as connection,
    ):
        for statement in MANY_OPEN:
            connection.execute(statement)
        for way in ("seqscan", "hashjoin", "mergejoin"):
            connection.execute(f"SET enable_{way} = off".encode())
        connection.execute("SET plan_cache_mode = force_generic_plan")
        yield connection


@pytest.mark.parametrize(("name", "query"), [pytest.param(name, query, id=name) for name, query in queries()])
def test_postgresql_finds_rows_by_an_index(name: str, query: Query, planner: psycopg.Connection) -> None:
    explained = explained_by(planner, query)
    assert not walks_of(explained) or name in WHOLE_TABLE_WANTED, str(explained)


@pytest.mark.parametrize("query", WITH_MANY_ROWS)
def test_postgresql_finds_the_rows_of_a_batch_by_an_index(query: Query, planner: psycopg.Connection) -> None:
    explained = explained_by(planner, of_many(query, POSTGRESQL))
    assert not walks_of(explained), str(explained)


def explained_by(planner: psycopg.Connection, query: Query) -> dict[str, Any]:
    compiled = query.compiled(POSTGRESQL)
    values = ", ".join(["NULL"] * len(compiled.names))
    planner.execute(f"PREPARE asked AS {compiled.text}".encode())
    try:
        asked = f"EXPLAIN (FORMAT JSON) EXECUTE asked{f'({values})' if values else ''}"
        [([explained],)] = planner.execute(asked.encode()).fetchall()
    finally:
        planner.execute("DEALLOCATE asked")
    plan: dict[str, Any] = explained["Plan"]
    return plan


def walks_of(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for step in steps(plan) if walks_a_table(step)]


def steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's step and all below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from steps(below)


def walks_a_table(step: dict[str, Any]) -> bool:
    """Whether a step reads a table from its beginning, or an index without looking anything up in it."""
    kind = step["Node Type"]
    return kind == "Seq Scan" or ("Index" in kind and "Index Cond" not in step)


def plan_of(query: Query, template: Path) -> list[str]:
    compiled = query.compiled(DIALECT)
    with closing(sqlite3.connect(template)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {compiled.text}", [None] * len(compiled.names)).fetchall()
    return [step[3] for step in plan]


@pytest.mark.parametrize("query", [credit_sums._LIST, credit_sums._SUMS])
def test_credit_is_read_without_looking_through_charges(query: Query, template: Path) -> None:
    assert plan_of(query, template)[:2] == [
        "SEARCH transactions USING INDEX ix_transactions_credit (account_id=? AND at>? AND at<?)",
        "SEARCH entries USING PRIMARY KEY (transaction_id=?)",
    ]


@pytest.mark.parametrize("query", [credit_sums._LIST, credit_sums._SUMS])
def test_postgresql_reads_credit_without_looking_through_charges(query: Query, planner: psycopg.Connection) -> None:
    taken = [step for step in steps(explained_by(planner, query)) if step.get("Relation Name") == "transactions"]
    used = [step for step in steps(explained_by(planner, query)) if step.get("Index Name") == "ix_transactions_credit"]
    assert len(taken) == 1
    assert [set(re.findall(r"account_id|at(?= [<>])", step["Index Cond"])) for step in used] == [{"account_id", "at"}]


def test_usage_of_a_time_is_read_in_its_order(template: Path) -> None:
    looked_up = "SEARCH api_keys USING INDEX ix_api_keys_account_id (account_id=?)"
    of_projects_and_teams = [step for number in (1, 2) for step in (f"LIST SUBQUERY {number}", looked_up)]
    plan = plan_of(reports._LINES, template)
    assert [step for step in plan if step not in {*of_projects_and_teams, "CREATE BLOOM FILTER"}] == [
        "SEARCH usage USING PRIMARY KEY (account_id=? AND at>? AND at<?)",
        "SEARCH api_keys USING INDEX sqlite_autoindex_api_keys_1 (key_id=?) LEFT-JOIN",
    ]


def test_cash_of_payments_is_read_without_looking_through_other_entries(
    template: Path, planner: psycopg.Connection
) -> None:
    [query, *_] = payment_cash._CASH.by_size.values()
    assert "SEARCH entries USING INDEX ix_entries_cash (owner=?)" in plan_of(query, template)
    [used] = [step for step in steps(explained_by(planner, query)) if "Index Name" in step]
    assert used["Index Name"] == "ix_entries_cash"
    assert used["Index Cond"].startswith("(owner = ")
