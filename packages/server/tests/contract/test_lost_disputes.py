"""A bank that keeps what it held: the figures of the payment say so, though nothing moves, on both databases."""

from sqlalchemy import text

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.adapters.storage.transaction import Query
from packages.server.tests.contract.booking import ACCOUNT
from packages.server.tests.contract.paying import CENT, dispute, paid

_FIGURES = Query(text("SELECT claimed, lost, taken, aside FROM payments"))


async def figures(store: Storage) -> tuple[int, ...]:
    """Of the one payment: claimed, lost, taken, and what is put aside."""
    [row] = await store.readers.read(lambda reading: reading.rows(_FIGURES, {}))
    return tuple(int(each) for each in row)


async def test_a_dispute_that_is_lost_moves_nothing_more_and_is_booked_as_lost(store: Storage) -> None:
    await store.ledger.open_wallet(ACCOUNT)
    await store.payments.book(paid(100, disputes=(dispute(100),)))
    assert await figures(store) == (100 * CENT, 0, 0, 100 * CENT)
    lost = await store.payments.book(paid(100, disputes=(dispute(100, state="lost"),)))
    assert not lost.changed
    assert await figures(store) == (0, 100 * CENT, 100 * CENT, 0)
    await store.payments.book(paid(100, disputes=(dispute(100, state="won"),)))
    assert await figures(store) == (0, 0, 0, 0)
    assert (await store.ledger.wallet(ACCOUNT)).balance == 100 * CENT
    report = await store.ledger.verify()
    assert report.sound, report.details
