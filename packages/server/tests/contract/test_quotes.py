"""Quotes bind until they expire, for their own account."""

from datetime import timedelta

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.ports.quotes import StoredQuote
from packages.server.tests.contract.booking import ACCOUNT, NOON, StillClock

QUOTE = StoredQuote("quote_1", ACCOUNT, b"f" * 32, b'{"rows":[]}', NOON + timedelta(minutes=5))


async def test_a_quote_is_had_by_its_own_account(store: Storage) -> None:
    await store.quotes.save(QUOTE)
    assert await store.quotes.get(ACCOUNT, "quote_1") == QUOTE
    assert await store.quotes.get("acc_2", "quote_1") is None
    assert await store.quotes.get(ACCOUNT, "quote_2") is None


async def test_a_quote_ends_when_it_says(store: Storage, clock: StillClock) -> None:
    await store.quotes.save(QUOTE)
    clock.forward(timedelta(minutes=4, seconds=59))
    assert await store.quotes.get(ACCOUNT, "quote_1") == QUOTE
    clock.forward(timedelta(seconds=1))
    assert await store.quotes.get(ACCOUNT, "quote_1") is None
