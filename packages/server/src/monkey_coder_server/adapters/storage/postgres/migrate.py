"""Revisions on PostgreSQL: one transaction, under an advisory lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg

from monkey_coder_server.adapters.storage.postgres.connection import Connection, Server, connect
from monkey_coder_server.adapters.storage.postgres.problems import check, unusable

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


@contextmanager
def transaction(url: str) -> Iterator[object]:
    """A SQLAlchemy connection in a transaction that others who migrate wait for. Raises `UnusableDatabase`."""
    from sqlalchemy import NullPool, create_engine  # noqa: PLC0415 - imported with Alembic

    server = Server(url)
    try:
        engine = create_engine("postgresql+psycopg://", creator=lambda: _patient(server), poolclass=NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql(_LOCK)
            yield connection
    except psycopg.Error as error:
        raise unusable(server, error) from error


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
