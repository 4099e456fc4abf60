"""`monkey-server admin prices …` as an operator types it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.__main__ import main

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MARKUP_PERCENT", "25")
    monkeypatch.chdir(tmp_path)


def told(capsys: Output, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["admin", "prices", *arguments]) == code
    out, err = capsys.readouterr()
    return out or err


def document(capsys: Output, *arguments: str) -> Any:
    return json.loads(told(capsys, *arguments))


def doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if other price data were installed, in which a model costs twice as much."""
    from functools import partial

    from monkey_coder_server.bootstrap import prices

    overrides = {"openai/gpt-5": {"input": "2.50", "output": "20"}}
    monkeypatch.setattr(prices, "load_price_book", partial(prices.load_price_book, overrides=overrides))


def test_each_model_is_listed_with_cost_markup_price_and_margin(capsys: Output) -> None:
    found = document(capsys, "--json", "--provider", "openai")
    assert (found["plan"], found["markup_basis_points"]) == ("prepaid", 2_500)
    assert all(each["model"].startswith("openai/") for each in found["prices"])
    [row] = [each for each in found["prices"] if each["model"] == "openai/gpt-5"]
    assert (row["input_usd"], row["price_input_usd"], row["margin_percent"]) == ("1.25", "1.5625", "20.00")
    assert (row["output_usd"], row["price_output_usd"]) == ("10.00", "12.50")
    assert "genai-prices" in row["source"]
    lines = told(capsys, "--provider", "openai").splitlines()
    assert any(line.startswith("openai/gpt-5 ") and "25%" in line and "20.00%" in line for line in lines)
    assert "there are anthropic" in told(capsys, "--provider", "acme", code=1)
    assert "there are prepaid" in told(capsys, "--plan", "gold", code=1)


def test_a_markup_shows_in_the_prices_of_its_plan(capsys: Output) -> None:
    assert main(["admin", "markups", "set", "--percent", "0", "--model", "openai/gpt-5", "--reason", "at cost"]) == 0
    [row] = [each for each in document(capsys, "--json")["prices"] if each["model"] == "openai/gpt-5"]
    assert (row["markup_basis_points"], row["price_input_usd"], row["margin_percent"]) == (0, "1.25", "0.00")


def test_new_data_waits_with_its_jumps_marked_until_it_is_activated(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no price changes" in told(capsys, "diff")
    told(capsys, "activate", "--yes")
    first = document(capsys, "--json")["price_book"]
    doubled(monkeypatch)
    assert document(capsys, "--json")["price_book"] == first
    found = document(capsys, "diff", "--json")
    [change] = found["changes"]
    assert (change["model"], change["kind"], change["suspicious"]) == ("openai/gpt-5", "changed", True)
    assert {"what": "input", "old_usd": "1.25", "new_usd": "2.50", "basis_points": 10_000} in change["prices"]
    assert "! changed  openai/gpt-5" in told(capsys, "diff")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert "nothing was activated" in told(capsys, "activate", code=1)
    assert document(capsys, "--json")["price_book"] == first
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert f"activated {found['candidate']}" in told(capsys, "activate", "--reason", "checked with the vendor")
    assert document(capsys, "--json")["price_book"] == found["candidate"]
    kept = document(capsys, "show", first, "--json")
    assert (kept["price_book"], kept["activations"][0]["by"]) == (first, "operator")
    assert "checked with the vendor" in told(capsys, "show", found["candidate"])
    assert "No book" in told(capsys, "show", "none", code=1)
