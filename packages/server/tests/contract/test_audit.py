"""The audit trail: chained, read by its own account, bounded against floods."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.audit_damping import SECONDS
from monkey_coder_server.ports.accounts import REFUSED, AuditEntry
from packages.server.tests.contract.booking import ACCOUNT, NOON
from packages.server.tests.contract.conftest import OpenStore

ENTRY = AuditEntry(
    "usr_1",
    "key.create",
    target="key_1",
    at=NOON,
    account_id=ACCOUNT,
    details="läptop",
    address="192.0.2.1",
    agent="monkey/1",
    on_behalf_of="usr_2",
)


async def test_entries_are_read_as_they_were_written_newest_first(store: Storage) -> None:
    entries = [replace(ENTRY, target=f"key_{number}") for number in range(3)]
    for entry in entries:
        await store.audit.record(entry)
    await store.audit.record(replace(ENTRY, account_id="another"))
    found = await store.audit.newest(ACCOUNT, before=None, most=2)
    assert [record.entry for record in found] == [entries[2], entries[1]]
    older = await store.audit.newest(ACCOUNT, before=found[-1].audit_id, most=9)
    assert [record.entry for record in older] == [entries[0]]
    assert older[0].digest == found[-1].previous


async def test_pages_hold_every_entry_of_one_account_or_of_all(store: Storage) -> None:
    others = replace(ENTRY, account_id="another")
    for entry in (ENTRY, others):
        await store.audit.record(entry)
    own = [record.entry async for page in store.audit.pages(ACCOUNT) for record in page]
    everything = [record.entry async for page in store.audit.pages(None) for record in page]
    assert (own, everything) == ([ENTRY], [ENTRY, others])


async def test_processes_that_write_at_once_make_one_chain(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as another:
        writing = [
            store.audit.record(replace(ENTRY, details=str(number))) for number in range(20) for store in (one, another)
        ]
        await asyncio.gather(*writing)
        report = await one.audit.verify()
    assert (report.chained, report.covered, report.beside, report.broken) == (40, 0, 0, ())


async def test_a_head_that_was_noted_is_looked_for(store: Storage) -> None:
    assert (await store.audit.verify()).noted is None
    await store.audit.record(ENTRY)
    head = (await store.audit.verify()).head
    await store.audit.record(ENTRY)
    assert (await store.audit.verify(head)).sound
    cut = await store.audit.verify(bytes(32))
    assert (cut.noted, cut.sound) == (False, False)


async def test_a_flood_of_refusals_is_counted_and_not_written(store: Storage) -> None:
    refused = replace(ENTRY, action="session.open", outcome=REFUSED)
    for _ in range(50):
        await store.audit.record(refused)
    await store.audit.record(ENTRY)
    assert [record.entry for record in await store.audit.newest(ACCOUNT, before=None, most=9)] == [ENTRY, refused]
    later = NOON + timedelta(seconds=SECONDS)
    await store.audit.tell_counted(later)
    await store.audit.tell_counted(later + timedelta(seconds=SECONDS))
    newest, *_ = await store.audit.newest(ACCOUNT, before=None, most=9)
    assert (newest.entry.outcome, newest.entry.at, newest.entry.details[:2]) == (REFUSED, later, "49")
    assert (await store.audit.verify()).chained == 3
