"""Quotes and their expiry."""

from functools import partial

from sqlalchemy import bindparam, delete, insert, select

from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.people import quotes
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.quotes import StoredQuote

_SAVE = Query(insert(quotes))
_GET = Query(
    select(quotes.c.quote_id, quotes.c.account_id, quotes.c.fingerprint, quotes.c.body, quotes.c.expires_at).where(
        quotes.c.quote_id == bindparam("quote"),
        quotes.c.account_id == bindparam("account"),
        quotes.c.expires_at > bindparam("now"),
    )
)
_FORGET = Query(delete(quotes).where(quotes.c.expires_at <= bindparam("now")))


class SqlQuotes:
    """`ports.quotes.Quotes`. Each save also drops what has expired, so the table stays as large as it is live."""

    def __init__(self, writer: Writing, readers: Reading, clock: Clock) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock

    async def save(self, quote: StoredQuote) -> None:
        """Store a quote; durable on return."""
        await self._writer.perform(partial(_save, quote, to_micros(self._clock.now())))

    async def get(self, account_id: str, quote_id: str) -> StoredQuote | None:
        """An account's quote while it is binding."""
        wanted = {"quote": quote_id, "account": account_id, "now": to_micros(self._clock.now())}
        row = await self._readers.read_of(account_id, lambda transaction: transaction.row(_GET, wanted))
        return None if row is None else _quote(row)


def _save(quote: StoredQuote, now: int, transaction: Transaction) -> None:
    transaction.change(_FORGET, {"now": now})
    transaction.change(
        _SAVE,
        {
            "quote_id": quote.quote_id,
            "account_id": quote.account_id,
            "fingerprint": quote.fingerprint,
            "body": quote.body,
            "expires_at": to_micros(quote.expires_at),
        },
    )


def _quote(row: Row) -> StoredQuote:
    quote_id, account_id, fingerprint, body, expires_at = row
    return StoredQuote(quote_id, account_id, fingerprint, body, from_micros(expires_at))
