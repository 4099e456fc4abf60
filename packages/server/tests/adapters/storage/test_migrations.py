"""The revisions build exactly the tables the code speaks to, and take them away again."""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from monkey_coder_server.adapters.storage import immutability, migrate
from monkey_coder_server.adapters.storage.tables import metadata


def schema(path: Path) -> set[tuple[str, str, str]]:
    """Everything in the database; of each definition its words, since constraints may stand in another order."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {
            (kind, name, " ".join(sorted(re.findall(r"[^\s,()]+", sql))))
            for kind, name, sql in rows
            if name != "alembic_version"
        }


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
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).with_name("migrations")))
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]
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


@pytest.mark.system
def test_processes_that_start_together_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "books.db"
    program = f"from monkey_coder_server.adapters.storage import migrate; migrate.upgrade('sqlite:///{path}')"
    starting = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]  # noqa: S603 - our own program
    assert [process.wait(30) for process in starting] == [0, 0, 0]
    assert migrate.current(path) == migrate.HEAD


@pytest.mark.parametrize("url", ["postgresql://db/books", "postgresql+psycopg://u:secret@db/books", "mysql://db"])
def test_another_kind_of_database_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(migrate.UnsupportedDatabase, match="kept in SQLite") as refused:
        migrate.sqlite_path(url)
    assert "secret" not in str(refused.value)


def test_a_url_or_a_path_names_the_file() -> None:
    assert migrate.sqlite_path("sqlite:////data/books.db") == Path("/data/books.db")
    assert migrate.sqlite_path("books.db") == Path("books.db")
    assert migrate.sqlite_path(Path("books.db")) == Path("books.db")
