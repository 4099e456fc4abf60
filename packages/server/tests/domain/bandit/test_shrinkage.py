"""How far finer kinds of work and the date of a task are believed, estimated from outcomes."""

from datetime import date, timedelta
from random import Random

import pytest

from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.bandit.evidence import Evidence
from monkey_coder_server.domain.bandit.posterior import Posterior
from monkey_coder_server.domain.bandit.shrinkage import (
    ASSUMED_NOISE,
    ASSUMED_ROWS,
    ASSUMED_SURENESS,
    SHARED_ROWS,
    Shrinkage,
)
from monkey_coder_server.domain.bandit.slopes import Slopes

ARMS = ("one", "two", "three", "four")


def _drawn(success: dict[tuple[str, str], float], rows: int) -> Evidence:
    """So many outcomes of each arm at each kind."""
    random, evidence = Random(3), Evidence()
    for (kind, arm), chance in success.items():
        for _ in range(rows):
            evidence.add(Context.of(kind, "python", "x"), arm, float(random.random() < chance))
    return evidence


def test_with_no_evidence_the_assumptions_stand() -> None:
    shrinkage = Shrinkage.of(Evidence(), {})
    assert shrinkage == Shrinkage(ASSUMED_NOISE, (1 / ASSUMED_ROWS,) * 3, Slopes(), {})


def test_where_kinds_differ_for_each_arm_few_outcomes_there_outweigh_the_whole() -> None:
    chances = {
        (kind, arm): 0.2 + 0.6 * ((row + column) % 2)
        for row, kind in enumerate("abcd")
        for column, arm in enumerate(ARMS)
    }
    trust = Shrinkage.of(_drawn(chances, 200), {}).trust
    assert 1 / trust[0] < 5


def test_where_kinds_are_only_harder_or_easier_for_all_arms_alike_they_change_no_comparison() -> None:
    chances = {
        (kind, arm): 0.2 + 0.15 * row + 0.05 * column
        for row, kind in enumerate("abcd")
        for column, arm in enumerate(ARMS)
    }
    shrinkage = Shrinkage.of(_drawn(chances, 200), {})
    assert 1 / shrinkage.trust[0] > ASSUMED_ROWS
    hardest, *_, easiest = (shrinkage.shared[kind,] for kind in "abcd")
    assert easiest - hardest == pytest.approx(0.45, abs=0.1)


def test_kinds_that_do_not_differ_are_not_told_apart() -> None:
    chances = {(kind, arm): 0.5 for kind in "abcdefghijkl" for arm in ARMS}
    assert 1 / max(1e-9, Shrinkage.of(_drawn(chances, 100), {}).trust[0]) > 100


def test_the_trust_in_a_level_by_hand() -> None:
    evidence = Evidence()
    for kind, first, second in (("a", 1.0, 0.0), ("b", 0.0, 1.0)):
        for _ in range(2):
            evidence.add(Context.of(kind), "first", first)
            evidence.add(Context.of(kind), "second", second)
    shrinkage = Shrinkage.of(evidence, {})
    # within each arm and kind nothing varies: only the assumed noise is left, spread over 20 + 4 more outcomes
    noise = ASSUMED_NOISE * ASSUMED_SURENESS / (ASSUMED_SURENESS + 4)
    assert shrinkage.noise == pytest.approx(noise)
    # both arms are at 0.5 everywhere; at each kind one is 0.5 above and one 0.5 below, with 2 outcomes each
    spread, compared, typical = 4 * 2 * 0.5**2, 1.0, 2.0
    expected = ((spread / noise - compared) / typical + ASSUMED_SURENESS / ASSUMED_ROWS) / (compared + ASSUMED_SURENESS)
    assert shrinkage.trust[0] == pytest.approx(expected)
    assert shrinkage.shared["a",] == pytest.approx(0.0)
    assert shrinkage.trust[1:] == (1 / ASSUMED_ROWS,) * 2


def test_the_difficulty_of_a_kind_is_what_its_arms_share() -> None:
    evidence = Evidence()
    for arm in ARMS:
        for kind, quality in (("a", 1.0), ("b", 0.0)):
            for _ in range(5):
                evidence.add(Context.of(kind), arm, quality)
    shared = Shrinkage.of(evidence, {}).shared
    assert shared["a",] == pytest.approx(20 * 0.5 / (20 + SHARED_ROWS))
    assert shared["b",] == pytest.approx(-shared["a",])


def _dated(falls: dict[str, float]) -> Evidence:
    """Outcomes of arms whose quality falls by so much every half-year."""
    evidence, random = Evidence(), Random(5)
    for day in range(0, 730, 2):
        for arm, fall in falls.items():
            context = Context.of("codegen", day=date(2023, 1, 1) + timedelta(days=day))
            chance = 0.6 - fall * context.recency
            evidence.add(context, arm, float(random.random() < chance))
    return evidence


def test_an_arm_that_falls_off_on_newer_tasks_is_known_by_its_slope() -> None:
    posterior = Posterior(evidence=_dated({"old": 0.25, "fresh": 0.0, "third": 0.0}))
    posterior.settle()
    slopes = posterior.shrinkage.slopes
    assert slopes.of_arm("old") < -0.15
    assert abs(slopes.of_arm("fresh")) < 0.06
    assert slopes.of_arm("never seen") == slopes.common
    arms = ["old", "fresh"]
    early, late = (posterior.expect(Context.of("codegen", day=date(year, 6, 1)), arms) for year in (2022, 2025))
    assert early[0].mean > early[1].mean
    assert late[0].mean < late[1].mean


def test_arms_that_fall_off_alike_have_the_common_slope() -> None:
    slopes = Slopes.of(_dated(dict.fromkeys(ARMS, 0.15)), 0.2)
    assert slopes.common == pytest.approx(-0.15, abs=0.04)
    assert all(abs(slopes.of_arm(arm) - slopes.common) < 0.05 for arm in ARMS)


def test_kinds_of_different_age_are_no_slope() -> None:
    evidence = Evidence()
    for kind, year, quality in (("old kind", 2022, 1.0), ("new kind", 2026, 0.0)):
        for _ in range(20):
            evidence.add(Context.of(kind, day=date(year, 1, 1)), "arm", quality)
    assert Slopes.of(evidence, 0.2) == Slopes()
