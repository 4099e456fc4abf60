"""`monkey-server admin markups …` as an operator types it."""

import json
from pathlib import Path

import pytest

from monkey_coder_server.__main__ import main

Output = pytest.CaptureFixture[str]
SET = ("set", "--percent", "12.5", "--plan", "prepaid", "--model", "gpt-5", "--reason", "a pilot")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MARKUP_PERCENT", "15")
    monkeypatch.chdir(tmp_path)


def told(capsys: Output, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["admin", "markups", *arguments]) == code
    out, err = capsys.readouterr()
    return out or err


def test_a_markup_is_set_listed_and_ended(capsys: Output) -> None:
    assert told(capsys, "list") == "     15%  on everything else (MARKUP_PERCENT)\n"
    line = told(capsys, *SET, "--until", "2999-01-01")
    assert line.startswith("   12.5%  on plan prepaid, model gpt-5; in force, from 20")
    assert "until 2999-01-01T00:00; a pilot" in line
    assert told(capsys, "list").splitlines()[1] == line.strip("\n")
    [kept] = json.loads(told(capsys, "list", "--json"))["markups"]
    assert (kept["basis_points"], kept["plan"], kept["provider"]) == (1_250, "prepaid", None)
    ended = told(capsys, "end", kept["markup_id"], "--reason", "it is over")
    assert ended.startswith(f"{kept['markup_id']} on plan prepaid, model gpt-5 ends on 20")
    assert json.loads(told(capsys, "list", "--json")) == {"default_basis_points": 1_500, "markups": []}
    assert "over" in told(capsys, "list", "--all")
    assert "ends on" in told(capsys, "end", kept["markup_id"], "--reason", "again", code=1)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--plan", "gold"), "there are prepaid"),
        (("--provider", "acme"), "there are anthropic"),
        (("--percent", "lots"), "percentage"),
        (("--from", "soon"), "--from must be a day"),
    ],
)
def test_a_wrong_word_is_answered_with_what_there_is(capsys: Output, arguments: tuple[str, ...], names: str) -> None:
    assert names in told(capsys, *SET, *arguments, code=1)


def test_a_model_may_be_named_with_its_provider(capsys: Output) -> None:
    line = told(capsys, "set", "--percent", "0", "--model", "openai/gpt-5", "--reason", "a pilot")
    assert "on provider openai, model gpt-5;" in line
