"""The command `monkey-server` in this process: what it prints and how it exits."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.__main__ import main

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ENVIRONMENT", "DATABASE_URL", "PORT", "METRICS_PORT", "TRIAL_CREDIT_USD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))


def made(capsys: Output, *arguments: str) -> dict[str, Any]:
    assert main(["admin", "create-user", "--email", "a@example.com", "--json", *arguments]) == 0
    read: dict[str, Any] = json.loads(capsys.readouterr().out)
    return read


def test_create_user_prints_exactly_four_fields_and_nothing_else(capsys: Output) -> None:
    user = made(capsys, "--credit", "12.50")
    assert set(user) == {"user_id", "account_id", "api_key", "credit_usd"}
    assert user["credit_usd"] == "12.50"
    assert user["api_key"].startswith("mk-dev-")


def test_without_credit_an_account_starts_like_every_other(capsys: Output) -> None:
    assert made(capsys)["credit_usd"] == "5.00"


def test_a_password_comes_by_standard_input(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert main(["admin", "create-user", "--email", "a@example.com", "--password-stdin"]) == 1
    assert "12 to 1024 characters" in capsys.readouterr().err


def test_granted_credit_shows_in_the_list_and_the_books_stay_sound(capsys: Output) -> None:
    made(capsys, "--credit", "1")
    assert main(["admin", "grant", "--email", "A@example.com", "--usd", "2.5", "--reason", "sorry"]) == 0
    assert "3.50 USD" in capsys.readouterr().out
    assert main(["admin", "list-users", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["balance_usd"] == "3.50"
    assert main(["admin", "ledger", "verify"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["sound"] is True
    assert report["totals_usd"]["customer_credit"] == "3.50"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["grant", "--email", "nobody@example.com", "--usd", "1", "--reason", "x"], "no account with the address"),
        (["grant", "--email", "nobody@example.com", "--usd", "0", "--reason", "x"], "above 0"),
        (["grant", "--email", "nobody@example.com", "--usd", "-1", "--reason", "x"], "negative"),
        (["create-user", "--email", "nobody", "--credit", "1"], "e-mail address"),
        (["create-user", "--email", "a@example.com", "--credit", "1e9"], "not an amount"),
    ],
)
def test_a_refused_action_says_why_and_exits_1(arguments: list[str], sentence: str, capsys: Output) -> None:
    assert main(["admin", *arguments]) == 1
    caught = capsys.readouterr()
    assert sentence in caught.err
    assert caught.out == ""
    assert caught.err.startswith("monkey-server: ")


def test_broken_configuration_exits_78_with_one_sentence(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    assert main(["serve"]) == 78
    assert capsys.readouterr().err == ("monkey-server: PORT is 'eighty'; it must be a whole number from 0 to 65535.\n")


@pytest.mark.parametrize("number", ["0", "257", "two", "-1", "2.5"])
def test_a_number_of_workers_that_is_none_is_refused(number: str, capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", f"--workers={number}"])
    assert ended.value.code == 2
    assert "a whole number from 1 to 256" in capsys.readouterr().err


def test_the_environment_is_listed_without_reading_it(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    assert main(["serve", "--help-env"]) == 0
    assert "MARKUP_PERCENT" in capsys.readouterr().out


def test_the_configuration_is_shown_without_its_secrets(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    assert main(["check-config"]) == 0
    shown = capsys.readouterr()
    assert "canary" not in shown.out + shown.err
    assert "1 keys" in shown.out
    assert "***" in shown.out


def test_migrations_are_applied_and_named(capsys: Output) -> None:
    assert main(["db", "current"]) == 0
    assert capsys.readouterr().out.startswith("empty")
    assert main(["db", "upgrade"]) == 0
    current, _, newest = capsys.readouterr().out.partition(" (newest is ")
    assert newest == f"{current})\n"


def test_prices_are_printed_with_their_source(capsys: Output) -> None:
    assert main(["admin", "prices"]) == 0
    shown = capsys.readouterr().out
    assert "15%" in shown
    assert "openai/gpt-5 " in shown


def test_routes_say_what_they_ask_for(capsys: Output) -> None:
    assert main(["routes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["POST", "/api/v1/execute", "any", "execute"] for line in lines)
    assert any(line.split() == ["GET", "/health", "public", "-"] for line in lines)


@pytest.mark.parametrize("arguments", [[], ["fly"], ["serve", "--port", "99999"], ["admin"]])
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
