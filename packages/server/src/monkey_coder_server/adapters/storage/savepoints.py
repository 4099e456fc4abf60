"""Operations inside an open SQLite transaction: one that raises is undone, and leaves what the others did."""

import sqlite3
from collections.abc import Generator
from typing import Any

from monkey_coder_server.adapters.storage.operations import Job, Steps, unavailable
from monkey_coder_server.adapters.storage.sqlite import SqliteTransaction


def run_together(transaction: SqliteTransaction, jobs: list[Job[Any]], *, savepoint: str | None) -> bool:
    """Run operations inside one savepoint, or as the whole transaction so far; False when one raised: that is undone.

    Raises `sqlite3.Error` when the whole transaction is lost.
    """
    cursor = transaction.cursor
    if savepoint:
        cursor.execute(f"SAVEPOINT {savepoint}")
    try:
        for job in jobs:
            job.run(transaction)
    except Exception as error:  # noqa: BLE001 - whatever it is, the operation raises it again when it runs alone
        _undo(transaction, savepoint, error)
        return False
    if savepoint:
        cursor.execute(f"RELEASE {savepoint}")
    return True


def run_in_steps(
    transaction: SqliteTransaction, job: Job[Any], steps: Steps, *, savepoint: str | None
) -> Generator[None, None, bool]:
    """The same for one heavy operation, which may be left alone with the transaction between its steps."""
    cursor = transaction.cursor
    if savepoint:
        cursor.execute(f"SAVEPOINT {savepoint}")
    try:
        yield from steps(transaction)
    except Exception as error:  # noqa: BLE001 - as above
        _undo(transaction, savepoint, error)
        return False
    if savepoint:
        cursor.execute(f"RELEASE {savepoint}")
    job.returned(None)
    return True


def run_alone(transaction: SqliteTransaction, job: Job[Any]) -> None:
    """Run one operation inside its own savepoint; keep what it raises. Raises as `run_together` does."""
    cursor = transaction.cursor
    cursor.execute("SAVEPOINT job")
    try:
        job.run(transaction)
    except Exception as error:  # noqa: BLE001 - it is raised where the result is read
        _undo(transaction, "job", error)
        job.error = unavailable(type(error).__name__) if isinstance(error, sqlite3.OperationalError) else error
    else:
        cursor.execute("RELEASE job")


def _undo(transaction: SqliteTransaction, savepoint: str | None, error: Exception) -> None:
    """Undo what was done since a savepoint, or all. Raises `sqlite3.OperationalError` when the database has undone it.

    What was begun without a savepoint has to begin anew.
    """
    if not transaction.connection.in_transaction:
        message = f"rolled back by the database: {error}"
        raise sqlite3.OperationalError(message) from error
    if savepoint:
        transaction.cursor.execute(f"ROLLBACK TO {savepoint}")
        transaction.cursor.execute(f"RELEASE {savepoint}")
    else:
        transaction.cursor.execute("ROLLBACK")
