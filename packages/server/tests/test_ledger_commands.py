"""`monkey-server admin ledger verify | unbooked` as an operator types them."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from monkey_coder_server.__main__ import main
from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory
from monkey_coder_server.bootstrap.books import Books, open_books
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.settings import load
from packages.server.tests.contract.booking import ACCOUNT, StillClock, hold_request, resolved

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def told(capsys: Output, *arguments: str, code: int = 0) -> list[str]:
    capsys.readouterr()
    assert main(["admin", "ledger", *arguments]) == code
    return capsys.readouterr().out.splitlines()


def in_books(act: Callable[[Books], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with open_books(load()) as books:
            await act(books)

    asyncio.run(run())


async def _open_account(books: Books) -> None:
    await books.storage.ledger.open_wallet(ACCOUNT)
    await books.storage.ledger.grant(ACCOUNT, 10_000, reason="test", idempotency_key="first")


def ship(*endings: Resolved) -> None:
    async def shipping(books: Books) -> None:
        assert len(await books.storage.books.ship(endings)) == len(endings)

    in_books(shipping)


def audit_entries() -> list[tuple[str, str]]:
    with closing(sqlite3.connect(load().database_url.reveal().removeprefix("sqlite:///"))) as connection:
        return connection.execute("SELECT action, details FROM audit ORDER BY audit_id").fetchall()


def test_endings_that_could_not_be_booked_are_listed_booked_and_written_off(capsys: Output) -> None:
    assert told(capsys, "unbooked", "list") == ["every ending that was shipped is in the books"]
    early, wrong = resolved(hold_request(), None), replace(resolved(hold_request(), None), charged=601)
    ship(early, wrong)
    lines = told(capsys, "unbooked", "list")
    assert [line.split()[0] for line in lines] == [early.hold.request_id, wrong.hold.request_id]
    assert "served by openai/gpt-5, charged 0.0000006 USD at a cost of 0.0000005 USD; ValueError: " in lines[0]
    report = json.loads("".join(told(capsys, "verify", code=1)))
    assert report["unbooked"]["endings"] == 2

    in_books(_open_account)
    assert told(capsys, "unbooked", "retry", "--all", code=1)[0] == f"{early.hold.request_id} is booked"
    told(capsys, "unbooked", "retry", "--request", wrong.hold.request_id, code=1)
    [line] = told(capsys, "unbooked", "write-off", "--request", wrong.hold.request_id, "--reason", "a defect")
    assert line == (f"{wrong.hold.request_id} was charged nothing; its cost of 0.0000005 USD is the house's loss")
    assert told(capsys, "unbooked", "retry", "--all") == ["there is nothing to book"]
    assert json.loads("".join(told(capsys, "verify")))["sound"] is True

    (first, booked), (second, off) = audit_entries()
    assert (first, second) == ("unbooked.retry", "unbooked.write_off")
    assert booked.startswith(f"{early.hold.request_id}: booked; it said: served by openai/gpt-5, charged 0.0000006 USD")
    assert "the house's loss; a defect; it said: served by" in off


def test_what_the_books_can_take_nothing_of_is_dropped(capsys: Output) -> None:
    stranger = resolved(hold_request(), None)
    ship(stranger)
    [line] = told(capsys, "unbooked", "write-off", "--request", stranger.hold.request_id, "--reason", "unknown")
    assert line == f"{stranger.hold.request_id} is dropped; the books can take nothing of it"
    assert told(capsys, "unbooked", "list") == ["every ending that was shipped is in the books"]


@pytest.mark.parametrize("arguments", [("retry",), ("write-off", "--reason", "r")])
def test_what_is_not_there_is_not_dealt_with(capsys: Output, arguments: tuple[str, ...]) -> None:
    assert main(["admin", "ledger", "unbooked", *arguments, "--request", "req_none"]) == 1
    assert "There is no ending of req_none" in capsys.readouterr().err


async def _leave_a_journal(directory: Path, minutes: int) -> None:
    """As a process does that dies before its last ending is shipped."""
    clock = StillClock()
    async with open_books(load()) as books:
        clock.moment = books.clock.now() - timedelta(minutes=minutes)
    journal = await JournalDirectory(directory, clock=clock).open("gw_dead")
    await journal.resolve(resolved(hold_request(at=clock.now()), None)).durable()
    await journal.close()


def test_endings_that_wait_too_long_for_the_books_are_told_with_their_journal(capsys: Output) -> None:
    report = json.loads("".join(told(capsys, "verify")))
    assert report["outbox"] == {"oldest_seconds": 0, "journals": []}
    asyncio.run(_leave_a_journal(load().data_dir / "journal", minutes=8))
    report = json.loads("".join(told(capsys, "verify", code=1)))
    assert report["sound"] is False
    assert report["checks"]["journals_whose_endings_wait_too_long"] == 1
    assert 475 <= report["outbox"]["oldest_seconds"] < 600
    [journal] = report["outbox"]["journals"]
    assert (journal["journal"], journal["alive"]) == ("gw_dead", False)
    [line] = report["details"]
    assert "gw_dead has kept endings from the books for " in line
    assert "more than 300 s; its process is dead: start a gateway" in line
    told(capsys, "verify", "--max-wait", "3600")


@pytest.mark.parametrize("wait", ["-1", "soon", "99999999999"])
def test_a_wait_is_a_number_of_seconds(capsys: Output, wait: str) -> None:
    with pytest.raises(SystemExit):
        main(["admin", "ledger", "verify", "--max-wait", wait])
    assert "is not a number of seconds" in capsys.readouterr().err
