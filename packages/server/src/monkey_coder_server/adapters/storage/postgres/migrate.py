"""Revisions on PostgreSQL: one transaction, under an advisory lock, that nobody who is served waits for long."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.errors import LockNotAvailable

from monkey_coder_server.adapters.storage.operations import UnusableDatabase
from monkey_coder_server.adapters.storage.postgres.connection import Connection, Server, connect
from monkey_coder_server.adapters.storage.postgres.problems import check, unusable

logger = logging.getLogger(__name__)
LOCK_MS = 500
"""How long a change of a table waits for those who use it: a quarter of what a gateway waits for us."""
PAUSE_SECONDS, TRIES = 1, 400
"""Between tries, and how many there are: ten minutes, as long as the longest report or backup of a table may take."""
_LOCK = "SELECT pg_advisory_xact_lock(hashtext(current_schema()), 1129270866)"
AS_LONG_AS_IT_TAKES = timedelta(days=1)
_UNBOUNDED = "SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0"


def current(url: str) -> str | None:
    """The revision; None when the database is empty. Raises `UnusableDatabase`."""
    server = Server(url)
    try:
        connection = _connect(server)
        try:
            [(table,)] = connection.execute("SELECT to_regclass('alembic_version')::text").fetchall()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if table else None
        finally:
            connection.close()
    except psycopg.Error as error:
        raise unusable(server, error) from error
    return str(row[0]) if row else None


def change_tables(url: str, work: Callable[[Any], None]) -> None:
    """Do the work on a SQLAlchemy connection, in a transaction that others who migrate wait for.

    Where a table is in use by a longer transaction, all that was done is undone and tried again: whoever asked for the
    table after us waits for us, so we wait for it no longer than `LOCK_MS`. Raises `UnusableDatabase`.
    """
    from sqlalchemy import NullPool, create_engine  # noqa: PLC0415 - imported with Alembic
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - imported with Alembic

    server = Server(url)
    engine = create_engine("postgresql+psycopg://", creator=lambda: _patient(server), poolclass=NullPool)
    for left in reversed(range(TRIES)):
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql(_LOCK)
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {LOCK_MS}")
                work(connection)
        except psycopg.Error as error:
            raise unusable(server, error) from error
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.OperationalError) and not isinstance(error.orig, LockNotAvailable):
                raise unusable(server, error.orig) from error
            if not isinstance(error.orig, LockNotAvailable):
                raise
            if not left:
                message = f"A table of the {server.shown} stayed in use, so it was not migrated: {error.orig}"
                raise UnusableDatabase(message) from error
            logger.warning("a table is in use by a long transaction; migrating is tried again")
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _connect(server: Server) -> Connection:
    connection = connect(server, "migrations")
    check(connection)
    return connection


def _patient(server: Server) -> Connection:
    """A connection for work that takes as long as the tables are large."""
    connection = _connect(server)
    connection.execute(_UNBOUNDED)
    connection.patience = AS_LONG_AS_IT_TAKES
    connection.autocommit = False
    return connection
