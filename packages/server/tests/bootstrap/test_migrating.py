"""Migrations are made by another process, and what goes wrong there is left to whoever opens the database."""

from pathlib import Path

import pytest

from monkey_coder_server.adapters.storage import migrate
from monkey_coder_server.bootstrap.migrating import upgrade_apart

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # the suite's threads


def test_a_new_database_is_brought_to_the_newest_revision_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(*_: object) -> None:
        ran.append("here")
        upgrade(tmp_path / "books.db")

    ran, upgrade = list[str](), migrate.upgrade
    monkeypatch.setattr(migrate, "upgrade", here)
    upgrade_apart(f"sqlite:///{tmp_path}/books.db")
    assert migrate.current(tmp_path / "books.db") == migrate.HEAD
    assert ran == []


def test_what_goes_wrong_there_is_not_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "books.db").write_bytes(b"no database at all, but long enough to be read as one" * 40)
    upgrade_apart(f"sqlite:///{tmp_path}/books.db")
    upgrade_apart("mysql://nowhere/books")
    assert capfd.readouterr() == ("", "")
