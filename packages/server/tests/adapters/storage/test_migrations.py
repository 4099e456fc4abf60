"""The revisions build exactly the tables the code speaks to, and take them away again."""

import asyncio
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from monkey_coder_server.adapters.storage import immutability, migrate
from monkey_coder_server.adapters.storage.tables import metadata
from packages.server.tests.adapters.storage.stores import Books
from packages.server.tests.contract.booking import hold_request, lease_wish, resolved


def schema(path: Path) -> set[tuple[str, str, str]]:
    """Everything in the database; of each definition its words, since constraints may stand in another order."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {
            (kind, name, " ".join(sorted(re.findall(r"[^\s,()]+", sql))))
            for kind, name, sql in rows
            if name != "alembic_version"
        }


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).with_name("migrations")))
    return ScriptDirectory.from_config(config)


def test_the_revisions_make_what_the_metadata_says(template: Path, tmp_path: Path) -> None:
    direct = tmp_path / "direct.db"
    engine = create_engine(f"sqlite:///{direct}")
    metadata.create_all(engine)
    engine.dispose()
    assert schema(template) == schema(direct)
    assert len([kind for kind, _, _ in schema(template) if kind == "trigger"]) == 2 * len(immutability.APPEND_ONLY)


def test_alembic_finds_no_difference(template: Path) -> None:
    engine = create_engine(f"sqlite:///{template}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_head_is_the_newest_revision_and_there_is_one(template: Path) -> None:
    assert scripts().get_heads() == [migrate.HEAD]
    assert migrate.current(template) == migrate.HEAD


def test_down_and_up_again(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    assert migrate.current(path) is None
    assert not path.exists()
    migrate.upgrade(path)
    before = schema(path)
    migrate.downgrade(path, "base")
    assert schema(path) == set()
    assert migrate.current(path) is None
    migrate.upgrade(path)
    assert schema(path) == before


REVISIONS = [script.revision for script in reversed(list(scripts().walk_revisions()))]


@pytest.mark.parametrize(("older", "newer"), list(pairwise(REVISIONS)))
def test_the_code_of_a_revision_goes_on_running_on_the_next(older: str, newer: str, tmp_path: Path) -> None:
    """It finds every table and column it names, and what it does not name may be left out of what it writes."""
    path = tmp_path / "books.db"
    migrate.upgrade(path)
    migrate.downgrade(path, newer)
    after = columns(path)
    migrate.downgrade(path, older)
    for table, names in columns(path).items():
        assert names.keys() <= after[table].keys()
        assert not {name for name in after[table].keys() - names.keys() if after[table][name]}, table


def columns(path: Path) -> dict[str, dict[str, bool]]:
    """Of each table its columns, and whether a row needs to be given a value for them."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: {
                name: bool(required and default is None)
                for _, name, _, required, default, _ in connection.execute(f"PRAGMA table_info({table})")
            }
            for table in tables
        }


async def test_what_open_leases_hold_is_free_again_when_their_table_goes(books: Books) -> None:
    lease = await books.books.lease(lease_wish(2_000))
    assert lease is not None
    await books.books.ship([resolved(hold_request(), lease.lease_id, 600)])
    await books.books.place(hold_request(500))
    await asyncio.to_thread(migrate.downgrade, books.path, "0003")
    with closing(sqlite3.connect(books.path)) as connection:
        assert connection.execute("SELECT balance, held FROM wallets").fetchone() == (9_400, 500)
        assert set(connection.execute("SELECT settled, held FROM caps")) == {(600, 500)}


@pytest.mark.system
@pytest.mark.timeout(300)
def test_processes_that_start_together_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "books.db"
    program = f"from monkey_coder_server.adapters.storage import migrate; migrate.upgrade('sqlite:///{path}')"
    starting = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]  # noqa: S603 - our own program
    assert [process.wait(240) for process in starting] == [0, 0, 0]
    assert migrate.current(path) == migrate.HEAD


@pytest.mark.parametrize("url", ["postgresql+psycopg://u:secret@db/books", "mysql://db"])
def test_another_kind_of_database_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(migrate.UnsupportedDatabase, match="kept in SQLite") as refused:
        migrate.sqlite_path(url)
    assert "secret" not in str(refused.value)


def test_a_url_or_a_path_names_the_file() -> None:
    assert migrate.sqlite_path("sqlite:////data/books.db") == Path("/data/books.db")
    assert migrate.sqlite_path("books.db") == Path("books.db")
    assert migrate.sqlite_path(Path("books.db")) == Path("books.db")
