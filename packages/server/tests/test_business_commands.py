"""`monkey-server admin business` as an operator types it."""

import json
from pathlib import Path

import pytest

from monkey_coder_server.__main__ import main

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    assert main(["admin", "create-user", "--email", "ada@example.com", "--credit", "5"]) == 0


def told(capsys: Output, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["admin", "business", *arguments]) == code
    out, err = capsys.readouterr()
    return out or err


def test_business_is_printed_for_people_and_for_programs(capsys: Output) -> None:
    lines = told(capsys).splitlines()
    assert any(line.startswith("total") for line in lines)
    assert "unexplained: revenue 0.00, cost 0.00" in lines
    assert "saved by caches: 0.00; estimated requests: 0" in lines
    assert any("promotions given 5.00" in line for line in lines)
    found = json.loads(told(capsys, "--json", "--by", "day"))
    assert (found["by"], found["promotions_given_usd"], found["lines"]) == ("day", "5.00", [])
    assert told(capsys, "--csv").startswith("name,requests,failed,revenue_usd")
    assert "must be a day" in told(capsys, "--from", "soon", code=1)
