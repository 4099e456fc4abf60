"""Many gateways on one database: what can be bought is bought exactly, caps hold, nobody waits for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from sqlalchemy import text

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.adapters.storage import holds, key_rows
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.errors import BudgetExceeded, InsufficientCredit, InvalidRequest
from monkey_coder_server.ports.accounts import Caps
from monkey_coder_server.ports.ledger import Hold, Wallet
from packages.server.tests.adapters.storage.postgres.conftest import funded
from packages.server.tests.contract.booking import (
    ACCOUNT,
    StillClock,
    fail,
    hold_request,
    resolved,
    settle,
)
from packages.server.tests.contract.test_keys import LAPTOP

GATEWAYS = 3
NONSENSE = Query(text("UPDATE no_such_table SET a = 1"))


@pytest.fixture
async def gateways(postgresql_database: str, signer: Ed25519Signer) -> AsyncIterator[list[Storage]]:
    """Stores with writers of their own, as many processes have them, on a wallet of 10,000."""
    async with AsyncExitStack() as stack:
        opened = [await funded(postgresql_database, signer)]
        opened += [
            await open_storage(postgresql_database, signer=signer, clock=StillClock()) for _ in range(GATEWAYS - 1)
        ]
        for each in opened:
            stack.push_async_callback(each.close)
        yield opened


async def test_credit_for_exactly_n_requests_serves_exactly_n(gateways: list[Storage]) -> None:
    results = await asyncio.gather(
        *[gateways[number % GATEWAYS].books.place(hold_request(100)) for number in range(160)], return_exceptions=True
    )
    assert sum(isinstance(result, Hold) for result in results) == 100
    assert sum(isinstance(result, InsufficientCredit) for result in results) == 60
    assert await gateways[0].ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 10_000)


@pytest.mark.parametrize("caps", [Caps(day=2_000), Caps(month=2_000), Caps(total=2_000)], ids=["day", "month", "total"])
async def test_caps_that_are_read_then_raised_are_never_passed(gateways: list[Storage], caps: Caps) -> None:
    """The first requests begin the counters, all at once; each reads them behind the wallet's lock."""
    await gateways[0].keys.create(replace(LAPTOP, caps=caps))
    results = await asyncio.gather(
        *[
            gateways[number % GATEWAYS].books.place(hold_request(100, key_id=LAPTOP.key_id, at=LAPTOP.created_at))
            for number in range(60)
        ],
        return_exceptions=True,
    )
    assert sum(isinstance(result, Hold) for result in results) == 20
    assert sum(isinstance(result, BudgetExceeded) for result in results) == 40
    assert (await gateways[0].ledger.wallet(ACCOUNT)).held == 2_000
    assert (await gateways[1].ledger.verify()).sound


async def test_one_settlement_counts_when_all_settle_void_and_expire_the_same_hold(gateways: list[Storage]) -> None:
    asked = [hold_request(100) for _ in range(12)]
    await asyncio.gather(*[gateways[0].books.place(request) for request in asked])
    await asyncio.gather(
        *[store.books.ship([resolved(request, None, 60)]) for request in asked for store in gateways],
        *[fail(gateways[1].books, request) for request in asked[::2]],
        gateways[2].ledger.expire_holds(asked[0].expires_at.replace(year=2030)),
    )
    report = await gateways[0].ledger.verify()
    assert report.sound, report.details
    assert (await gateways[0].ledger.wallet(ACCOUNT)).held == 0


async def test_receipts_of_one_key_form_one_chain_whoever_writes_them(gateways: list[Storage]) -> None:
    asked = [hold_request(10) for _ in range(30)]
    await asyncio.gather(*[gateways[0].books.place(request) for request in asked])
    await asyncio.gather(
        *[settle(gateways[number % GATEWAYS].books, request, price=5) for number, request in enumerate(asked)]
    )
    assert (await gateways[0].ledger.verify()).sound


async def test_accounts_in_opposite_order_do_not_wait_for_ever(gateways: list[Storage]) -> None:
    """Two writers lock the same wallets the other way round in one transaction each: one is run again by itself."""
    accounts = [f"acc_{number}" for number in range(8)]
    for account in accounts:
        await gateways[0].ledger.open_wallet(account)
        await gateways[0].ledger.grant(account, 1_000, reason="test", idempotency_key="first")
    for _ in range(3):
        held = await asyncio.gather(
            *[gateways[0].books.place(hold_request(10, account_id=account)) for account in accounts],
            *[gateways[1].books.place(hold_request(10, account_id=account)) for account in reversed(accounts)],
        )
        assert all(isinstance(hold, Hold) for hold in held)
    assert [(await gateways[0].ledger.wallet(account)).held for account in accounts] == [60] * 8


async def test_revisions_of_keys_are_seen_in_their_order(gateways: list[Storage]) -> None:
    keys = [replace(LAPTOP, key_id=f"key_{n}", digest=bytes([n]) * 32) for n in range(24)]
    await asyncio.gather(*[gateways[n % GATEWAYS].keys.create(key) for n, key in enumerate(keys)])

    def revisions(transaction: Transaction) -> list[int]:
        return sorted(revision for _, revision in key_rows.changed_since(0, transaction))

    assert await gateways[0].readers.read(revisions) == list(range(1, 25))


async def test_a_text_that_cannot_be_stored_is_refused_alone(store: Storage) -> None:
    results = await asyncio.gather(
        store.ledger.open_wallet("acc\0"), store.ledger.open_wallet("acc_2"), return_exceptions=True
    )
    assert isinstance(results[0], InvalidRequest)
    assert await store.ledger.wallet("acc_2") == Wallet("acc_2", 0, 0)


async def test_an_operation_that_raises_leaves_nothing_and_spoils_no_other(store: Storage) -> None:
    class OutOfOrder(Exception):
        pass

    def half_done(transaction: Transaction) -> None:
        holds.credit(transaction, ACCOUNT, 77)
        raise OutOfOrder

    results = await asyncio.gather(
        store.books.place(hold_request(10)),
        store.writer.perform(half_done),
        store.books.place(hold_request(20)),
        store.books.place(hold_request(20_000)),
        store.writer.perform(lambda transaction: transaction.change(NONSENSE, {})),
        return_exceptions=True,
    )
    names = [type(result).__name__ for result in results]
    assert names[1] == "OutOfOrder"
    assert names[3:] == ["InsufficientCredit", "UndefinedTable"]
    assert await store.ledger.wallet(ACCOUNT) == Wallet(ACCOUNT, 10_000, 30)
    assert (await store.ledger.verify()).sound


async def test_closing_serves_what_waits(postgresql_database: str, signer: Ed25519Signer) -> None:
    store = await funded(postgresql_database, signer)
    waiting = [asyncio.create_task(store.ledger.open_wallet(f"acc_{number}")) for number in range(40)]
    await asyncio.sleep(0)
    await store.close()
    await store.close()
    await asyncio.gather(*waiting)
    assert not store.healthy()
