"""Open the embedded store: one file, one writer, a few readers, and the ports kept in it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from monkey_coder_server.adapters.storage import migrate
from monkey_coder_server.adapters.storage.accounts import SqlAccounts
from monkey_coder_server.adapters.storage.answers import SqlAnswers
from monkey_coder_server.adapters.storage.audit import SqlAudit
from monkey_coder_server.adapters.storage.keys import SqlKeys
from monkey_coder_server.adapters.storage.ledger import SqlLedger
from monkey_coder_server.adapters.storage.limits import SqlLimits
from monkey_coder_server.adapters.storage.operations import CAPACITY
from monkey_coder_server.adapters.storage.presence import presence
from monkey_coder_server.adapters.storage.quotes import SqlQuotes
from monkey_coder_server.adapters.storage.readers import Readers
from monkey_coder_server.adapters.storage.sql_books import SqlBooks
from monkey_coder_server.adapters.storage.sqlite import open_writer
from monkey_coder_server.adapters.storage.writer import Writer
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.signing import ReceiptSigner

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Storage:
    """Everything kept in the database."""

    ledger: SqlLedger
    books: SqlBooks
    accounts: SqlAccounts
    keys: SqlKeys
    audit: SqlAudit
    limits: SqlLimits
    quotes: SqlQuotes
    answers: SqlAnswers
    writer: Writer
    readers: Readers
    path: Path

    @asynccontextmanager
    async def serving(self, clock: Clock) -> AsyncIterator[None]:
        """Take holds within the block only. The only gateway here first voids what a dead predecessor left open."""

        async def end_orphans() -> None:
            ended = await self.ledger.end_orphans(clock.now())
            if ended:
                logger.warning("voided %d holds of requests that died with an earlier process", ended)

        async with presence(self.path, when_alone=end_orphans):
            yield

    def healthy(self) -> bool:
        """Whether holds can be taken: the writer lives and its last transaction was not lost."""
        return self.writer.alive and not self.writer.failing

    async def close(self) -> None:
        """Serve what is queued, make it durable, and close. Harmless when closed."""
        await self.keys.close()
        await self.writer.close()
        await asyncio.to_thread(self.readers.close)


async def open_storage(url: str | Path, *, signer: ReceiptSigner, clock: Clock, capacity: int = CAPACITY) -> Storage:
    """Migrate and open `sqlite:///FILE` or a path, from the event loop that will use it.

    At most `capacity` operations wait; more are refused as `Unavailable`. Raises `UnsupportedDatabase` for another
    kind of URL and `sqlite3.Error` when the file cannot be used.
    """
    path = migrate.sqlite_path(url)
    await asyncio.to_thread(migrate.upgrade, path)
    writer = Writer(partial(open_writer, path), clock=clock, capacity=capacity)
    await writer.start()
    readers = Readers(path)
    keys = SqlKeys(writer, readers, clock)
    await keys.start()
    return Storage(
        ledger=SqlLedger(writer, readers, signer=signer, clock=clock),
        books=SqlBooks(writer, readers, signer=signer, clock=clock),
        accounts=SqlAccounts(writer, readers),
        keys=keys,
        audit=SqlAudit(writer),
        limits=SqlLimits(writer, readers),
        quotes=SqlQuotes(writer, readers, clock),
        answers=SqlAnswers(writer, readers, clock),
        writer=writer,
        readers=readers,
        path=path,
    )
