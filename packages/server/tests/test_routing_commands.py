"""`monkey-server admin routing replay | export` as an operator types them."""

import asyncio
import csv
import io
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from monkey_coder_server.__main__ import main
from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.ports.routing_store import RoutingDecision, RoutingOutcome, Weighed
from monkey_coder_server.settings import load
from packages.server.tests.contract.booking import ACCOUNT, NOON

Output = pytest.CaptureFixture[str]
SINCE = str(NOON.date())
SMALL, BIG, NEVER = "groq/small", "openai/big", "xai/never"
COSTS, GOOD = {SMALL: 1_000_000, BIG: 9_000_000}, {SMALL: 0.5, BIG: 1.0}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def decision(number: int) -> RoutingDecision:
    """Every fourth went to the big model, each with its probability."""
    arm, share = (BIG, 0.25) if number % 4 == 0 else (SMALL, 0.75)
    return RoutingDecision(
        request_id=f"req_{number:04}",
        at=NOON + timedelta(seconds=number),
        account_id=ACCOUNT,
        kind="fix",
        language="python",
        size="small",
        mode="balanced",
        arm=arm,
        propensity=share,
        explored=True,
        served=arm,
        cost=COSTS[arm],
        latency_ms=700,
        candidates=(
            Weighed(SMALL, 0.6, 0.1, 1_000_000, 700, 0.75),
            Weighed(BIG, 0.9, 0.1, 9_000_000, 700, 0.25),
            Weighed(NEVER, 0.95, 0.1, 99_000_000, 9_000, 0.0),
        ),
    )


def outcome(decided: RoutingDecision) -> RoutingOutcome:
    number = int(decided.request_id[-4:])
    good = GOOD[decided.arm] == 1.0 or number % 8 < 4
    return RoutingOutcome(decided.request_id, decided.at, float(good), 1.0, "tests_passed" if good else "tests_failed")


def logged(decisions: Sequence[RoutingDecision]) -> None:
    async def run() -> None:
        async with open_books(load()) as books:
            await books.storage.decisions.write(decisions, [outcome(each) for each in decisions])

    asyncio.run(run())


def told(capsys: Output, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["admin", "routing", *arguments]) == code
    return capsys.readouterr().out


def replayed(capsys: Output, policy: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(told(capsys, "replay", "--since", SINCE, "--policy", policy, "--json"))
    return document


def test_another_rule_is_told_by_what_it_would_have_cost_and_achieved(capsys: Output) -> None:
    logged([decision(number) for number in range(400)])
    document = replayed(capsys, f"single:{BIG}")
    assert document["decisions"] == 400
    assert document["cost_usd"]["as_it_was"] == "0.003"
    assert document["cost_usd"]["doubly_robust"]["estimate"] == "0.009"
    assert document["quality"]["self_normalised"]["estimate"] == 1.0
    assert document["quality"]["effective"] == 100.0
    assert replayed(capsys, "weights:0,1,0")["cost_usd"] == replayed(capsys, "cheapest")["cost_usd"]
    cheap = replayed(capsys, "cheapest")
    assert cheap["cost_usd"]["doubly_robust"] == {"estimate": "0.001", "low": "0.001", "high": "0.001"}
    assert cheap["quality"]["doubly_robust"]["low"] < 0.5 < cheap["quality"]["doubly_robust"]["high"]
    was = replayed(capsys, "auto")
    assert was["cost_usd"]["self_normalised"]["estimate"] == was["cost_usd"]["as_it_was"]


def test_what_was_never_tried_is_said_to_be_unknown(capsys: Output) -> None:
    logged([decision(number) for number in range(40)])
    for policy in ("best", f"single:{NEVER}", "single:some/other"):
        document = replayed(capsys, policy)
        assert "doubly_robust" not in document["quality"]
        assert "were not tried" in document["cost_usd"]["unknown"]
    assert "were not tried" in told(capsys, "replay", "--since", SINCE, "--policy", "best")


def test_what_was_never_tried_is_told_by_the_model_and_said_to_be(capsys: Output) -> None:
    logged([replace(decision(number), propensity=1.0, cost=2 * decision(number).cost) for number in range(40)])
    document = replayed(capsys, f"single:{NEVER}")
    model = document["cost_usd"]["model_based"]
    assert (model["estimate"], model["low"], model["high"]) == ("0.198", "0.198", "0.198")
    assert {name: model[name] for name in ("decisions", "outcomes", "coverage", "calibrated")} == {
        "decisions": 40,
        "outcomes": 40,
        "coverage": 1.0,
        "calibrated": 0.0,
    }
    assert model["actual_to_expected"] == 2.0
    assert 0.0 < document["quality"]["model_based"]["low"] < document["quality"]["model_based"]["high"] <= 1.0
    big = replayed(capsys, f"single:{BIG}")["cost_usd"]["model_based"]
    assert (big["estimate"], big["calibrated"]) == ("0.018", 1.0)
    said = told(capsys, "replay", "--since", SINCE, "--policy", f"single:{NEVER}")
    assert "model-based, not observed: 0.198 (0.198 to 0.198), on 100% of 40 decisions, 0% of it by models" in said
    assert "model_based" not in replayed(capsys, "single:some/other")["cost_usd"]


def test_decisions_nobody_reported_on_have_a_quality_by_the_model_too(capsys: Output) -> None:
    decisions = [decision(number) for number in range(40)]

    async def run() -> None:
        async with open_books(load()) as books:
            await books.storage.decisions.write(decisions, [outcome(each) for each in decisions[:30]])

    asyncio.run(run())
    quality = replayed(capsys, "cheapest")["quality"]
    assert quality["decisions"] == 30
    assert (quality["model_based"]["decisions"], quality["model_based"]["outcomes"]) == (40, 30)


def test_what_another_model_answered_is_left_out_and_counted(capsys: Output) -> None:
    logged([decision(number) for number in range(100)] + [replace(decision(100), served=SMALL)])
    document = replayed(capsys, "auto")
    assert (document["decisions"], document["answered_by_another"]) == (101, 1)
    assert document["cost_usd"]["decisions"] == 100
    said = told(capsys, "replay", "--since", SINCE, "--until", SINCE, "--policy", "auto")
    assert "101 decisions, 1 answered by another model" in said
    assert "would have been 0.003" in said


def test_an_empty_log_says_nothing(capsys: Output) -> None:
    assert replayed(capsys, "cheapest")["quality"] == {
        "decisions": 0,
        "supported": 0.0,
        "effective": 0.0,
        "unknown": "No decision with this outcome is logged.",
    }


@pytest.mark.parametrize(
    "policy", ["dearest", "single:", "single:gpt", "weights:1,2", "weights:1,-1,1", "weights:0,0,0", "weights:nan,1,1"]
)
def test_a_policy_nobody_knows_is_refused(capsys: Output, policy: str) -> None:
    assert main(["admin", "routing", "replay", "--since", SINCE, "--policy", policy]) == 1
    assert "is no policy" in capsys.readouterr().err


def test_the_log_is_exported_with_its_outcomes_and_candidates(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    logged([decision(0), decision(1)])
    period = ("--from", SINCE, "--to", SINCE)
    assert main(["admin", "routing", "export", *period]) == 0
    rows = list(csv.DictReader(io.StringIO(capfdbinary.readouterr().out.decode())))
    assert [(row["request_id"], row["arm"], row["cost_usd"]) for row in rows] == [
        ("req_0000", BIG, "0.009"),
        ("req_0001", SMALL, "0.001"),
    ]
    assert [each[0] for each in json.loads(rows[0]["candidates"])] == [SMALL, BIG, NEVER]
    assert main(["admin", "routing", "export", *period, "--format", "jsonl"]) == 0
    first = json.loads(capfdbinary.readouterr().out.splitlines()[0])
    assert (first["quality"], first["signal"], first["explored"]) == ("1.0", "tests_passed", True)


def test_the_log_is_exported_as_parquet(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    pytest.importorskip("pyarrow")
    logged([decision(0)])
    assert main(["admin", "routing", "export", "--from", SINCE, "--to", SINCE, "--format", "parquet"]) == 0
    assert capfdbinary.readouterr().out.startswith(b"PAR1")
