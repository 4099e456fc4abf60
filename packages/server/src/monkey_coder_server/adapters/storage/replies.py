"""Kept replies of requests that make something: rows of the idempotency table without a hold."""

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import bindparam, select, update

from monkey_coder_server.adapters.storage import idempotency
from monkey_coder_server.adapters.storage.moments import MICROSECOND, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.tables import idempotency as table
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.errors import RequestInProgress
from monkey_coder_server.ports.ledger import IdempotencyKey

BEING_MADE = b"being made"
"""In place of a reply. A key of a request that holds credit has none instead, and belongs to its hold."""
STALE = timedelta(minutes=1)
_FRESH = Query(
    select(table.c.at).where(
        table.c.account_id == bindparam("account"),
        table.c.key == bindparam("given"),
        table.c.at >= bindparam("before"),
    )
)
_TAKE_OVER = Query(
    update(table)
    .where(
        table.c.account_id == bindparam("account"),
        table.c.key == bindparam("given"),
        table.c.at < bindparam("before"),
        table.c.body == bindparam("marked"),
    )
    .values(at=bindparam("now"))
)


class SqlReplies:
    """`ports.replies.Replies`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def claim(self, account_id: str, key: IdempotencyKey, at: datetime) -> bytes | None:
        """Take the key, or the reply that is kept under it. The errors are those of the port."""
        return await self._writer.perform(partial(_claim, account_id, key, to_micros(at)))

    async def find(self, account_id: str, key: IdempotencyKey, at: datetime) -> bytes | None:
        """The reply that is kept under the key, which is not taken. The errors are those of the port."""
        return await self._readers.read(partial(_find, account_id, key, to_micros(at)))

    async def keep(self, account_id: str, key: str, reply: bytes) -> None:
        """Keep the reply; durable on return."""
        await self._writer.perform(lambda transaction: idempotency.remember(transaction, account_id, key, reply))

    async def release(self, account_id: str, key: str) -> None:
        """Give the key back."""
        await self._writer.perform(lambda transaction: idempotency.release(transaction, account_id, key))


def _claim(account_id: str, key: IdempotencyKey, at: int, transaction: Transaction) -> bytes | None:
    earlier = idempotency.claim(transaction, key, account_id=account_id, request_id="", at=at)
    if earlier is None:
        idempotency.remember(transaction, account_id, key.key, BEING_MADE)
        return None
    if earlier.body != BEING_MADE:
        return earlier.body
    stale = {"account": account_id, "given": key.key, "before": at - STALE // MICROSECOND, "now": at}
    if not transaction.change(_TAKE_OVER, {**stale, "marked": BEING_MADE}):
        raise _in_progress()
    return None


def _find(account_id: str, key: IdempotencyKey, at: int, transaction: Transaction) -> bytes | None:
    earlier = idempotency.earlier(transaction, key, account_id=account_id, at=at)
    if earlier is None or earlier.body != BEING_MADE:
        return None if earlier is None else earlier.body
    if transaction.row(_FRESH, {"account": account_id, "given": key.key, "before": at - STALE // MICROSECOND}):
        raise _in_progress()
    return None


def _in_progress() -> RequestInProgress:
    message = "A request with this idempotency key is being answered right now; its reply can be had shortly."
    return RequestInProgress(message, retry_after=1)
