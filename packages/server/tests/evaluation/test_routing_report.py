"""The entry point: from files to tables and to one JSON document."""

import csv
import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

from monkey_coder_server.evaluation.routing import data, latency, online, sequences, sets
from monkey_coder_server.evaluation.routing.__main__ import main
from monkey_coder_server.evaluation.routing.splits import five_folds

FEW = 20


def _write(folder: Path, tasks: list[tuple[str, str, str, str | None, dict[str, float]]]) -> list[str]:
    """Items and outcomes of (item, benchmark, kind, prompt, quality by model); what the entry point is told of them."""
    folder.mkdir(exist_ok=True)
    items, outcomes, models = (folder / name for name in ("items.jsonl", "outcomes.csv", "models.csv"))
    items.write_text(
        "".join(
            json.dumps({"item_id": name, "benchmark": benchmark, "task_kind": kind, "prompt": prompt}) + "\n"
            for name, benchmark, kind, prompt, _ in tasks
        )
    )
    with outcomes.open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(["item_id", "benchmark", "model", "quality", "cost_usd", "effort"])
        for name, benchmark, _, _, qualities in tasks:
            for model, quality in qualities.items():
                cost = {"cheap": 0.001, "dear": 0.02}.get(model, 0.005)
                table.writerow([name, benchmark, model, quality, cost, 10 if benchmark == "swebv" else ""])
    models.write_text("benchmark,model,price_in_per_m,price_out_per_m,assumed_in_tokens,assumed_out_tokens,note\n")
    return ["--items", str(items), "--outcomes", str(outcomes), "--models", str(models)]


def _tasks(benchmark: str, rows: int, *, seed: int = 1) -> list[tuple[str, str, str, str | None, dict[str, float]]]:
    """The dear model is better at one kind of task alone."""
    random, tasks = Random(seed), []
    for number in range(rows):
        kind = ("qa", "codegen")[number % 2]
        dear = 0.9 if kind == "codegen" else 0.5
        qualities = {"cheap": float(random.random() < 0.5), "dear": float(random.random() < dear)}
        tasks.append((f"{benchmark}/{number}", benchmark, kind, f"task {number}", qualities))
    return tasks


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "ROUNDS", FEW)
    monkeypatch.setattr(online, "PERMUTATIONS", 2)
    monkeypatch.setattr(sequences, "SEEDS", 2)
    monkeypatch.setattr(sequences, "DRAWS", 10)


def _document(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_by_five_folds_the_sets_of_the_protocol_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = _document(capsys, _write(tmp_path, _tasks("swebv", 300) + _tasks("unknown", 20)))
    assert list(document["sets"]) == ["swebv"]
    figures = document["sets"]["swebv"]
    assert {"apgr", "apgr_static", "diff_low", "diff_high", "cpt50", "cpt80"} <= figures.keys()
    assert figures["diff_low"] > 0, "the kind of task tells where the dear model pays"
    assert figures["apgr"] > figures["apgr_static"]
    assert (figures["rows"], figures["arms"], figures["cheap"], figures["strong"]) == (300, 2, "cheap", "dear")
    assert figures["call_share"]["apgr"] > 0.5
    assert document["cascade"]["verifier"] == "0.9/0.1"
    assert document["cascade"]["strong_quality"] == document["race"]["strong_quality"]
    assert document["cascade"]["cost"] <= document["cascade"]["strong_cost"]
    assert document["race"]["turns"] == 10
    assert document["sequences"]["swebv"]["race"] == document["race"]
    assert 0 < document["decision_us"]["p50"] <= document["decision_us"]["p99"]


def test_rows_apart_teach_any_set_and_what_nothing_is_known_of_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = _write(tmp_path / "train", _tasks("rb-arc", 200, seed=2))
    strangers = [(f"new/{number}", "new", "odd", None, {"x": 1.0, "y": 0.0}) for number in range(5)]
    alone = [(f"solo/{number}", "solo", "odd", None, {"cheap": 1.0}) for number in range(5)]
    held = _write(tmp_path / "held", _tasks("rb-unseen", 60) + _tasks("another", 30) + strangers + alone)
    document = _document(capsys, [*held, "--train", train[1], train[3]])
    assert list(document["sets"]) == ["rb", "another"]
    assert document["sets"]["rb"]["apgr"] > document["sets"]["rb"]["apgr_static"]
    assert set(document["skipped"]) == {"new", "solo", "cascade and race"}
    assert "cascade" not in document
    assert document["sequences"] == {}


def test_models_never_tried_and_prompts_that_are_missing_stop_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = _write(tmp_path / "train", _tasks("swebv", 100))
    tasks = [
        (name, benchmark, "unheard of", None, {**qualities, "newcomer": 1.0})
        for name, benchmark, _, _, qualities in _tasks("swebv", 40, seed=3)
    ]
    document = _document(capsys, [*_write(tmp_path / "held", tasks), "--train", train[1], train[3]])
    assert document["sets"]["swebv"]["arms"] == 3
    assert document["sets"]["swebv"]["apgr_knn"] is None
    assert document["online"]["swebv"]["rounds"] == 40
    assert {"regret", "utility", "best_fixed"} <= document["online"]["swebv"].keys()


def test_for_people_there_are_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = _write(tmp_path / "train", _tasks("swebv", 100))
    alone = [("solo/1", "solo", "odd", None, {"cheap": 1.0})]
    assert main([*_write(tmp_path / "held", _tasks("swebv", 40) + alone), "--train", train[1], train[3]]) == 0
    told = capsys.readouterr().out
    assert "| swebv | 40 | 2 | " in told
    assert "swebv, checks simulated; dear alone: " in told
    assert "swebv by the share of calls to dear: APGR" in told
    assert "solo is left out: no two models have outcomes for the same tasks" in told
    assert "A decision over 20 arms takes " in told


def test_plots_are_written_where_they_are_wanted_the_same_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = [
        (name, benchmark, kind, prompt, {**qualities, "third": 0.3})
        for name, benchmark, kind, prompt, qualities in _tasks("swebv", 60)
    ]
    drawn = []
    for folder in ("one", "other"):
        _document(capsys, [*_write(tmp_path, tasks), "--plots", str(tmp_path / folder)])
        drawn.append({path.name: path.read_text() for path in (tmp_path / folder).iterdir()})
    assert set(drawn[0]) == {"regret-swebv.svg", "sequences-swebv.svg"}
    assert drawn[0] == drawn[1]
    assert drawn[0]["regret-swebv.svg"].count("<polyline") == len(online.LEARNING)


def test_a_training_file_alone_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*_write(tmp_path, _tasks("swebv", 4)), "--train", "items.jsonl"])
    assert "--train takes pairs" in capsys.readouterr().err


ROOT = Path(os.environ["MONKEY_CODER_DATA"]) / "routing" if "MONKEY_CODER_DATA" in os.environ else None


@pytest.mark.skipif(ROOT is None or not ROOT.is_dir(), reason="MONKEY_CODER_DATA names no folder with routing outcomes")
@pytest.mark.parametrize(
    ("name", "apgr", "static", "oracle"),
    [("swebv", 0.59, 0.594, 1.856), ("rb", 0.90, 0.810, 1.226), ("lcb24", 0.80, 0.702, 1.398)],
)
def test_on_public_outcomes_the_figures_are_the_protocols_and_kinds_beat_the_static_hull(
    name: str, apgr: float, static: float, oracle: float
) -> None:
    assert ROOT is not None
    rows = data.read_rows(ROOT / "items.jsonl.gz", ROOT / "outcomes.csv.gz")
    of = data.set_from(rows, name)
    found = sets.report(of, list(five_folds(of)), {})
    assert found.static.apgr == pytest.approx(static, abs=0.001)
    assert found.oracle.apgr == pytest.approx(oracle, abs=0.001)
    assert found.router.apgr >= apgr
    assert found.low > 0 if name != "swebv" else found.low >= -0.05
