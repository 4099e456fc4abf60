"""Price books as rows: what was charged by can be shown for good, and one activation follows another."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Table, delete, update

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.adapters.storage.price_tables import price_activations, price_books
from monkey_coder_server.adapters.storage.transaction import Query, change
from monkey_coder_server.domain.pricing import PriceBook, PriceRow, Rates
from packages.server.tests.contract.booking import NOON
from packages.server.tests.contract.conftest import OpenStore

DAY = timedelta(days=1)
MADE = {"source": "a list", "by": "operator", "reason": "new prices", "at": NOON}


def book(price: int) -> PriceBook:
    return PriceBook.of([PriceRow(provider="openai", model="gpt", rates=Rates.of(input=price, output=price))])


async def test_before_the_first_activation_there_is_none(store: Storage) -> None:
    assert (store.price_books.known, store.price_books.number) == ((), 0)
    assert await store.price_books.kept(book(1).id) is None


async def test_what_is_activated_is_known_kept_and_listed(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as other:
        assert await one.price_books.activate(((NOON, book(1)), (NOON + DAY, book(2))), **MADE)
        await other.price_books.refresh()
        known = other.price_books.known
        assert [(starts_at, each.id) for starts_at, each in known] == [(NOON, book(1).id), (NOON + DAY, book(2).id)]
        await other.price_books.refresh()
        assert other.price_books.known is known
        kept = await other.price_books.kept(book(2).id)
        assert kept is not None
        assert (kept.book.id, kept.source, kept.kept_at) == (book(2).id, "a list", NOON)
        assert [(each.number, each.starts_at) for each in await other.price_books.activations()] == [
            (1, NOON),
            (1, NOON + DAY),
        ]


async def test_a_book_is_activated_again_and_the_old_one_stays(store: Storage) -> None:
    for number in (1, 2, 1):
        await store.price_books.activate(((NOON, book(number)),), **MADE)
    assert (store.price_books.number, store.price_books.known[0][1].id) == (3, book(1).id)
    assert await store.price_books.kept(book(2).id) is not None


async def test_of_many_who_decide_on_the_same_sight_one_does(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as other:
        done = await asyncio.gather(
            *(
                (one if number % 2 else other).price_books.activate(((NOON, book(number + 1)),), **MADE, after=0)
                for number in range(8)
            )
        )
        assert sum(done) == 1
        assert len(await one.price_books.activations()) == 1


@pytest.mark.parametrize("table", [price_activations, price_books])
async def test_no_row_is_changed_or_deleted(store: Storage, table: Table) -> None:
    await store.price_books.activate(((NOON, book(1)),), **MADE)
    for statement in (delete(table), update(table).values(book_id=table.c.book_id)):
        with pytest.raises(Exception, match=r"append-only|cannot be written"):
            await store.writer.perform(partial(change, Query(statement), {}))
