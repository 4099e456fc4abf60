"""Operations run together in one transaction, and what becomes of them when it fails."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from random import random
from typing import Any

import psycopg

from monkey_coder_server.adapters.storage.operations import Job, unavailable
from monkey_coder_server.adapters.storage.postgres.connection import ANSWER, Connection, after
from monkey_coder_server.adapters.storage.postgres.problems import CONTENTION, is_lost, told
from monkey_coder_server.adapters.storage.postgres.transaction import PgTransaction

SLICE = timedelta(milliseconds=100)
"""After so long a transaction takes no further operation: others wait for the wallets it has locked."""
APART = 64
"""How many operations get savepoints of their own after one that raised: others may raise as well."""
LONGEST_PAUSE = timedelta(milliseconds=50)
_BEGIN = b"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_current_xact_id()::text"


class Lost(Exception):
    """The connection is gone, and with it all that was not committed. `reason` is what the driver said."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


class InDoubt(Exception):
    """The connection was lost after COMMIT was sent: of which transaction, with which operations."""

    def __init__(self, reason: Exception, transaction_id: str, jobs: Sequence[Job[Any]]) -> None:
        super().__init__(str(reason))
        self.transaction_id = transaction_id
        self.jobs = jobs


class _Raised(Exception):
    """An operation raised, and took the whole transaction with it."""


class Batches:
    """Runs operations on one connection. Raises `Lost` and `InDoubt`; then the connection is closed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._transaction = PgTransaction(connection)
        self._apart = 0

    def run(self, jobs: Sequence[Job[Any]], ended: set[Job[Any]]) -> None:
        """Run operations and commit them, or refuse each; those that are told so are added to `ended`.

        What does not fit into the time of one transaction is left. An operation that raises leaves nothing behind and
        spoils no other: what ran with it is run again, each in a savepoint of its own. When another process was in the
        way each is run in a transaction of its own.
        """
        try:
            if not self._apart:
                try:
                    self._transact(jobs, self._run, ended)
                except _Raised:
                    self._apart = APART
                else:
                    return
            self._apart = max(0, self._apart - len(jobs))
            self._transact(jobs, self._run_apart, ended)
        except CONTENTION:
            self._each_alone(jobs, ended)

    def _transact(self, jobs: Sequence[Job[Any]], run: Callable[[Job[Any]], None], ended: set[Job[Any]]) -> None:
        """Run operations in one transaction while there is time. Raises what `run` raises, rolled back."""
        transaction_id, enough = self._begin(), after(SLICE)
        done = 0
        try:
            for job in jobs:
                job.error = None
                run(job)
                done += 1
                if time.monotonic_ns() > enough:
                    break
        except (*CONTENTION, _Raised):
            self._roll_back()
            raise
        self._commit(transaction_id, jobs[:done])
        ended.update(jobs[:done])

    def _run(self, job: Job[Any]) -> None:
        """Run an operation. Raises `_Raised` when it raised, contention as it is."""
        try:
            job.run(self._transaction)
        except CONTENTION:
            raise
        except Exception as error:
            self._survive(error)
            job.error = told(error)
            raise _Raised from error

    def _run_apart(self, job: Job[Any]) -> None:
        """Run an operation in a savepoint; keep what it raises."""
        self._send(b"SAVEPOINT job")
        try:
            self._run(job)
        except _Raised:
            self._send(b"ROLLBACK TO job; RELEASE job")
        else:
            self._send(b"RELEASE job")

    def _each_alone(self, jobs: Sequence[Job[Any]], ended: set[Job[Any]]) -> None:
        """Run each in its own transaction while there is time."""
        enough = after(SLICE)
        for job in jobs:
            self._alone(job, ended)
            ended.add(job)
            if time.monotonic_ns() > enough:
                return

    def _alone(self, job: Job[Any], ended: set[Job[Any]]) -> None:
        """One operation in its own transaction, again for `ANSWER` while others are in its way."""
        until = after(ANSWER)
        while True:
            try:
                self._transact([job], self._run, ended)
            except _Raised:
                return
            except CONTENTION as error:
                job.error = unavailable(type(error).__name__)
                if time.monotonic_ns() > until:
                    return
                time.sleep(LONGEST_PAUSE.total_seconds() * random())
            else:
                return

    def _begin(self) -> str:
        """Begin; the id by which the server can say later whether the transaction was committed."""
        cursor = self._transaction.cursor
        try:
            cursor.execute(_BEGIN)
            cursor.nextset()
            return str(cursor.fetchall()[0][0])
        except psycopg.Error as error:
            raise self._lose(error) from error

    def _commit(self, transaction_id: str, jobs: Sequence[Job[Any]]) -> None:
        cursor = self._transaction.cursor
        try:
            cursor.execute(b"COMMIT")
        except psycopg.Error as error:
            if is_lost(self._connection, error):
                self._connection.close()
                raise InDoubt(error, transaction_id, jobs) from error
            raise self._lose(error) from error
        if cursor.statusmessage != "COMMIT":
            raise self._lose(psycopg.OperationalError(f"COMMIT was answered by {cursor.statusmessage}"))

    def _send(self, statement: bytes) -> None:
        try:
            self._transaction.cursor.execute(statement)
        except psycopg.Error as error:
            raise self._lose(error) from error

    def _roll_back(self) -> None:
        self._send(b"ROLLBACK")

    def _survive(self, error: Exception) -> None:
        """Go on after an error of an operation. Raises `Lost` when it was the connection's end."""
        if is_lost(self._connection, error):
            raise self._lose(error) from error

    def _lose(self, reason: Exception) -> Lost:
        with suppress(psycopg.Error):
            self._connection.close()
        return Lost(reason)
