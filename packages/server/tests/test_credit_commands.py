"""`monkey-server admin grant | grants | refund | set-limits | limits | set-rates | rates` as an operator types them."""

import json
from pathlib import Path

import pytest

from monkey_coder_server.__main__ import main

Output = pytest.CaptureFixture[str]
EMAIL = "a@example.com"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    assert main(["admin", "create-user", "--email", EMAIL, "--credit", "10", "--json"]) == 0


def told(capsys: Output, *arguments: str) -> list[str]:
    capsys.readouterr()
    assert main(["admin", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def sound(capsys: Output) -> bool:
    return bool(json.loads("".join(told(capsys, "ledger", "verify")))["sound"])


def test_credit_is_granted_with_an_end_listed_as_it_will_be_spent_and_taken_back(capsys: Output) -> None:
    gift = ["--email", EMAIL, "--usd", "5", "--reason", "gift", "--expires-days", "30", "--priority", "10"]
    [line] = told(capsys, "grant", *gift)
    assert line.startswith("granted 5.00 USD to a@example.com, until ")
    assert line.endswith("the balance is 15.00 USD")
    first, second = told(capsys, "grants", "--email", EMAIL)
    assert "5.00 of           5.00 USD  promo    priority 10   until " in first
    assert "10.00 of          10.00 USD  trial    priority 100  never expires" in second
    grant_id = first.split()[-1]
    back = ["refund", "--email", EMAIL, "--grant", grant_id, "--usd", "2", "--reason", "a mistake"]
    assert told(capsys, *back) == [f"refunded 2.00 USD of {grant_id}; the balance is 13.00 USD"]
    assert sound(capsys)


def test_limits_are_set_listed_and_taken_back(capsys: Output) -> None:
    [line] = told(capsys, "set-limits", "--email", EMAIL, "--per", "total", "--usd", "3")
    assert line == f"{EMAIL}  account per total: 0.00 spent and 0.00 held of 3.00 USD, 3.00 left"
    narrow = ["set-limits", "--email", EMAIL, "--project", "web", "--model", "gpt-5", "--per", "day"]
    told(capsys, *narrow, "--tokens", "9")
    lines = told(capsys, "limits", "--email", EMAIL)
    assert lines[0] == line
    assert "project web on openai/gpt-5 per day: 0 spent and 0 held of 9 tokens, 9 left until " in lines[1]
    assert told(capsys, "set-limits", "--email", EMAIL, "--per", "total", "--none") == lines[1:]
    assert told(capsys, *narrow, "--none") == [f"{EMAIL} has no limits"]
    assert told(capsys, "limits") == ["there are no limits"]
    assert sound(capsys)


def test_rates_are_set_listed_and_taken_back(capsys: Output) -> None:
    whose = ["set-rates", "--email", EMAIL]
    assert told(capsys, *whose, "--requests", "5") == [f"{EMAIL}  account: 5 requests a minute"]
    narrow = [*whose, "--project", "web", "--model", "gpt-5"]
    told(capsys, *narrow, "--tokens", "900", "--concurrency", "2")
    lines = told(capsys, "rates", "--email", EMAIL)
    assert lines[1:] == [
        f"{EMAIL}  project web on openai/gpt-5: 2 requests at once",
        f"{EMAIL}  project web on openai/gpt-5: 900 tokens a minute",
    ]
    assert told(capsys, *narrow, "--tokens", "800", "--none")[1:] == [
        f"{EMAIL}  project web on openai/gpt-5: 800 tokens a minute"
    ]
    told(capsys, *whose, "--none")
    assert told(capsys, *narrow, "--none") == [f"{EMAIL} has no rates"]
    assert told(capsys, "rates") == ["there are no rates"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["set-rates"], "Nothing is set"),
        (["set-rates", "--requests", "-1"], "`requests` must be from 0"),
        (["set-rates", "--team", "team_none", "--tokens", "1"], "no team team_none"),
        (["set-rates", "--key", "key_none", "--tokens", "1"], "no API key key_none"),
        (["set-limits", "--per", "day", "--model", "auto", "--usd", "1"], "'auto' stands for"),
        (["set-limits", "--per", "day", "--model", "gpt-none", "--usd", "1"], "There is no model named"),
        (["set-limits", "--per", "day", "--key", "key_none", "--tokens", "1"], "no API key key_none"),
        (["set-limits", "--per", "day", "--tokens", "-1"], "must be 0 or more"),
        (["set-limits", "--per", "day", "--usd", "much"], "'much' is not an amount"),
        (["refund", "--request", "req_none", "--usd", "1", "--reason", "r"], "has no charge and no grant"),
        (["grant", "--usd", "0", "--reason", "r"], "must be above 0 USD"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(arguments: list[str], sentence: str, capsys: Output) -> None:
    assert main(["admin", *arguments, "--email", EMAIL]) == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["set-limits", "--email", EMAIL, "--per", "week", "--usd", "1"],
        ["set-limits", "--email", EMAIL, "--per", "day"],
        ["set-limits", "--email", EMAIL, "--per", "day", "--usd", "1", "--tokens", "1"],
        ["set-limits", "--email", EMAIL, "--per", "day", "--usd", "1", "--key", "k", "--project", "p"],
        ["grant", "--email", EMAIL, "--usd", "1", "--reason", "r", "--expires-days", "0"],
    ],
)
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["admin", *arguments])
    assert stopped.value.code == 2
