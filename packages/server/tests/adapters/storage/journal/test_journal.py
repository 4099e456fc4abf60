"""A journal: what was told as durable is found again by the next process, until it is forgotten."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from monkey_coder_server.adapters.storage.journal import encoding
from monkey_coder_server.adapters.storage.journal import journal as journal_module
from monkey_coder_server.adapters.storage.journal.directory import InstanceTaken, JournalDirectory
from monkey_coder_server.adapters.storage.journal.journal import Bounds, SqliteJournal
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.ports.journal import Journal
from packages.server.tests.adapters.storage.journal.conftest import SMALL
from packages.server.tests.adapters.storage.journal.records import died, intent, served
from packages.server.tests.contract.booking import StillClock, failure, hold_request, settlement


async def adopted(directory: Path) -> Journal:
    """The one journal a dead process left."""
    journals = await JournalDirectory(directory, clock=StillClock(), options=SMALL).adopt()
    assert len(journals) == 1
    return journals[0]


async def test_an_intent_told_as_durable_is_left_open_by_a_process_that_dies(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    first = intent()
    await journal.intend(first).durable()
    next_one = await adopted(died(tmp_path / "journal"))
    assert next_one.instance == "first"
    assert await next_one.left_open() == [first]
    assert await next_one.endings(0, 10) == []
    await next_one.close()


async def test_the_last_draft_replaces_those_before(journal: SqliteJournal, tmp_path: Path) -> None:
    asked = hold_request()
    await journal.intend(intent(asked)).durable()
    journal.note(asked.request_id, settlement(asked, price=5))
    await journal.note(asked.request_id, settlement(asked, price=7)).durable()
    next_one = await adopted(died(tmp_path / "journal"))
    assert await next_one.left_open() == [intent(asked, settlement(asked, price=7))]
    await next_one.close()


async def test_an_ending_closes_its_intent_and_waits_until_it_is_forgotten(journal: SqliteJournal) -> None:
    asked = hold_request()
    journal.intend(intent(asked))
    await journal.resolve(served(asked)).durable()
    assert await journal.left_open() == []
    ((number, ending),) = await journal.endings(0, 10)
    assert ending == served(asked)
    assert await journal.endings(number, 10) == []
    await journal.forget([number]).durable()
    assert await journal.endings(0, 10) == []


async def test_endings_come_in_order_a_page_at_a_time(journal: SqliteJournal) -> None:
    asked = [hold_request() for _ in range(100)]
    for one in asked:
        journal.intend(intent(one))
    for one in reversed(asked):
        journal.resolve(served(one))
    seen: list[str] = []
    after = 0
    while page := await journal.endings(after, 7):
        assert len(page) <= 7
        seen += [ending.hold.request_id for _, ending in page]
        after = page[-1][0]
    assert seen == [one.request_id for one in reversed(asked)]


async def test_endings_that_are_booked_at_once_are_durable_and_not_read_from_the_file(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    asked = [hold_request() for _ in range(3)]
    for one in asked:
        journal.resolve(served(one))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(encoding, "resolved", None)
        page = await journal.endings(0, 10)
    assert [ending for _, ending in page] == [served(one) for one in asked]
    next_one = await adopted(died(tmp_path / "journal"))
    assert await next_one.endings(0, 10) == page
    await next_one.close()


async def test_endings_beyond_those_in_memory_are_read_from_the_file(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "REMEMBERED", 2)
    asked = [hold_request() for _ in range(5)]
    for one in asked:
        journal.resolve(served(one))
    page = await journal.endings(0, 10)
    assert [ending for _, ending in page] == [served(one) for one in asked]


async def test_a_second_ending_is_ignored_and_told_with_the_first(journal: SqliteJournal) -> None:
    asked = hold_request()
    journal.resolve(served(asked, price=1))
    await journal.resolve(served(asked, price=2)).durable()
    await journal.resolve(served(asked, price=3)).durable()
    ((_, ending),) = await journal.endings(0, 10)
    assert ending.charged == 1


async def test_a_draft_after_the_ending_or_of_an_unknown_request_changes_nothing(journal: SqliteJournal) -> None:
    asked = hold_request()
    journal.intend(intent(asked))
    journal.resolve(served(asked))
    await journal.note(asked.request_id, failure(asked)).durable()
    await journal.note("req_unknown", failure(asked)).durable()
    assert await journal.left_open() == []
    assert len(await journal.endings(0, 10)) == 1


async def test_numbers_go_on_after_everything_was_forgotten(journal: SqliteJournal) -> None:
    await journal.resolve(served(hold_request())).durable()
    ((first, _),) = await journal.endings(0, 10)
    await journal.forget([first]).durable()
    await journal.resolve(served(hold_request())).durable()
    ((second, _),) = await journal.endings(first, 10)
    assert second > first


async def test_an_adopter_resolves_ships_forgets_and_the_file_is_gone(journal: SqliteJournal, tmp_path: Path) -> None:
    ended, left = hold_request(), hold_request()
    journal.intend(intent(left))
    await journal.resolve(served(ended)).durable()
    directory = died(tmp_path / "journal")
    next_one = await adopted(directory)
    (open_one,) = await next_one.left_open()
    await next_one.resolve(served(open_one.hold)).durable()
    endings = await next_one.endings(0, 10)
    assert [ending.hold for _, ending in endings] == [ended, left]
    next_one.forget([number for number, _ in endings])
    await next_one.close()
    assert list(directory.iterdir()) == []


async def test_what_an_adopter_leaves_is_adopted_again(journal: SqliteJournal, tmp_path: Path) -> None:
    await journal.resolve(served(hold_request())).durable()
    directory = died(tmp_path / "journal")
    for _ in range(2):
        next_one = await adopted(directory)
        assert len(await next_one.endings(0, 10)) == 1
        await next_one.close()


async def test_two_adopters_never_take_the_same_one_nor_one_that_lives(
    directory: JournalDirectory, journal: SqliteJournal, tmp_path: Path
) -> None:
    assert await directory.adopt() == []
    await journal.resolve(served(hold_request())).durable()
    dead = died(tmp_path / "journal")
    adopters = [JournalDirectory(dead, clock=StillClock(), options=SMALL) for _ in range(4)]
    taken = [one for some in await asyncio.gather(*[adopter.adopt() for adopter in adopters]) for one in some]
    assert len(taken) == 1
    await taken[0].close()


async def test_a_name_is_taken_as_long_as_its_process_lives(directory: JournalDirectory) -> None:
    opened = await directory.open("second")
    with pytest.raises(InstanceTaken):
        await directory.open("second")
    await opened.close()
    await (await directory.open("second")).close()


async def test_a_journal_with_nothing_in_it_is_adopted_for_the_leases_of_its_process(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    directory = died(tmp_path / "journal")
    next_one = await adopted(directory)
    assert next_one.instance == "first"
    assert await next_one.left_open() == await next_one.endings(0, 10) == []
    await next_one.close()
    assert list(directory.iterdir()) == []


async def test_a_lock_without_a_journal_is_cleared_away(tmp_path: Path) -> None:
    lock = tmp_path / "first.lock"
    lock.touch()
    assert await JournalDirectory(tmp_path, clock=StillClock(), options=SMALL).adopt() == []
    assert not lock.exists()


async def test_an_orderly_end_with_nothing_waiting_leaves_no_file(directory: JournalDirectory, tmp_path: Path) -> None:
    opened = await directory.open("second")
    asked = hold_request()
    opened.intend(intent(asked))
    await opened.resolve(served(asked)).durable()
    opened.forget([number for number, _ in await opened.endings(0, 10)])
    await opened.close()
    await opened.close()
    assert list((tmp_path / "journal").iterdir()) == []
    with pytest.raises(Unavailable):
        opened.intend(intent())


async def test_more_waiting_than_its_bounds_closes_it_for_new_requests_only(tmp_path: Path) -> None:
    options = type(SMALL)(bounds=Bounds(endings=3), reserve_bytes=SMALL.reserve_bytes)
    opened = await JournalDirectory(tmp_path / "journal", clock=StillClock(), options=options).open("first")
    asked = [hold_request() for _ in range(5)]
    for one in asked:
        assert opened.open_for_new == (one in asked[:3])
        opened.intend(intent(one))
        await opened.resolve(served(one)).durable()
    endings = await opened.endings(0, 10)
    assert len(endings) == 5
    opened.forget([number for number, _ in endings[:3]])
    assert opened.open_for_new
    await opened.close()


async def test_figures_tell_what_waits_and_since_when(directory: JournalDirectory) -> None:
    opened = await directory.open("second")
    clock = opened._clock
    assert isinstance(clock, StillClock)
    asked = hold_request()
    opened.intend(intent())
    opened.intend(intent(asked))
    await opened.resolve(served(asked)).durable()
    clock.forward(timedelta(seconds=4))
    figures = opened.figures()
    assert (figures["waiting"], figures["open"], figures["oldest_seconds"]) == (1, 1, 4)
    assert 0 < figures["waiting_bytes"] < figures["file_bytes"]
    assert (figures["reserve_whole"], figures["damaged"]) == (1, 0)
    await opened.close()


async def test_a_closed_journal_can_be_adopted_though_many_rows_were_its_last_words(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    """Once a statement that was not let go of kept the closed file open, and locked."""
    asked = [hold_request() for _ in range(3)]
    for each in asked:
        journal.intend(intent(each))
    await journal.close()
    next_one = await adopted(tmp_path / "journal")
    assert await next_one.left_open() == [intent(each) for each in asked]
    await next_one.close()
