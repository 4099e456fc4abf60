"""`monkey-server admin audit …` as an operator types it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monkey_coder_server.__main__ import main
from monkey_coder_server.settings import load

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def told(capsys: Output, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["admin", *arguments]) == code
    return capsys.readouterr().out


def account(capsys: Output, email: str) -> None:
    told(capsys, "create-user", "--email", email)
    told(capsys, "grant", "--email", email, "--usd", "1", "--reason", "test")


def test_a_changed_entry_fails_the_audit_of_the_trail_and_of_the_books(capsys: Output) -> None:
    account(capsys, "ada@example.com")
    report = json.loads(told(capsys, "audit", "verify"))
    assert (report["sound"], report["broken"]) == (True, [])
    told(capsys, "grant", "--email", "ada@example.com", "--usd", "1", "--reason", "test")
    noted = json.loads(told(capsys, "audit", "verify", "--head", report["head"]))
    assert (noted["noted_head_found"], noted["entries"]) == (True, report["entries"] + 1)
    assert json.loads(told(capsys, "ledger", "verify"))["sound"]

    with closing(sqlite3.connect(load().database_url.reveal().removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("DROP TRIGGER audit_refuses_update")
        connection.execute("UPDATE audit SET actor = 'eve' WHERE sequence = 2")
    broken = json.loads(told(capsys, "audit", "verify", code=1))
    assert broken["broken"] == ["entry 2 says other than its digest: it was changed"]
    books = json.loads(told(capsys, "ledger", "verify", code=1))
    assert books["checks"]["audit_entries_changed_or_missing"] == 1


def test_a_chain_that_was_cut_off_and_written_anew_lacks_a_noted_head(capsys: Output) -> None:
    account(capsys, "ada@example.com")
    assert json.loads(told(capsys, "audit", "verify", "--head", "ab" * 32, code=1))["noted_head_found"] is False
    told(capsys, "audit", "verify", "--head", "ab", code=1)


def test_the_trail_is_exported_of_one_account_or_of_all_and_that_is_told(capsys: Output) -> None:
    for email in ("ada@example.com", "eve@example.com"):
        account(capsys, email)
    own = [json.loads(line) for line in told(capsys, "audit", "export", "--email", "ada@example.com").splitlines()]
    assert {row["action"] for row in own} == {"account.open", "key.create", "credit.grant"}
    assert len({row["account_id"] for row in own}) == 1
    everything = told(capsys, "audit", "export", "--format", "csv").splitlines()
    assert len(everything) == 1 + 2 * len(own) + 2
    assert ",operator,audit.export,every account," in everything[-1]
    told(capsys, "audit", "export", "--email", "nobody@example.com", code=1)


@pytest.mark.parametrize(
    ("arguments", "action"),
    [
        (("list-users",), "users.list"),
        (("list-keys",), "keys.list"),
        (("export", "--from", "2026-01-01", "--to", "2026-01-02"), "usage.export"),
        (("ledger", "rebuild-sums"), "sums.rebuild"),
        (("routing", "export", "--from", "2026-01-01"), "decisions.export"),
    ],
)
def test_what_an_operator_does_is_told(capsys: Output, arguments: tuple[str, ...], action: str) -> None:
    account(capsys, "ada@example.com")
    told(capsys, *arguments)
    rows = [json.loads(line) for line in told(capsys, "audit", "export").splitlines()]
    assert (rows[-2]["actor"], rows[-2]["action"]) == ("operator", action)


def test_a_token_that_acts_for_a_person_is_printed_and_told(capsys: Output) -> None:
    account(capsys, "ada@example.com")
    asked = ("impersonate", "--email", "ada@example.com", "--reason", "ticket 12")
    assert told(capsys, *asked).startswith("access token  ey")
    assert json.loads(told(capsys, *asked, "--json"))["access_token"].startswith("ey")
    told(capsys, *asked, "--minutes", "99", code=1)
    rows = [json.loads(line) for line in told(capsys, "audit", "export").splitlines()]
    assert [row["action"] for row in rows].count("session.impersonate") == 2
