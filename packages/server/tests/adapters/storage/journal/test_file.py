"""The file: how durable a commit is, and that what is forgotten makes room for what comes."""

from pathlib import Path

import pytest

from monkey_coder_server.adapters.storage.journal import file
from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory, Options
from packages.server.tests.adapters.storage.journal.conftest import ROWS, SMALL
from packages.server.tests.adapters.storage.journal.records import intent, served
from packages.server.tests.contract.booking import StillClock, hold_request

FULL, NORMAL = 2, 1


@pytest.mark.parametrize(("relaxed", "synchronous"), [(False, FULL), (True, NORMAL)])
def test_a_commit_survives_power_loss_unless_relaxed(tmp_path: Path, relaxed: bool, synchronous: int) -> None:
    connection = file.open_file(tmp_path / "journal.sqlite", relaxed=relaxed)
    assert connection.execute("PRAGMA synchronous").fetchone() == (synchronous,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


@pytest.mark.parametrize("options", [SMALL, ROWS])
async def test_the_files_do_not_grow_with_what_was_booked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: Options
) -> None:
    monkeypatch.setattr(file, "CHECKPOINT_PAGES", 50)
    journal = await JournalDirectory(tmp_path, clock=StillClock(), options=options).open("first")
    sizes = []
    for _ in range(40):
        asked = [hold_request() for _ in range(100)]
        for one in asked:
            journal.intend(intent(one))
        await journal.note("req_none", intent(asked[0]).draft).durable()
        for one in asked:
            journal.resolve(served(one))
        endings = await journal.endings(0, 1_000)
        assert len(endings) == 100
        await journal.forget([number for number, _ in endings]).durable()
        sizes.append(journal.figures()["file_bytes"])
    assert max(sizes[5:]) <= max(sizes[:5]) * 5 // 4
    await journal.close()
