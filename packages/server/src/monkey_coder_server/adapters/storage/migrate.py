"""Bring a database to the newest revision, or say which it has."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from monkey_coder_server.adapters.storage.sqlite import BUSY_TIMEOUT_MS

HEAD = "0028"
SCHEME = "sqlite:///"
POSTGRESQL = ("postgresql://", "postgres://")


class UnsupportedDatabase(ValueError):
    """The database URL names what this server cannot keep its books in."""


def is_postgresql(url: str | Path) -> bool:
    """Whether a URL names a PostgreSQL database."""
    return isinstance(url, str) and url.startswith(POSTGRESQL)


def sqlite_path(url: str | Path) -> Path:
    """The file of `sqlite:///file` or of a plain path. Raises `UnsupportedDatabase`."""
    if isinstance(url, Path):
        return url
    if url.startswith(SCHEME):
        return Path(url.removeprefix(SCHEME))
    scheme, mark, _ = url.partition("://")
    if mark:
        message = f"The books are kept in SQLite ({SCHEME}FILE) or PostgreSQL (postgresql://…), not in {scheme}."
        raise UnsupportedDatabase(message)
    return Path(url)


def upgrade(url: str | Path) -> None:
    """Apply all missing revisions in one transaction; two processes that start together take turns.

    Raises `UnusableDatabase` when PostgreSQL cannot be reached, `sqlite3.Error` when the file cannot be used.
    """
    if not is_postgresql(url):
        sqlite_path(url).parent.mkdir(parents=True, exist_ok=True)
    if current(url) != HEAD:
        _run(url, "upgrade", "head")


def downgrade(url: str | Path, revision: str) -> None:
    """Undo revisions down to `revision` (`base`: all). Destroys what they hold."""
    _run(url, "downgrade", revision)


def current(url: str | Path) -> str | None:
    """The revision of a database; None when it is empty or absent."""
    if is_postgresql(url):
        from monkey_coder_server.adapters.storage.postgres import migrate  # noqa: PLC0415 - psycopg is heavy

        return migrate.current(str(url))
    path = sqlite_path(url)
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return None
            raise
    return str(row[0]) if row else None


def _run(url: str | Path, command: str, revision: str) -> None:
    """Run one Alembic command. Alembic is imported here because a database that is up to date never needs it."""
    from alembic import command as alembic_commands  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above

    def work(connection: object) -> None:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        getattr(alembic_commands, command)(config, revision)

    change_tables(url, work)


def change_tables(url: str | Path, work: Callable[[Any], None]) -> None:
    """Do the work on a SQLAlchemy connection, in a transaction beside which no other changes tables.

    Gateways that serve from these tables meanwhile wait for less than they are ready to. Raises as `upgrade`.
    """
    if is_postgresql(url):
        from monkey_coder_server.adapters.storage.postgres import migrate  # noqa: PLC0415 - psycopg is heavy

        migrate.change_tables(str(url), work)
        return
    with _sqlite_transaction(sqlite_path(url)) as connection:
        work(connection)


@contextmanager
def _sqlite_transaction(path: Path) -> Iterator[object]:
    """A connection that holds the write lock from its beginning."""
    from sqlalchemy import create_engine, event  # noqa: PLC0415 - imported with Alembic

    engine = create_engine(f"{SCHEME}{path}", connect_args={"timeout": BUSY_TIMEOUT_MS // 1_000})
    event.listen(engine, "connect", _without_implicit_transactions)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _without_implicit_transactions(connection: sqlite3.Connection, _record: object) -> None:
    """Let only our own BEGIN begin transactions, so that changes of tables are part of them too."""
    connection.isolation_level = None
