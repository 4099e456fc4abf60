"""A call is noted where its process's death cannot reach it, without a wait; what is delivered gets a row."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from monkey_coder_server.adapters.storage.journal import slots
from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory
from monkey_coder_server.adapters.storage.journal.journal import SqliteJournal
from monkey_coder_server.adapters.storage.journal.slots import SLOT_BYTES, Noted, noted_in
from monkey_coder_server.domain.errors import Unavailable
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


def rows(directory: Path, table: str) -> int:
    with closing(sqlite3.connect(died(directory) / "first.sqlite")) as connection:
        return int(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608 - a name of ours


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


async def test_a_slot_is_used_again_once_its_requests_ending_is_on_disk(journal: SqliteJournal, tmp_path: Path) -> None:
    for _ in range(10):
        asked = hold_request()
        journal.intend(intent(asked))
        await journal.resolve(served(asked)).durable()
    file = tmp_path / "journal" / "first.slots"
    assert list(noted_in(file)) == []
    assert file.stat().st_size <= SLOT_BYTES


async def test_where_a_call_finds_no_room_it_gets_a_row_and_is_waited_for(
    journal: SqliteJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, one_more, last = hold_request(), hold_request(), hold_request()
    monkeypatch.setattr(slots, "SLOTS", 1)
    written = [
        journal.intend(intent(large, replace(failure(large), message="long " * SLOT_BYTES))),
        journal.intend(intent(one_more)),
        journal.intend(intent(last)),
    ]
    assert [each.is_kept for each in written] == [False, True, False]
    await written[-1].durable()
    assert len(await left_by(tmp_path / "journal")) == 3


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


async def test_what_ended_is_not_open_though_its_slot_says_so(journal: SqliteJournal, tmp_path: Path) -> None:
    """A machine that dies may forget that a slot was freed."""
    asked = hold_request()
    journal.intend(intent(asked))
    stale = (tmp_path / "journal" / "first.slots").read_bytes()
    await journal.resolve(served(asked)).durable()
    (tmp_path / "journal" / "first.slots").write_bytes(stale)
    assert await left_by(tmp_path / "journal") == []


async def test_a_slot_half_written_by_a_machine_that_died_is_passed_over(
    journal: SqliteJournal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal.intend(intent())
    other = hold_request()
    journal.intend(intent(other))
    file = tmp_path / "journal" / "first.slots"
    content = bytearray(file.read_bytes())
    content[100:200] = bytes(100)
    file.write_bytes(content + b"\0\0\0\1")
    assert await left_by(tmp_path / "journal") == [intent(other)]
    assert "damaged" not in caplog.text


async def test_a_closed_journal_notes_nothing(journal: SqliteJournal) -> None:
    await journal.close()
    with pytest.raises(Unavailable):
        journal.intend(intent())


def test_what_is_in_a_slot_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = slots.Slots(tmp_path / "slots")
    noted = Noted("req_ä", b"admitted", b"draft")
    slot = file.put(noted, None)
    assert slot is not None
    assert file.get(slot) == noted
    assert file.put(noted._replace(draft=bytes(SLOT_BYTES)), slot) is None
    assert file.get(slot) == noted
    file.free([slot])
    assert file.get(slot) is None
    assert file.get(slot + 1) is None
    file.close()
