"""Word of changes by other processes, from PostgreSQL itself: LISTEN on one connection, NOTIFY in their transactions.

A connection that is lost is opened again, with pauses that grow; words may have been missed meanwhile, so then
everything is looked at. That its other end is still there is asked every few seconds, and what time it is there.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from random import uniform

import psycopg

from monkey_coder_server.adapters.storage.following import MOST_APART, News
from monkey_coder_server.adapters.storage.postgres.connection import Connection, Server, connect
from monkey_coder_server.adapters.storage.postgres.transaction import CHANNEL
from monkey_coder_server.ports.clock import Clock

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2
FIRST_PAUSE, LONGEST_PAUSE = timedelta(milliseconds=100), timedelta(seconds=2)


class Listening:
    """`following.Watching` on PostgreSQL. Start and use it from one event loop."""

    def __init__(self, server: Server, news: News, clock: Clock) -> None:
        self.apart = timedelta(0)
        self._clock = clock
        self._server = server
        self._news = news
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the background."""
        self._task = asyncio.create_task(self._run(), name="listening")

    async def close(self) -> None:
        """Stop, after what is asked of the server at the moment. Harmless when it never began."""
        self._closing.set()
        if self._task is not None:
            await self._task

    async def compare(self) -> None:
        """Look at the server's clock before anything is ended by ours. Raises `psycopg.Error`."""
        (await asyncio.to_thread(self._open)).close()

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._closing.is_set():
            try:
                connection = await asyncio.to_thread(self._open)
            except psycopg.Error as error:
                logger.debug("no word of changes from the %s: %s", self._server.shown, error)
                await self._rest(pause * uniform(1, 2))
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            self._news.tell_all()
            try:
                await self._listen(connection)
            except psycopg.Error as error:
                logger.debug("no more word of changes from the %s: %s", self._server.shown, error)
            finally:
                with suppress(psycopg.Error):
                    connection.close()

    async def _listen(self, connection: Connection) -> None:
        """Until closing. Raises `psycopg.Error` when the connection is lost."""
        while not self._closing.is_set():
            await self._something_or_nothing(connection)
            await asyncio.to_thread(self._compare, connection)

    async def _something_or_nothing(self, connection: Connection) -> None:
        """Wait until the server says something, or for `LOOK_SECONDS`, or until closing."""
        came = asyncio.Event()
        socket = connection.fileno()
        self._loop.add_reader(socket, came.set)
        waits = [asyncio.ensure_future(came.wait()), asyncio.ensure_future(self._closing.wait())]
        try:
            await asyncio.wait(waits, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._loop.remove_reader(socket)
            for wait in waits:
                wait.cancel()

    async def _rest(self, pause: timedelta) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(pause.total_seconds()):
                await self._closing.wait()

    def _open(self) -> Connection:
        """In a thread: connect and listen. Raises `psycopg.Error`."""
        connection = connect(self._server, "news")
        connection.add_notify_handler(self._heard)
        try:
            connection.execute(f"LISTEN {CHANNEL}")
            self._compare(connection)
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def _compare(self, connection: Connection) -> None:
        """In a thread: see how far the clocks are apart. Raises `psycopg.Error`."""
        before = self._clock.now()
        [(theirs,)] = connection.execute("SELECT clock_timestamp()").fetchall()
        was, self.apart = self.apart, theirs - (before + (self._clock.now() - before) // 2)
        if abs(was) <= MOST_APART < abs(self.apart):
            logger.error(
                "this machine's clock is %d seconds %s that of the %s: set one of them right, by NTP. "
                "Until then this gateway ends nothing that is past its time, and others may end its leases early",
                (abs(self.apart) + timedelta(milliseconds=500)) // timedelta(seconds=1),
                "behind" if self.apart > timedelta(0) else "ahead of",
                self._server.shown,
            )
        elif abs(self.apart) <= MOST_APART < abs(was):
            logger.warning("this machine's clock agrees with that of the %s again", self._server.shown)

    def _heard(self, word: psycopg.Notify) -> None:
        """In a thread."""
        with suppress(RuntimeError):  # the loop has ended: nobody is left to be told
            self._loop.call_soon_threadsafe(self._news.tell, word.payload)
