"""Which gateways serve from a database: an advisory lock of a connection, which ends however the process ends.

The first to come has it alone and ends what dead ones left open. A server that has just started has forgotten every
lock, so nobody takes itself for alone then; the sweeper ends such holds when their time is over. Whose connection is
lost takes the lock again as soon as it can.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import psycopg

from monkey_coder_server.adapters.storage.postgres.connection import Connection, Server, connect
from monkey_coder_server.adapters.storage.postgres.problems import unusable

LOOK_SECONDS = 5
TRY_AGAIN = timedelta(milliseconds=50)
SETTLED_AFTER = "60 seconds"
_KEY = "hashtext(current_schema()), 1129270867"
_ALONE = f"SELECT now() - pg_postmaster_start_time() > interval '{SETTLED_AFTER}' AND pg_try_advisory_lock({_KEY})"
_JOIN = f"SELECT pg_try_advisory_lock_shared({_KEY})"
_LET_IN = f"SELECT pg_advisory_unlock({_KEY})"


@asynccontextmanager
async def presence(server: Server, *, when_alone: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Count as a gateway on this database for the length of the block.

    `when_alone` runs first if there is no other; one that comes meanwhile waits for it. Raises `UnusableDatabase`.
    """
    try:
        connection = await asyncio.to_thread(connect, server, "presence")
    except psycopg.Error as error:
        raise unusable(server, error) from error
    seat = _Seat(server, connection)
    try:
        try:
            await seat.take(when_alone)
        except psycopg.Error as error:
            raise unusable(server, error) from error
        keeper = asyncio.create_task(seat.keep(), name="presence")
        try:
            yield
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
    finally:
        seat.leave()


class _Seat:
    """The connection that has the lock."""

    def __init__(self, server: Server, connection: Connection) -> None:
        self._server = server
        self._connection = connection
        self._joined = True
        self._left = False

    async def take(self, when_alone: Callable[[], Awaitable[None]]) -> None:
        """Take the lock as `presence` says. Raises `psycopg.Error`."""
        alone = await asyncio.to_thread(self._ask, _ALONE)
        if alone:
            await when_alone()
        while not await asyncio.to_thread(self._ask, _JOIN):  # noqa: ASYNC110 - the lock is another process's
            await asyncio.sleep(TRY_AGAIN.total_seconds())
        if alone:
            await asyncio.to_thread(self._ask, _LET_IN)

    async def keep(self) -> None:
        """Have the lock until cancelled; a database that is away is asked again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(psycopg.Error):
                await asyncio.to_thread(self._look)

    def leave(self) -> None:
        """Let go."""
        self._left = True
        with suppress(psycopg.Error):
            self._connection.close()

    def _ask(self, question: str) -> bool:
        return bool(self._connection.execute(question).fetchall()[0][0])

    def _look(self) -> None:
        """In a thread: see whether the connection still stands; else take the lock on another."""
        if not self._connection.closed:
            with suppress(psycopg.Error):
                self._ask("SELECT true")
        if self._connection.closed:
            self._connection, self._joined = connect(self._server, "presence"), False
        if not self._joined:
            self._joined = self._ask(_JOIN)
        if self._left:
            self._connection.close()
