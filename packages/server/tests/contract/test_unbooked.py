"""Endings the books could not take: booked when they can be, else written off, each once."""

from typing import Any

import pytest
from msgspec.structs import replace

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.books import Resolved
from packages.server.tests.contract.booking import ACCOUNT, hold_request, resolved, settle, settlement
from packages.server.tests.contract.test_leases import figures


async def put_aside(store: Storage, ending: Resolved) -> str:
    request_id = ending.hold.request_id
    assert list(await store.books.ship([ending])) == [request_id]
    return request_id


async def impossible(store: Storage, **changes: Any) -> str:
    """A request that is held directly, and whose ending contradicts itself."""
    asked = hold_request()
    await store.books.place(asked)
    return await put_aside(store, replace(resolved(asked, None, 600), **{"charged": 601, **changes}))


async def test_what_was_kept_is_told_oldest_first_as_it_was_shipped(funded: Storage) -> None:
    first, second = await impossible(funded), await impossible(funded)
    kept = await funded.unbooked.kept()
    assert [each.request_id for each in kept] == [first, second]
    assert kept[0].account_id == ACCOUNT
    assert kept[0].reason.startswith("ValueError: ")
    assert kept[0].resolved is not None
    assert kept[0].resolved.charged == 601


async def test_an_ending_is_booked_once_nothing_stands_against_it_any_more(store: Storage) -> None:
    request_id = await put_aside(store, resolved(hold_request(), None))
    with pytest.raises(Conflict, match="has no wallet"):
        await store.unbooked.retry(request_id)
    await store.ledger.open_wallet(ACCOUNT)
    await store.ledger.grant(ACCOUNT, 10_000, reason="test", idempotency_key="first")
    await store.unbooked.retry(request_id)
    assert await store.unbooked.kept() == []
    assert await figures(store) == (9_400, 0)
    with pytest.raises(NotFound):
        await store.unbooked.retry(request_id)


async def test_what_still_contradicts_the_books_stays_aside(funded: Storage) -> None:
    request_id = await impossible(funded)
    with pytest.raises(Conflict, match="charged 601 of at most 600"):
        await funded.unbooked.retry(request_id)
    assert len(await funded.unbooked.kept()) == 1


async def test_a_request_that_ended_otherwise_meanwhile_is_not_charged_again(store: Storage) -> None:
    asked = hold_request()
    request_id = await put_aside(store, resolved(asked, None))
    await store.ledger.open_wallet(ACCOUNT)
    await store.ledger.grant(ACCOUNT, 10_000, reason="test", idempotency_key="first")
    await settle(store.books, asked, 100)
    await store.unbooked.retry(request_id)
    assert await figures(store) == (9_900, 0)


async def test_what_is_written_off_is_not_charged_and_its_cost_is_the_houses_loss(funded: Storage) -> None:
    request_id = await impossible(funded)
    assert await funded.unbooked.write_off(request_id)
    assert await figures(funded) == (10_000, 0)
    assert (await funded.ledger.verify()).totals["house_loss"] == -500
    with pytest.raises(NotFound):
        await funded.unbooked.write_off(request_id)


async def test_figures_no_database_can_keep_are_left_out_of_what_is_written_off(funded: Storage) -> None:
    asked = hold_request()
    request_id = await put_aside(funded, resolved(asked, None, ending=settlement(asked, usage=Usage(2**70))))
    assert await funded.unbooked.write_off(request_id)
    assert await figures(funded) == (10_000, 0)


async def test_what_belongs_to_nobody_is_dropped_when_it_is_written_off(funded: Storage) -> None:
    request_id = await put_aside(funded, resolved(hold_request(account_id="acc_none", key_id="key_2"), None))
    assert not await funded.unbooked.write_off(request_id)
    assert await funded.unbooked.kept() == []
    assert await figures(funded) == (10_000, 0)
