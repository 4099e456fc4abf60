"""Two processes that clear up at the same time: everything ends once, whatever each of them sees."""

import asyncio
import shutil
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from monkey_coder_server.adapters.leasing import LeasedLedger
from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory, Options
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.clock import Ids
from monkey_coder_server.ports.journal import Intent
from packages.server.tests.adapters.storage.journal.records import died
from packages.server.tests.contract.booking import (
    ACCOUNT,
    StillClock,
    hold_request,
    lease_wish,
    resolved,
    settlement,
)
from packages.server.tests.contract.conftest import OpenStore

SMALL = Options(reserve_bytes=64 * 1024)


async def test_two_sweepers_end_holds_and_leases_once(
    funded: Storage, open_store: OpenStore, clock: StillClock
) -> None:
    asked = [hold_request(100) for _ in range(30)]
    for request in asked:
        await funded.books.place(request)
    taken = [await funded.books.lease(lease_wish(50)) for _ in range(30)]
    assert all(taken)
    clock.forward(timedelta(hours=1))
    async with open_store() as second:
        stores = (funded, second)
        voided = await asyncio.gather(*[each.ledger.expire_holds(clock.now()) for each in stores])
        ended = await asyncio.gather(*[each.books.expire_leases(clock.now()) for each in stores])
    assert (sum(voided), sum(ended)) == (30, 30)
    await sound(funded, balance=10_000)


async def test_an_ending_that_comes_while_its_hold_and_lease_expire_is_paid_once(
    funded: Storage, open_store: OpenStore, clock: StillClock
) -> None:
    lease = await funded.books.lease(lease_wish(2_000))
    assert lease is not None
    direct = [hold_request(100) for _ in range(10)]
    for request in direct:
        await funded.books.place(request)
    batch = [resolved(request, None, 60) for request in direct]
    batch += [resolved(hold_request(100), lease.lease_id, 60) for _ in range(10)]
    clock.forward(timedelta(hours=1))
    async with open_store() as second:
        await asyncio.gather(
            funded.books.ship(batch),
            second.ledger.expire_holds(clock.now()),
            second.books.expire_leases(clock.now()),
            second.books.ship(batch),
        )
    await sound(funded, balance=10_000 - 20 * 60)


@pytest.mark.parametrize("copies", [1, 2])
async def test_two_that_recover_at_once_book_what_a_dead_process_left_once(
    funded: Storage, open_store: OpenStore, clock: StillClock, tmp_path: Path, copies: int
) -> None:
    """Of one journal one of them is given; a journal that somebody restored beside itself is booked once as well."""
    left = await a_dead_process(funded, clock, tmp_path / "journal")
    directories = [left, shutil.copytree(left, tmp_path / "restored")]
    async with open_store() as second:
        rivals = [
            await gateway(store, directories[number % copies], clock, f"gw_{number}")
            for number, store in enumerate((funded, second))
        ]
        await asyncio.gather(*[each.start() for each in rivals])
        await asyncio.gather(*[each.close() for each in rivals])
    assert sum(each.figures()["recovered"] for each in rivals) == 20 * copies
    await sound(funded, balance=10_000 - 40 * 60)


async def a_dead_process(store: Storage, clock: StillClock, path: Path) -> Path:
    """Twenty requests it served and did not book, and twenty it was serving, from a lease of its own."""
    journal = await JournalDirectory(path, clock=clock, options=SMALL).open("dead")
    lease = await store.books.lease(lease_wish(5_000, instance="dead"))
    assert lease is not None
    for number in range(40):
        request = hold_request(100)
        draft = settlement(request, price=60)
        written = journal.intend(Intent(request, lease.lease_id, draft))
        if number % 2:
            written = journal.resolve(Resolved(request, lease.lease_id, draft, 60))
        await written.durable()
    left = died(path, "dead")
    await journal.close()
    return left


async def gateway(store: Storage, path: Path, clock: StillClock, instance: str) -> LeasedLedger:
    directory, numbers = JournalDirectory(path, clock=clock, options=SMALL), count()
    return LeasedLedger(
        store.books,
        store.ledger,
        journal=await directory.open(instance),
        journals=directory,
        clock=clock,
        ids=Ids(lambda prefix: f"{prefix}_{instance}_{next(numbers)}"),
    )


async def sound(store: Storage, *, balance: int) -> None:
    report = await store.ledger.verify()
    assert report.sound, report.details
    wallet = await store.books.wallet(ACCOUNT)
    assert (wallet.balance, wallet.held) == (balance, 0)
