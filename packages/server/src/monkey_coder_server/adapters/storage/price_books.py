"""Price books as rows, the activated ones from memory."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, func, insert, literal_column, select
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.following import PRICE_BOOKS, Following, News, change_followed
from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.price_tables import price_activations, price_books
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Row, Transaction
from monkey_coder_server.domain.price_facts import book_facts, read_book
from monkey_coder_server.domain.price_list import Schedule
from monkey_coder_server.ports.price_books import Activation, KeptBook

_NEWEST = Query(select(func.coalesce(func.max(price_activations.c.number), literal_column("0"))))
_KEEP = Query(insert_or_not(price_books).on_conflict_do_nothing())
_ACTIVATE = Query(insert(price_activations))
_OF_NUMBER = Query(
    select(price_activations.c.starts_at, price_books.c.facts)
    .join(price_books, price_books.c.book_id == price_activations.c.book_id)
    .where(price_activations.c.number == bindparam("wanted"))
    .order_by(price_activations.c.starts_at)
)
_ALL = Query(
    select(
        price_activations.c.number,
        price_activations.c.starts_at,
        price_activations.c.book_id,
        price_activations.c.at,
        price_activations.c.activated_by,
        price_activations.c.reason,
    ).order_by(price_activations.c.number.desc(), price_activations.c.starts_at)
)
_KEPT = Query(
    select(price_books.c.facts, price_books.c.source, price_books.c.kept_at).where(
        price_books.c.book_id == bindparam("wanted")
    )
)


class SqlPriceBooks:
    """`ports.price_books.PriceBooks` over a snapshot of the newest activation."""

    def __init__(self, writer: Writing, readers: Reading, news: News) -> None:
        self._writer = writer
        self._readers = readers
        self._known: Schedule = ()
        self._number = 0
        self._following = Following(self.refresh, "Price books")
        news.follow(PRICE_BOOKS, self._following.wake)

    async def start(self) -> None:
        """Load what is activated and begin to follow changes."""
        await self._following.start()

    async def close(self) -> None:
        """Stop following."""
        await self._following.close()

    @property
    def known(self) -> Schedule:
        """What the newest activation says, as known here."""
        return self._known

    @property
    def number(self) -> int:
        """Which activation that is; 0 for none."""
        return self._number

    async def activate(  # noqa: PLR0913 - an activation, by name
        self, schedule: Schedule, *, source: str, by: str, reason: str, at: datetime, after: int | None = None
    ) -> bool:
        """Keep the books of a schedule and charge by it; False when another than `after` is the newest."""
        books = [
            {
                "book_id": book.id,
                "facts": json.dumps(book_facts(book), separators=(",", ":")),
                "source": source,
                "kept_at": to_micros(at),
            }
            for _, book in schedule
        ]
        row = {"at": to_micros(at), "activated_by": by, "reason": reason}
        rows = [{**row, "starts_at": to_micros(starts_at), "book_id": book.id} for starts_at, book in schedule]
        done = await self._writer.perform(partial(_activate, books, rows, after))
        await self.refresh()
        return done

    async def kept(self, book_id: str) -> KeptBook | None:
        """A book by its id."""
        row = await self._readers.read(lambda reading: reading.row(_KEPT, {"wanted": book_id}))
        return None if row is None else KeptBook(read_book(json.loads(row[0])), row[1], from_micros(row[2]))

    async def activations(self) -> Sequence[Activation]:
        """Every activation, the newest first."""
        rows = await self._readers.read(lambda reading: reading.rows(_ALL, {}))
        return [
            Activation(number, from_micros(starts_at), book_id, from_micros(at), by, reason)
            for number, starts_at, book_id, at, by, reason in rows
        ]

    async def refresh(self) -> None:
        """Take in what was activated until now, by whatever process."""
        number, rows = await self._readers.read(partial(_newer_than, self._number))
        if rows and number > self._number:  # another look may have come first
            self._known = tuple((from_micros(starts_at), read_book(json.loads(facts))) for starts_at, facts in rows)
            self._number = number


def _newer_than(seen: int, transaction: Transaction) -> tuple[int, list[Row]]:
    [(newest,)] = transaction.rows(_NEWEST, {})
    return newest, transaction.rows(_OF_NUMBER, {"wanted": newest}) if newest > seen else []


def _activate(
    books: Sequence[Parameters], rows: Sequence[Parameters], after: int | None, transaction: Transaction
) -> bool:
    change_followed(transaction, PRICE_BOOKS)
    [(newest,)] = transaction.rows(_NEWEST, {})
    if after is not None and newest != after:
        return False
    for book in books:
        transaction.change(_KEEP, book)
    for row in rows:
        transaction.change(_ACTIVATE, {**row, "number": newest + 1})
    return True
