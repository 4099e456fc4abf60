"""The writer's connection over time: opened, lost, opened again with pauses that grow; one log line a change."""

import logging
import time
from contextlib import suppress
from datetime import timedelta
from random import uniform

import psycopg

from monkey_coder_server.adapters.storage.postgres.batch import Batches
from monkey_coder_server.adapters.storage.postgres.connection import ANSWER, Connection, Server, after, connect
from monkey_coder_server.adapters.storage.postgres.problems import check

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = timedelta(milliseconds=100), timedelta(seconds=2)
ASK_AGAIN = timedelta(milliseconds=100)
_TIMELINE = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"
"""Another one after a failover: then the ids of transactions mean others."""


class Link:
    """Used by the writer's thread alone, but for `away`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection: Connection | None = None
        self._timeline = ""
        self._pause = FIRST_PAUSE
        self._away_since: int | None = None
        self.batches: Batches | None = None

    @property
    def away(self) -> bool:
        """Whether the database is known not to answer."""
        return self._away_since is not None

    @property
    def pause(self) -> timedelta:
        """How long to wait before the next attempt: at random, so that many processes do not come at once."""
        return self._pause * uniform(1, 2)

    def open(self) -> Batches:
        """Connect. Raises `psycopg.Error`."""
        connection = connect(self._server, "writer")
        try:
            check(connection)
            self._timeline = str(connection.execute(_TIMELINE).fetchall()[0][0])
        except psycopg.Error:
            connection.close()
            raise
        self._connection, self.batches = connection, Batches(connection)
        if self._away_since is not None:
            logger.warning("the database is back after %d ms", (time.monotonic_ns() - self._away_since) // 1_000_000)
        self._away_since, self._pause = None, FIRST_PAUSE
        return self.batches

    def try_to_open(self) -> Batches | None:
        """Connect, or None; the next pause is longer."""
        try:
            return self.open()
        except psycopg.Error as error:
            self.lose(error)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            return None

    def lose(self, reason: Exception) -> None:
        """Note that the connection is gone."""
        self.close()
        if self._away_since is None:
            self._away_since = time.monotonic_ns()
            logger.error("the %s is away: %s", self._server.shown, " ".join(str(reason).split())[:300])

    def look(self) -> None:
        """Find out whether an idle connection still leads anywhere."""
        if self._connection is not None:
            try:
                self._connection.execute("SELECT 1")
            except psycopg.Error as error:
                self.lose(error)

    def committed(self, transaction_id: str) -> bool | None:
        """Whether a transaction of a lost connection was committed after all; None when nobody can say.

        Answered by the server itself (`pg_xact_status`) within `ANSWER`, on a new connection.
        """
        until, timeline = after(ANSWER), self._timeline
        while time.monotonic_ns() < until:
            if self._connection is not None or self.try_to_open() is not None:
                status = self._status(transaction_id) if self._timeline == timeline else "unknown"
                if status in {"committed", "aborted"}:
                    return status == "committed"
                if status == "unknown":
                    return None
            time.sleep(ASK_AGAIN.total_seconds())
        return None

    def close(self) -> None:
        """Close the connection. Harmless when closed."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = self.batches = None

    def _status(self, transaction_id: str) -> str | None:
        """What the server says; None when it does not answer."""
        if self._connection is None:
            return None
        try:
            found = self._connection.execute("SELECT pg_xact_status(%s::xid8)", (transaction_id,)).fetchall()
        except psycopg.Error as error:
            if self._connection.closed:
                self.lose(error)
                return None
            return "unknown"
        return str(found[0][0] or "unknown")
