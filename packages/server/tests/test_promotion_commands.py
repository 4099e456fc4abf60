"""`monkey-server admin promotions …` as an operator types it."""

import json
from pathlib import Path

import pytest

from monkey_coder_server.__main__ import main

Output = pytest.CaptureFixture[str]
ADD = ("add", "--usd", "5", "--days", "30", "--campaign", "Spring", "--reason", "new people")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def told(capsys: Output, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["admin", "promotions", *arguments]) == code
    out, err = capsys.readouterr()
    return out or err


def test_a_promotion_is_added_listed_and_ended(capsys: Output) -> None:
    assert told(capsys, "list") == "there are no promotions\n"
    bounds = ("--until", "2999-01-01", "--max", "500", "--new-within", "7", "--plan", "prepaid")
    line = told(capsys, *ADD, "--code", "spring-26", *bounds)
    assert line.startswith("SPRING-26  5.00 USD for 30 days; in force, from 20")
    assert (
        "until 2999-01-01T00:00; redeemed 0 of 500; accounts opened in the last 7 days; plans prepaid; Spring" in line
    )
    assert told(capsys, "list") == line
    [kept] = json.loads(told(capsys, "list", "--json"))
    assert (kept["code"], kept["amount_usd"], kept["plans"]) == ("SPRING-26", "5.00", ["prepaid"])
    ended = told(capsys, "end", kept["promotion_id"], "--reason", "summer")
    assert "; over, from" in ended
    assert told(capsys, "list") == "there are no promotions\n"
    assert "SPRING-26" in told(capsys, "list", "--all")
    assert "over by then" in told(capsys, "end", kept["promotion_id"], "--reason", "again", code=1)


def test_a_code_nobody_can_guess_is_made_where_none_is_named(capsys: Output) -> None:
    codes = {told(capsys, *ADD).split()[0] for _ in range(2)}
    assert {len(code) for code in codes} == {19}
    assert len(codes) == 2


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--plan", "gold"), "there are prepaid"),
        (("--usd", "lots"), "--usd"),
        (("--code", "ab"), "6 to 40"),
        (("--from", "soon"), "--from must be a day"),
        (("--until", "2020-01-01"), "after now"),
    ],
)
def test_a_wrong_word_is_answered_with_what_there_is(capsys: Output, arguments: tuple[str, ...], names: str) -> None:
    assert names in told(capsys, *ADD, *arguments, code=1)
