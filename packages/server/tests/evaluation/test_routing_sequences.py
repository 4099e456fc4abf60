"""Cascades and races on made-up runs: three arms, of which the dear one is best."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.evaluation.routing import sequences
from monkey_coder_server.evaluation.routing.data import Outcome, Row, Set
from monkey_coder_server.evaluation.routing.runners import Check
from monkey_coder_server.evaluation.routing.sequence_report import document, table
from monkey_coder_server.evaluation.routing.splits import Split, apart, five_folds

ARMS = {"cheap": (0.3, 0.03, 30.0), "good": (0.03, 0.4, 25.0), "quick": (0.35, 0.05, 15.0), "strong": (0.0, 0.8, 40.0)}
"""How much harder a task seems to each, what a run costs in USD and how many calls it makes."""
GOOD, USELESS = Check(0.9, 0.1), Check(0.5, 0.5)


def _rows(count: int, *, seed: int = 3, calls: bool = True, without: tuple[str, ...] = ()) -> list[Row]:
    random, rows = Random(seed), []
    for number in range(count):
        task = random.gauss(0.7, 0.35)
        outcomes, made = {}, {}
        for arm, (harder, cost, turns) in ARMS.items():
            right = task - harder + random.gauss(0.0, 0.3) > 0.45
            length = random.uniform(0.7, 1.3) * (1.0 if right else 1.3)
            if arm not in without:
                outcomes[arm], made[arm] = Outcome(float(right), cost * length), turns * length
        context = Context.of("issue-fix", "python", f"repository {number % 3}")
        rows.append(Row(f"fix/{number}", "fix", context, None, outcomes, made if calls else {}))
    return rows


def _set(rows: list[Row]) -> Set:
    return Set("fix", tuple(sorted(ARMS)), tuple(rows))


@pytest.fixture(autouse=True, scope="module")
def _quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequences, "SEEDS", 4)
        patch.setattr(sequences, "DRAWS", 40)
        yield


@pytest.fixture(scope="module")
def found() -> sequences.SequenceReport:
    of = _set(_rows(250))
    found = sequences.report(of, [*five_folds(of)], "strong", [GOOD, USELESS])
    assert found is not None
    return found


def test_with_a_good_check_sequences_lose_nothing_and_save(found: sequences.SequenceReport) -> None:
    good = found.figures[GOOD]
    assert good["cascade"].gain.mean >= 0
    assert good["cascade"].cost_share.high < 0.6
    assert good["finest"].mean.quality >= good["cascade"].mean.quality
    assert good["finest"].cost_share.mean < 1
    assert good["race"].gain.mean >= 0
    assert good["race"].cost_share.high < 1
    assert good["race"].calls_share.mean < 0.8
    for figures in good.values():
        assert figures.gain.low < figures.gain.mean < figures.gain.high


def test_with_a_useless_check_exactly_the_strongest_arm_is_played(found: sequences.SequenceReport) -> None:
    for figures in found.figures[USELESS].values():
        assert figures.plans == (("strong",),)
        assert figures.mean == pytest.approx(found.strong)
        assert figures.gain == (0.0, 0.0, 0.0)


def test_the_same_rows_give_the_same_figures(found: sequences.SequenceReport) -> None:
    of = _set(_rows(250))
    again = sequences.report(of, [*five_folds(of)], "strong", [GOOD])
    assert again is not None
    assert again.figures[GOOD] == found.figures[GOOD]


def test_verdicts_are_as_often_right_as_stated_and_drawn_anew_for_each_seed() -> None:
    rows = _rows(400)
    drawn = {
        seed: [
            (row.outcomes[arm].quality, passed)
            for row in rows
            for arm, passed in GOOD.verdicts(row, [*ARMS], seed).items()
        ]
        for seed in (1, 2)
    }
    right = [passed for quality, passed in drawn[1] if quality]
    wrong = [passed for quality, passed in drawn[1] if not quality]
    assert sum(right) / len(right) == pytest.approx(0.9, abs=0.03)
    assert sum(wrong) / len(wrong) == pytest.approx(0.1, abs=0.03)
    assert drawn[1] != drawn[2]


def test_without_calls_or_without_runs_of_the_strongest_arm_nothing_is_played() -> None:
    rows = _rows(40)
    silent = _set(_rows(40, calls=False))
    assert sequences.report(silent, [apart(silent, rows)], "strong", [GOOD]) is None
    strangers = _rows(40, without=("strong",))
    assert sequences.report(_set(rows), [Split(strangers, range(40))], "strong", [GOOD]) is None


def test_models_not_seen_in_training_are_not_planned_with() -> None:
    of = _set(_rows(40))
    found = sequences.report(of, [Split(_rows(250, seed=5, without=("cheap",)), range(40))], "strong", [GOOD])
    assert found is not None
    assert all("cheap" not in plan for figures in found.figures[GOOD].values() for plan in figures.plans)


def test_where_no_task_was_tried_by_all_only_the_strongest_is_known() -> None:
    train = _rows(30, without=("cheap", "good")) + _rows(30, seed=4, without=("quick", "good"))
    train += _rows(30, seed=5, without=("cheap", "quick"))
    of = _set(_rows(20))
    found = sequences.report(of, [Split(train, range(20))], "strong", [GOOD])
    assert found is not None
    assert found.figures[GOOD]["cascade"].plans == (("strong",),)


def test_the_document_tells_the_stated_check_first_and_every_other_beside_it(found: sequences.SequenceReport) -> None:
    told: dict[str, Any] = json.loads(json.dumps(document(found)))
    assert told["cascade"]["verifier"] == "0.9/0.1"
    assert told["cascade"]["strong_quality"] == found.strong.quality
    assert told["cascade"]["cost"] < told["cascade"]["strong_cost"]
    assert told["race"]["turns"] < told["race"]["strong_turns"]
    assert [(each["verifier"], each["mode"]) for each in told["checks"]] == [
        (check, mode) for check in ("0.9/0.1", "0.5/0.5") for mode in sequences.MODES
    ]


def test_the_table_has_a_line_for_every_mode_and_check(found: sequences.SequenceReport) -> None:
    lines = table(found).splitlines()
    assert "strong alone" in lines[0]
    assert len(lines) == 4 + 2 * len(sequences.MODES)
    assert "| 0.5/0.5 | race |" in lines[-1]
    assert "100% (100% to 100%)" in lines[-1]
