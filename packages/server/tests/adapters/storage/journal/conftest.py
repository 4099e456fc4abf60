"""A journal in a directory of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory, Options
from monkey_coder_server.adapters.storage.journal.journal import SqliteJournal
from packages.server.tests.contract.booking import StillClock

SMALL = Options(reserve_bytes=64 * 1024)
ROWS = Options(reserve_bytes=64 * 1024, slots=0)
"""Everything in the database, as where slots have no room."""
MIXED = Options(reserve_bytes=64 * 1024, slots=2)
"""Some in slots, some in the database."""


@pytest.fixture
def directory(tmp_path: Path) -> JournalDirectory:
    return JournalDirectory(tmp_path / "journal", clock=StillClock(), options=SMALL)


@pytest.fixture
async def journal(directory: JournalDirectory) -> AsyncIterator[SqliteJournal]:
    opened = await directory.open("first")
    yield opened
    await opened.close()
