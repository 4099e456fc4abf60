"""Open a PostgreSQL database."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import psycopg

from monkey_coder_server.adapters.storage.following import News
from monkey_coder_server.adapters.storage.postgres.connection import Server
from monkey_coder_server.adapters.storage.postgres.listening import Listening
from monkey_coder_server.adapters.storage.postgres.presence import presence
from monkey_coder_server.adapters.storage.postgres.problems import unusable
from monkey_coder_server.adapters.storage.postgres.readers import PgReaders
from monkey_coder_server.adapters.storage.postgres.writer import PgWriter
from monkey_coder_server.ports.clock import Clock

Presence = Callable[[Callable[[], Awaitable[None]]], AbstractAsyncContextManager[None]]


async def connect(
    url: str, news: News, *, clock: Clock, capacity: int
) -> tuple[tuple[PgWriter, PgReaders, Presence], Listening]:
    """The writer, connected, the readers, which connect when they are needed, how to be present, and who listens.

    Raises `UnusableDatabase`.
    """
    server = Server(url)
    writer, listening = PgWriter(server, clock=clock, capacity=capacity), Listening(server, news, clock)
    try:
        await listening.compare()
        await writer.start()
    except psycopg.Error as error:
        raise unusable(server, error) from error
    readers = PgReaders(server, away=lambda: writer.away)
    return (writer, readers, lambda when_alone: presence(server, when_alone=when_alone)), listening
