"""What waits in journals is seen from outside: of living processes by their marks, of dead ones by what they left."""

import asyncio
from datetime import timedelta
from pathlib import Path

from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory
from monkey_coder_server.adapters.storage.journal.journal import SqliteJournal
from monkey_coder_server.adapters.storage.journal.mark import Mark
from monkey_coder_server.adapters.storage.journal.outbox import Outbox, outboxes
from packages.server.tests.adapters.storage.journal.conftest import SMALL
from packages.server.tests.adapters.storage.journal.records import died, intent, served
from packages.server.tests.contract.booking import NOON, StillClock, hold_request


def seen(directory: Path) -> Outbox:
    [outbox] = outboxes(directory)
    return outbox


def test_where_no_gateway_ever_ran_nothing_waits(tmp_path: Path) -> None:
    assert outboxes(tmp_path / "journal") == []


async def test_a_living_process_marks_since_when_its_oldest_ending_waits(tmp_path: Path) -> None:
    clock, waited = StillClock(), 0
    mark = Mark(tmp_path / "mark.waiting", lambda: waited, clock)
    await mark.look()
    assert not (tmp_path / "mark.waiting").exists()
    waited = 40
    clock.forward(timedelta(minutes=1))
    await mark.look()
    assert (tmp_path / "mark.waiting").stat().st_mtime == (NOON + timedelta(seconds=20)).timestamp()
    waited = 1
    await mark.look()
    assert not (tmp_path / "mark.waiting").exists()


async def test_a_mark_that_cannot_be_set_stops_nothing(tmp_path: Path) -> None:
    await Mark(tmp_path / "none" / "mark.waiting", lambda: 40, StillClock()).look()


async def test_the_journal_of_a_living_process_is_told_by_its_mark_alone(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    await journal.resolve(served(hold_request())).durable()
    assert await asyncio.to_thread(seen, tmp_path / "journal") == Outbox("first", alive=True, oldest=None)
    (tmp_path / "journal" / "first.waiting").touch()
    outbox = await asyncio.to_thread(seen, tmp_path / "journal")
    assert outbox.alive
    assert outbox.oldest is not None


async def test_what_a_dead_process_left_waits_since_it_ended_or_was_admitted(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    ended = served(hold_request(at=NOON - timedelta(minutes=9)))
    await journal.resolve(ended).durable()
    left = died(tmp_path / "journal")
    assert seen(left) == Outbox("first", alive=False, oldest=ended.ending.at)
    await journal.intend(intent(hold_request(at=NOON - timedelta(hours=1)))).durable()
    assert seen(died(tmp_path / "journal")).oldest == NOON - timedelta(hours=1)
    [adopted] = await JournalDirectory(left, clock=StillClock(), options=SMALL).adopt()
    assert len(await adopted.endings(0, 9)) == 1
    await adopted.close()


async def test_a_dead_process_that_left_nothing_keeps_nothing_from_the_books(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    assert journal.open_for_new
    assert seen(died(tmp_path / "journal")) == Outbox("first", alive=False, oldest=None)


def test_a_journal_that_cannot_be_read_waits_since_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "bad.sqlite").write_bytes(b"this is no database " * 50)
    assert seen(tmp_path).oldest is not None


def test_a_lock_without_a_journal_is_of_one_that_never_began(tmp_path: Path) -> None:
    (tmp_path / "none.lock").touch()
    assert seen(tmp_path) == Outbox("none", alive=False, oldest=None)


async def test_an_inherited_mark_stays_until_the_journal_is_empty(journal: SqliteJournal, tmp_path: Path) -> None:
    await journal.resolve(served(hold_request())).durable()
    left = died(tmp_path / "journal")
    (left / "first.waiting").touch()
    [adopted] = await JournalDirectory(left, clock=StillClock(), options=SMALL).adopt()
    await Mark(left / "first.waiting", lambda: 0, StillClock()).look()
    assert (left / "first.waiting").exists()
    await adopted.forget([number for number, _ in await adopted.endings(0, 9)]).durable()
    await adopted.close()
    assert list(left.iterdir()) == []
