"""A damaged journal is reported and kept, everything readable of it is saved, and the next start goes on."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory
from monkey_coder_server.adapters.storage.journal.file import VERSION
from monkey_coder_server.adapters.storage.journal.names import Names
from monkey_coder_server.adapters.storage.journal.pages import FRAME_HEADER_BYTES, LOG_HEADER_BYTES, PAGE_BYTES
from monkey_coder_server.adapters.storage.journal.salvage import recover
from monkey_coder_server.ports.journal import Journal
from monkey_coder_server.ports.ledger import FailedRequest
from packages.server.tests.adapters.storage.journal.conftest import ROWS
from packages.server.tests.adapters.storage.journal.records import died, intent, served
from packages.server.tests.contract.booking import StillClock, hold_request, settlement

ENDED = [hold_request(request_id=f"req_ended_{number}") for number in range(300)]
OPEN = [hold_request(request_id=f"req_open_{number}") for number in range(30)]
LONG = b"a long answer " * 2_000


def at(directory: Path) -> JournalDirectory:
    return JournalDirectory(directory, clock=StillClock(), options=ROWS)


@pytest.fixture
async def dead(tmp_path: Path) -> Path:
    """A journal left by a dead process: half of it in the main file, the rest in the log; one ending is long."""
    journal = await at(tmp_path / "journal").open("first")
    for asked in OPEN:
        await journal.intend(intent(asked)).durable()
        journal.note(asked.request_id, settlement(asked, price=7))
    for asked in ENDED[:-1]:
        await journal.resolve(served(asked)).durable()
    await journal.resolve(replace(served(ENDED[-1]), result=LONG)).durable()
    directory = died(tmp_path / "journal")
    await journal.close()
    return directory


def in_one_file(directory: Path) -> Path:
    """Let SQLite bring the log into the main file."""
    path = directory / "first.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


def spoil(path: Path, offset: int, size: int) -> None:
    with path.open("r+b") as damaged:
        damaged.seek(offset)
        damaged.write(Random(offset).randbytes(size))


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


async def recovered(directory: Path) -> tuple[Journal, set[str], set[str]]:
    (journal,) = await at(directory).adopt()
    ended = {ending.hold.request_id for _, ending in await journal.endings(0, 1_000)}
    return journal, ended, {one.hold.request_id for one in await journal.left_open()}


async def test_a_record_with_a_wrong_checksum_is_reported_by_name_and_all_others_are_saved(
    dead: Path, caplog: pytest.LogCaptureFixture
) -> None:
    connection = sqlite3.connect(in_one_file(dead))
    connection.execute("UPDATE endings SET record = replace(record, 'openai', 'openbi') WHERE number % 100 = 40")
    connection.commit()
    spoiled = {row[0] for row in connection.execute("SELECT request_id FROM endings WHERE number % 100 = 40")}
    connection.close()
    journal, ended, left = await recovered(dead)
    assert len(spoiled) == 3
    assert ended == {asked.request_id for asked in ENDED} - spoiled
    assert left == {asked.request_id for asked in OPEN}
    assert all(any(name in record.message for record in caplog.records) for name in spoiled)
    assert dead.joinpath("first.corrupt").exists()
    await journal.close()


async def test_damage_is_met_once_not_at_every_start(dead: Path) -> None:
    spoil(in_one_file(dead), 9 * PAGE_BYTES, PAGE_BYTES)
    journal, ended, _ = await recovered(dead)
    await journal.close()
    adopter = at(dead)
    (journal,) = await adopter.adopt()
    assert adopter.damages == 0
    endings = await journal.endings(0, 1_000)
    assert {ending.hold.request_id for _, ending in endings} == ended
    for one in await journal.left_open():
        await journal.resolve(served(one.hold)).durable()
    journal.forget([number for number, _ in await journal.endings(0, 1_000)])
    await journal.close()
    assert names(dead) == ["first.corrupt"]
    assert await at(dead).adopt() == []


@pytest.mark.parametrize("page", [0, 1, 2, 5, 20, 40])
async def test_a_damaged_page_costs_at_most_the_records_on_it(
    dead: Path, page: int, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(in_one_file(dead), page * PAGE_BYTES, PAGE_BYTES)
    journal, ended, left = await recovered(dead)
    assert len(ended) >= len(ENDED) - 6
    assert len(ended) + len(left) >= len(ENDED) + len(OPEN) - 12
    assert ended.isdisjoint(left)
    assert caplog.records
    assert "a long answer" not in caplog.text, "an answer is its caller's"
    await journal.close()


async def test_what_is_not_a_database_at_all_is_kept_and_the_next_start_goes_on(tmp_path: Path) -> None:
    tmp_path.joinpath("first.sqlite").write_bytes(b"not a database " * 1_000)
    adopter = at(tmp_path)
    (journal,) = await adopter.adopt()
    assert await journal.endings(0, 10) == []
    await journal.close()
    assert adopter.damages == 1
    own = await adopter.open("second")
    assert own.figures()["damaged"] == 1
    await own.close()
    assert names(tmp_path) == ["first.corrupt"]


async def test_a_damage_in_the_middle_of_the_log_loses_nothing_written_after_it(dead: Path) -> None:
    log = dead / "first.sqlite-wal"
    frames = (log.stat().st_size - LOG_HEADER_BYTES) // (PAGE_BYTES + FRAME_HEADER_BYTES)
    middle = LOG_HEADER_BYTES + frames // 2 * (PAGE_BYTES + FRAME_HEADER_BYTES)
    spoil(log, middle + FRAME_HEADER_BYTES + 2_000, 8)
    adopter = at(dead)
    (journal,) = await adopter.adopt()
    assert adopter.damages == 1
    ended = {ending.hold.request_id for _, ending in await journal.endings(0, 1_000)}
    assert ended == {asked.request_id for asked in ENDED}
    assert {one.hold.request_id for one in await journal.left_open()} == {asked.request_id for asked in OPEN}
    assert dead.joinpath("first.corrupt-wal").exists()
    await journal.close()


async def test_a_log_cut_off_in_its_last_transaction_is_no_damage(dead: Path) -> None:
    log = dead / "first.sqlite-wal"
    with log.open("r+b") as cut:
        cut.truncate(log.stat().st_size - 100)
    adopter = at(dead)
    (journal,) = await adopter.adopt()
    assert adopter.damages == 0
    assert len(await journal.endings(0, 1_000)) == len(ENDED) - 1
    await journal.close()


async def test_a_request_whose_draft_alone_is_damaged_is_ended_without_a_charge(dead: Path) -> None:
    connection = sqlite3.connect(in_one_file(dead))
    connection.execute("UPDATE open_requests SET draft = x'00' WHERE request_id = 'req_open_3'")
    connection.commit()
    connection.close()
    (journal,) = await at(dead).adopt()
    drafts = {one.hold.request_id: one.draft for one in await journal.left_open()}
    assert len(drafts) == len(OPEN)
    assert isinstance(drafts["req_open_3"], FailedRequest)
    await journal.close()


class Died(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5])
async def test_a_crash_while_a_damaged_file_is_replaced_costs_nothing(
    dead: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    spoil(in_one_file(dead), 9 * PAGE_BYTES, PAGE_BYTES)
    journal, *whole = await recovered(shutil.copytree(dead, dead.with_name("whole")))
    await journal.close()
    with monkeypatch.context() as patched:
        die_at(step, patched)
        with pytest.raises(Died):
            recover(Names(dead, "first"))
    journal, *again = await recovered(dead)
    assert again == whole
    await journal.close()


def die_at(step: int, patched: pytest.MonkeyPatch) -> None:
    """Of naming the saved file, moving both files and making each step durable, die before the nth."""
    left = iter([None] * (step - 1))

    def dying(real: Callable[..., object]) -> Callable[..., object]:
        def called(*arguments: object) -> object:
            if next(left, Died) is Died:
                raise Died
            return real(*arguments)

        return called

    for owner, name in ((Path, "rename"), (Names, "sync")):
        patched.setattr(owner, name, dying(getattr(owner, name)))


async def test_a_journal_of_a_later_layout_is_left_alone(dead: Path) -> None:
    connection = sqlite3.connect(in_one_file(dead))
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    assert await at(dead).adopt() == []
    assert dead.joinpath("first.sqlite").exists()
    assert not dead.joinpath("first.corrupt").exists()
