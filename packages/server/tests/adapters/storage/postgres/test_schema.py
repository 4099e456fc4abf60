"""The revisions on PostgreSQL: they make what the metadata says, can be undone, and guard what was written."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from itertools import product

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from monkey_coder_server.adapters.storage import migrate
from monkey_coder_server.adapters.storage.immutability import APPEND_ONLY
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.adapters.storage.operations import UnusableDatabase
from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.adapters.storage.tenancy import WALLED
from monkey_coder_server.ports.accounts import AuditEntry
from packages.server.tests.contract.booking import hold_request, settle
from packages.server.tests.databases import new_database
from tools.postgresql import Cluster


@pytest.fixture
def empty(postgresql_server: Cluster) -> Iterator[str]:
    with new_database(postgresql_server) as url:
        yield url


def described(url: str) -> set[tuple[str, ...]]:
    """Columns, constraints, indexes, triggers and functions of ours."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("""
            SELECT 'column', table_name || '.' || column_name, data_type || is_nullable || coalesce(column_default, '')
            FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
            UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE 'alembic%'
            UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes
            WHERE schemaname = 'public' AND indexname NOT LIKE 'alembic%'
            UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT 'policy', tablename || '.' || policyname, roles::text || cmd || qual FROM pg_policies
            UNION ALL SELECT 'walled', relname, '' FROM pg_class WHERE relrowsecurity
            UNION ALL SELECT 'granted', table_name, grantee || privilege_type FROM information_schema.role_table_grants
            WHERE grantee = 'monkey_tenant'
            UNION ALL SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        """).fetchall()
    return {tuple(row) for row in rows}


def test_the_revisions_make_what_the_metadata_says(postgresql_database: str, empty: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(empty))
    metadata.create_all(engine)
    engine.dispose()
    assert described(postgresql_database) == described(empty)
    assert {name for kind, name, _ in described(empty) if kind == "walled"} == set(WALLED)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(postgresql_database))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_down_and_up_again(empty: str) -> None:
    assert migrate.current(empty) is None
    migrate.upgrade(empty)
    before = described(empty)
    assert migrate.current(empty) == migrate.HEAD
    migrate.downgrade(empty, "base")
    assert described(empty) == set()
    migrate.upgrade(empty)
    assert described(empty) == before


@pytest.mark.system
@pytest.mark.timeout(300)
def test_processes_that_start_together_take_turns(empty: str) -> None:
    program = f"from monkey_coder_server.adapters.storage import migrate; migrate.upgrade('{empty}')"
    starting = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]  # noqa: S603 - our own program
    assert [process.wait(240) for process in starting] == [0, 0, 0]
    assert migrate.current(empty) == migrate.HEAD


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        *product(["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"], ["transactions", "entries", "receipts", "audit"]),
        *product(["TRUNCATE {0} CASCADE"], [table.name for table in APPEND_ONLY]),
    ],
)
async def test_what_was_written_stays_as_it_was_written(
    store: Storage, postgresql_database: str, table: str, statement: str
) -> None:
    asked = hold_request()
    await store.books.place(asked)
    await settle(store.books, asked)
    await store.audit.record(AuditEntry("a", "b", target="c", details="d", at=asked.at))
    column = next(iter(metadata.tables[table].columns)).name

    def change() -> None:
        with psycopg.connect(postgresql_database) as connection:
            connection.execute(statement.format(table, column))

    with pytest.raises(psycopg.IntegrityError, match="is append-only"):
        await asyncio.to_thread(change)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda url: url.rpartition("/")[0] + "/nowhere", "there is no such database"),
        (lambda url: url.replace("postgres@", "nobody:canary@"), "there is no such database or user"),
        (lambda _: "postgresql://me:canary@127.0.0.1:1/books", "is the server running?"),
        (lambda url: url + "?bogus=canary", "it is no postgresql://"),
    ],
    ids=["no database", "no user", "no server", "no url"],
)
def test_what_cannot_be_opened_is_said_in_a_sentence_without_the_password(
    postgresql_server: Cluster, change: object, says: str
) -> None:
    assert callable(change)
    with pytest.raises(UnusableDatabase) as refused:
        migrate.upgrade(change(postgresql_server.url))
    assert says in str(refused.value)
    assert "canary" not in str(refused.value)
