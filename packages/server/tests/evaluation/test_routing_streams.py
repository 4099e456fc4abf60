"""Streams with bandit feedback on made-up tasks: three arms, the best one differing by kind of work."""

from random import Random

import pytest

from monkey_coder_server.domain.bandit.conservatism import Conservatism
from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.bandit.costs import Costs
from monkey_coder_server.domain.bandit.posterior import Posterior
from monkey_coder_server.domain.bandit.quality import Quality
from monkey_coder_server.evaluation.routing import online
from monkey_coder_server.evaluation.routing.data import Outcome, Row, Set
from monkey_coder_server.evaluation.routing.learner import Learner, Terms
from monkey_coder_server.evaluation.routing.online_report import document, table
from monkey_coder_server.evaluation.routing.streams import Feedback, Stream, play

ARMS = ("cheap", "dear", "useless")
COSTS = {"cheap": 0.1, "dear": 1.0, "useless": 0.1}
CHANCES = {"qa": {"cheap": 0.8, "dear": 0.8, "useless": 0.1}, "fix": {"cheap": 0.2, "dear": 0.9, "useless": 0.1}}
TERMS = Terms(0.3, 1.0)


def _rows(count: int, *, seed: int = 1) -> list[Row]:
    random, rows = Random(seed), []
    for number in range(count):
        kind = ("qa", "fix")[number % 2]
        outcomes = {arm: Outcome(float(random.random() < CHANCES[kind][arm]), COSTS[arm]) for arm in ARMS}
        rows.append(Row(f"made-up/{number}", "made-up", Context.of(kind, "python"), None, outcomes, {}))
    return rows


def _learner(**options: Conservatism) -> Learner:
    return Learner(TERMS, Quality(Posterior()), Costs(COSTS), "dear", **options)


def test_a_learner_that_knows_nothing_finds_the_best_arm_of_each_kind() -> None:
    rows = _rows(1_200)
    played = play(Stream(rows, ARMS, TERMS), _learner(), 1).arms
    late = [*zip(rows, played, strict=True)][800:]
    for kind, best in (("qa", "cheap"), ("fix", "dear")):
        there = [arm for row, arm in late if row.context.nodes[1] == (kind,)]
        assert there.count(best) > 0.85 * len(there)


def test_the_same_seed_plays_the_same_and_another_does_not() -> None:
    stream = Stream(_rows(200), ARMS, TERMS)
    first, again, other = (play(stream, _learner(), seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_of_what_is_heard_late_or_never_nothing_is_learnt_before() -> None:
    stream = Stream(_rows(60), ARMS, TERMS, feedback=Feedback(50))
    learner = _learner()
    play(stream, learner, 1)
    assert learner.heard == 10
    deaf = _learner()
    play(Stream(_rows(60), ARMS, TERMS, feedback=Feedback(0, 0.0)), deaf, 1)
    assert deaf.heard == 0


def test_the_most_used_arm_is_the_one_that_becomes_worse_and_newcomers_come_with_a_third_played() -> None:
    course = play(Stream(_rows(300), ARMS, TERMS, shocked=True), _learner(), 1)
    assert course.worse == max(ARMS, key=course.arms[:100].count)
    late = play(Stream(_rows(300), ARMS, TERMS, newcomers=frozenset(["useless"])), _learner(), 1)
    assert "useless" not in late.arms[:100]
    assert 0 < late.arms[100:].count("useless") <= 0.15 * 200


def test_behind_the_guard_no_less_than_its_share_of_the_baseline_is_kept() -> None:
    rows = _rows(400)
    course = play(Stream(rows, ARMS, TERMS), _learner(guard=Conservatism(0.05)), 3)
    assert set(course.arms[:5]) == {"dear"}
    ours = baseline = 0.0
    for row, utility in zip(rows, course.utilities, strict=True):
        ours, baseline = ours + utility, baseline + TERMS.utility(row.outcomes["dear"])
        assert ours >= 0.85 * baseline - 1
    assert len(set(course.arms)) > 1


@pytest.fixture(scope="module")
def found() -> online.OnlineReport:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(online, "PERMUTATIONS", 5)
        return online.report(Set("made-up", ARMS, tuple(_rows(500))), {}, None)


def test_a_warm_start_beats_the_best_fixed_arm_where_kinds_differ_and_a_cold_one_does_worse(
    found: online.OnlineReport,
) -> None:
    warm, cold = found.modes["warm"], found.modes["cold"]
    assert 270 < found.rounds < 330
    assert warm.regret.end.mean < 0
    assert warm.utility.mean > found.best_fixed.mean
    assert cold.regret.end.mean > warm.regret.end.mean
    assert warm.curve[0] == 0.0
    assert warm.curve[-1] == pytest.approx(warm.regret.end.mean)
    assert warm.regret.end.low <= warm.regret.end.mean <= warm.regret.end.high


def test_the_guard_keeps_what_the_baseline_brings_and_a_shock_is_got_over(found: online.OnlineReport) -> None:
    assert found.modes["guarded"].worst_ratio.low >= 0.9
    assert found.modes["guarded_cold"].worst_ratio.mean > found.modes["cold"].worst_ratio.mean
    assert found.shock.mean > 0.85
    assert 0 < found.newcomers[1].mean < 0.3


def test_training_rows_may_be_others() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(online, "PERMUTATIONS", 2)
        found = online.report(Set("made-up", ARMS, tuple(_rows(60, seed=5))), {}, _rows(300))
    assert found.rounds == 60
    assert found.modes["warm"].utility.mean > found.modes["cold"].utility.mean
    assert found.modes["warm"].utility.mean > found.modes["uniform"].utility.mean
    assert found.modes["fixed"].worst_ratio.mean == pytest.approx(1.0)


def test_the_document_has_the_figures_of_a_warm_start_first(found: online.OnlineReport) -> None:
    told = document(found)
    assert told["regret"] == found.modes["warm"].regret.end.mean
    assert told["utility"] == found.modes["warm"].utility.mean
    assert told["best_fixed"] == found.best_fixed.mean
    assert set(told["modes"]) == set(online.MODES)
    assert told["modes"]["guarded"]["worst_ratio"] == found.modes["guarded"].worst_ratio.mean
    assert told["shock"]["share"] == found.shock.mean


def test_the_table_has_a_row_for_each_mode(found: online.OnlineReport) -> None:
    told = table(found)
    assert [line.split(" | ")[0] for line in told.splitlines()[4 : 4 + len(online.MODES)]] == [
        f"| {mode}" for mode in online.MODES
    ]
    assert "of the best alternative" in told
