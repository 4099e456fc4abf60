"""A gateway killed under two hundred streams, again and again: all that was delivered is paid for, once.

`make kills` does it a hundred times, at every point of `tests/kills/points.py`.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SUMMARY
from tests.kills.audit import Findings, audit
from tests.kills.clients import COMPLETE, CUT
from tests.kills.gateway import stage
from tests.kills.points import POINTS
from tests.kills.rounds import Round, ask_again, live_and_die

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("kills"), pytest.mark.timeout(300)]

IN_THE_SUITE = (
    "journal has committed",
    "in the middle of delivery",
    "ended, last byte not sent",
    "in the middle of recovery",
    "booked, not forgotten",
)
Lives = tuple[list[Round], Findings, Mapping[str, Any]]


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lives]:
    """Five lives that end at their points, one that ends in order; then everything that is left."""
    data: Path = tmp_path_factory.mktemp("kills")
    points = {point.name: point for point in POINTS}
    with stage(data) as where:
        rounds = [
            asyncio.run(live_and_die(where, points[name], seed=seed)) for seed, name in enumerate(IN_THE_SUITE, start=1)
        ]
        again = asyncio.run(ask_again(where, rounds))
        heard = [one for lived in rounds for one in lived.heard] + again
        yield rounds, audit(data, heard, where.tally()), where.admin("ledger", "verify")


def test_it_died_where_it_was_to_die_with_answers_under_way(lives: Lives) -> None:
    rounds, _, _ = lives
    assert [lived.point.name for lived in rounds if not lived.reached] == []
    assert sum(1 for lived in rounds for one in lived.heard if one.ended == CUT and one.text) >= 100
    assert sum(1 for lived in rounds for one in lived.heard if one.ended == COMPLETE) >= 100


def test_nothing_is_unbilled_billed_twice_or_held(lives: Lives, record_property: Callable[[str, str], None]) -> None:
    _, findings, verdict = lives
    record_property(SUMMARY, "\n".join(f"{name:32}{figure:>16,}" for name, figure in findings.figures.items()))
    assert findings.wrong == {}
    assert verdict["sound"], verdict["details"]
    assert not any(verdict["checks"].values())
