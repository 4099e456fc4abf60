"""A call is noted where its process's death cannot reach it, without a wait; what is delivered gets a row."""

import errno
import os
import sqlite3
from contextlib import closing
from dataclasses import replace as replaced
from pathlib import Path

import pytest
from msgspec.structs import replace

from monkey_coder_server.adapters.storage.journal import journal as journal_module
from monkey_coder_server.adapters.storage.journal import slots
from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory
from monkey_coder_server.adapters.storage.journal.journal import SqliteJournal
from monkey_coder_server.adapters.storage.journal.slots import SLOT_BYTES, Ended, Noted, held_in
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.journal import Intent
from packages.server.tests.adapters.storage.journal.conftest import SMALL
from packages.server.tests.adapters.storage.journal.records import died, intent, served
from packages.server.tests.contract.booking import StillClock, failure, hold_request, settlement


async def left_by(directory: Path) -> list[Intent]:
    """What a process that dies now leaves open."""
    (next_one,) = await JournalDirectory(died(directory), clock=StillClock(), options=SMALL).adopt()
    left = list(await next_one.left_open())
    await next_one.close()
    return left


async def ended_of(directory: Path) -> list[Resolved]:
    """What had ended when a process died and is not booked."""
    (next_one,) = await JournalDirectory(died(directory), clock=StillClock(), options=SMALL).adopt()
    endings = [ending for _, ending in await next_one.endings(0, 100)]
    await next_one.close()
    return endings


def rows(directory: Path, table: str) -> int:
    with closing(sqlite3.connect(died(directory) / "first.sqlite")) as connection:
        return int(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608 - a name of ours


def fails(_handle: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


async def test_a_call_is_kept_at_once_and_by_itself_gets_no_row(journal: SqliteJournal, tmp_path: Path) -> None:
    called, again = hold_request(), hold_request()
    assert journal.intend(intent(called)).is_kept
    journal.intend(intent(again))
    assert journal.note(again.request_id, failure(again, provider_cost=7)).is_kept
    assert await left_by(tmp_path / "journal") == [intent(called), intent(again, failure(again, provider_cost=7))]
    assert await journal.left_open() == [intent(called), intent(again, failure(again, provider_cost=7))]
    await journal.resolve(served(called)).durable()
    assert rows(tmp_path / "journal", "open_requests") == 0
    assert await left_by(tmp_path / "journal") == [intent(again, failure(again, provider_cost=7))]


async def test_from_what_is_delivered_on_its_row_counts(journal: SqliteJournal, tmp_path: Path) -> None:
    asked = hold_request()
    journal.intend(intent(asked))
    delivered = journal.note(asked.request_id, settlement(asked, price=7))
    assert not delivered.is_kept
    await delivered.durable()
    assert delivered.is_kept
    assert not journal.note(asked.request_id, failure(asked, provider_cost=9)).is_kept
    assert await journal.left_open() == [intent(asked, failure(asked, provider_cost=9))]
    assert await left_by(tmp_path / "journal") == [intent(asked, failure(asked, provider_cost=9))]


async def test_a_call_that_is_to_survive_power_loss_gets_a_row(journal: SqliteJournal, tmp_path: Path) -> None:
    asked = hold_request()
    noted = journal.intend(intent(asked))
    await noted.durable()
    (tmp_path / "journal" / "first.slots").write_bytes(b"")
    assert await left_by(tmp_path / "journal") == [intent(asked)]
    await journal.resolve(served(asked)).durable()
    await noted.durable()
    assert await left_by(tmp_path / "journal") == []


async def test_a_slot_is_used_again_once_its_requests_ending_is_booked(journal: SqliteJournal, tmp_path: Path) -> None:
    for _ in range(10):
        asked = hold_request()
        journal.intend(intent(asked))
        await journal.resolve(served(asked)).durable()
        ((number, _),) = await journal.endings(0, 9)
        await journal.forget([number]).durable()
    file = tmp_path / "journal" / "first.slots"
    assert list(held_in(file)) == []
    assert file.stat().st_size <= 2 * SLOT_BYTES


async def test_endings_booked_together_are_given_up_by_one_write(
    journal: SqliteJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [hold_request() for _ in range(9)]
    for one in asked:
        written = journal.resolve(served(one))
    await written.durable()
    endings, writes = [number for number, _ in await journal.endings(0, 9)], []
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda *what: writes.append(what) or write(*what))
    journal.forget(endings[:6])
    assert len(writes) == 1
    assert await ended_of(tmp_path / "journal") == [served(one) for one in asked[6:]]
    journal.forget([endings[7]])
    assert await ended_of(tmp_path / "journal") == [served(asked[6]), served(asked[8])]
    again = hold_request()
    await journal.resolve(served(again)).durable()
    assert await ended_of(tmp_path / "journal") == [served(again), served(asked[6]), served(asked[8])]
    journal.forget([endings[6], endings[8]])
    assert await ended_of(tmp_path / "journal") == [served(again)]


async def test_who_cannot_read_what_is_booked_takes_nothing_for_booked(journal: SqliteJournal, tmp_path: Path) -> None:
    asked = hold_request()
    await journal.resolve(served(asked)).durable()
    journal.forget([1])
    file = tmp_path / "journal" / "first.slots"
    content = bytearray(file.read_bytes())
    content[14] ^= 2
    file.write_bytes(content)
    assert await ended_of(tmp_path / "journal") == [served(asked)]


async def test_where_it_cannot_be_written_what_is_booked_slots_are_freed_one_by_one(
    journal: SqliteJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = hold_request()
    await journal.resolve(served(asked)).durable()
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, what, at: write(file, what, at) if at else 0)
    journal.forget([1])
    assert await ended_of(tmp_path / "journal") == []


def test_endings_of_a_gateway_that_gave_them_no_numbers_are_read(tmp_path: Path) -> None:
    file = tmp_path / "slots"
    ended = b"\2\0\3\0\6\0\0req" + b"record"
    file.write_bytes(ended + bytes(SLOT_BYTES - len(ended)) + ended)
    assert list(held_in(file)) == [Ended("req", b"record", 0)] * 2


async def test_where_a_call_finds_no_room_it_gets_a_row_and_is_waited_for(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    large, one_more, last = hold_request(), hold_request(), hold_request()
    await journal.close()
    journal = await JournalDirectory(tmp_path / "journal", clock=StillClock(), options=replaced(SMALL, slots=1)).open(
        "first"
    )
    written = [
        journal.intend(intent(large, replace(failure(large), message="long " * SLOT_BYTES))),
        journal.intend(intent(one_more)),
        journal.intend(intent(last)),
    ]
    assert [each.is_kept for each in written] == [False, True, False]
    await written[-1].durable()
    assert len(await left_by(tmp_path / "journal")) == 3
    await journal.close()


@pytest.mark.parametrize("written", [OSError(errno.ENOSPC, "full"), 5])
async def test_a_full_disk_takes_nothing_or_a_part(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch, written: OSError | int
) -> None:
    def pwrite(*_: object) -> int:
        if isinstance(written, OSError):
            raise written
        return written

    asked, other = hold_request(), hold_request()
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", pwrite)
        assert not journal.intend(intent(asked)).is_kept
    assert journal.intend(intent(other)).is_kept
    assert await journal.left_open() == [intent(asked), intent(other)]


async def test_an_ending_takes_its_requests_slot_and_gets_no_row(journal: SqliteJournal, tmp_path: Path) -> None:
    asked, unnoted = hold_request(), hold_request()
    journal.intend(intent(asked))
    journal.resolve(served(asked))
    await journal.resolve(served(unnoted)).durable()
    assert await ended_of(tmp_path / "journal") == [served(asked), served(unnoted)]
    assert rows(tmp_path / "journal", "endings") == 0
    (first, _), (second, _) = page = await journal.endings(0, 9)
    assert [ending for _, ending in page] == [served(asked), served(unnoted)]
    await journal.forget([first]).durable()
    assert await ended_of(tmp_path / "journal") == [served(unnoted)]
    await journal.forget([second]).durable()
    assert await ended_of(tmp_path / "journal") == []


async def test_endings_in_slots_and_in_rows_come_in_their_order_a_page_at_a_time(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "REMEMBERED", 7)
    asked = [hold_request() for _ in range(20)]
    for number, one in enumerate(asked):
        journal.intend(intent(one, settlement(one) if number % 3 == 0 else None))
        await journal.resolve(served(one)).durable()
    seen: list[str] = []
    after = 0
    while page := await journal.endings(after, 3):
        seen += [ending.hold.request_id for _, ending in page]
        after = page[-1][0]
    assert seen == [one.request_id for one in asked]


async def test_an_ending_of_which_the_disk_says_it_failed_is_told_as_lost_and_gets_a_row_next(
    directory: JournalDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal = await directory.open("second")
    asked = hold_request()
    journal.intend(intent(asked))
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fails)
        with pytest.raises(Unavailable):
            await journal.resolve(served(asked, price=1)).durable()
    assert await journal.endings(0, 9) == []
    assert "cannot be written" in caplog.text
    await journal.resolve(served(asked, price=2)).durable()
    ((_, ending),) = await journal.endings(0, 9)
    assert ending == served(asked, price=2)
    await journal.close()
    (adopted,) = await JournalDirectory(tmp_path / "journal", clock=StillClock(), options=SMALL).adopt()
    assert [one for _, one in await adopted.endings(0, 9)] == [ending]
    await adopted.close()


async def test_an_ending_of_which_the_disk_says_it_failed_is_not_taken_for_booked_with_those_before(
    directory: JournalDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel may have it all the same; with its note gone there is nothing else of it."""
    journal = await directory.open("second")
    booked, asked = hold_request(), hold_request()
    await journal.resolve(served(booked)).durable()
    journal.intend(intent(asked))
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fails)
        with pytest.raises(Unavailable):
            await journal.resolve(served(asked)).durable()
    await journal.forget([1]).durable()
    left = died(tmp_path / "journal", "second")
    (next_one,) = await JournalDirectory(left, clock=StillClock(), options=SMALL).adopt()
    assert [ending for _, ending in await next_one.endings(0, 9)] == [served(asked)]
    await next_one.close()
    await journal.close()


async def test_relaxed_an_ending_waits_for_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fdatasync", None)
    options = replaced(SMALL, relaxed=True)
    journal = await JournalDirectory(tmp_path / "journal", clock=StillClock(), options=options).open("first")
    asked = hold_request()
    await journal.resolve(served(asked)).durable()
    assert await ended_of(tmp_path / "journal") == [served(asked)]
    await journal.close()


async def test_what_was_booked_or_has_a_row_is_not_taken_from_a_slot(journal: SqliteJournal, tmp_path: Path) -> None:
    """A machine that dies may forget that a slot was freed."""
    asked = hold_request()
    journal.intend(intent(asked))
    stale = (tmp_path / "journal" / "first.slots").read_bytes()
    await journal.note(asked.request_id, settlement(asked, price=7)).durable()
    await journal.resolve(served(asked)).durable()
    (tmp_path / "journal" / "first.slots").write_bytes(stale)
    assert await left_by(tmp_path / "journal") == []
    assert await ended_of(tmp_path / "journal") == [served(asked)]


async def test_a_damaged_ending_is_reported_by_name_and_its_slots_are_kept_for_people(
    journal: SqliteJournal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked, sound = hold_request(), hold_request()
    journal.resolve(served(asked))
    await journal.resolve(served(sound)).durable()
    left = died(tmp_path / "journal")
    file = left / "first.slots"
    content = bytearray(file.read_bytes())
    content[SLOT_BYTES + 300] ^= 1
    file.write_bytes(content)
    directory = JournalDirectory(left, clock=StillClock(), options=SMALL)
    (adopted,) = await directory.adopt()
    assert [ending for _, ending in await adopted.endings(0, 9)] == [served(sound)]
    assert asked.request_id in caplog.text
    assert directory.damages == 1
    assert (left / "first.slots.corrupt").read_bytes() == content
    await adopted.close()


async def test_a_slot_half_written_by_a_machine_that_died_is_passed_over(
    journal: SqliteJournal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal.intend(intent())
    other = hold_request()
    journal.intend(intent(other))
    file = tmp_path / "journal" / "first.slots"
    content = bytearray(file.read_bytes())
    content[SLOT_BYTES + 100 : SLOT_BYTES + 200] = bytes(100)
    file.write_bytes(content + b"\0\0\0\1")
    assert await left_by(tmp_path / "journal") == [intent(other)]
    assert "damaged" not in caplog.text


async def test_a_closed_journal_notes_nothing(journal: SqliteJournal) -> None:
    await journal.close()
    with pytest.raises(Unavailable):
        journal.intend(intent())


def test_what_is_in_a_slot_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = slots.Slots(tmp_path / "slots")
    slot = file.end("req_ä", b"record", 7, None)
    assert slot is not None
    assert file.get(slot) == Ended("req_ä", b"record", 7)
    assert file.note("req_ä", b"admitted", b"draft", slot) == slot
    assert file.get(slot) == Noted("req_ä", b"admitted", b"draft")
    assert file.note("req_ä", b"admitted", bytes(SLOT_BYTES), slot) is None
    assert file.get(slot) == Noted("req_ä", b"admitted", b"draft")
    file.free([slot])
    assert file.get(slot) is None
    assert file.get(slot + 1) is None
    file.close()
