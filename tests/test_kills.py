"""Gateways killed under two hundred streams: all that was delivered is paid for, once, alone and beside another.

`make kills` does it a hundred times, at every point of `tests/kills/points.py`.
"""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.conftest import SUMMARY
from tests.kills.clients import COMPLETE, CUT
from tests.kills.points import POINTS, Point
from tests.kills.series import POSTGRESQL, SQLITE, alone, beside_another
from tests.kills.summary import summary
from tools import postgresql

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

ALONE = (
    "journal has committed",
    "in the middle of delivery",
    "draft replaced",
    "ended, last byte not sent",
    "in the middle of recovery",
    "booked, not forgotten",
    "ended, last byte not sent",
)
BESIDE_ANOTHER = ("in the middle of delivery", "books have committed")


def _points(names: tuple[str, ...]) -> list[Point]:
    points = {point.name: point for point in POINTS}
    return [points[name] for name in names]


@pytest.mark.parametrize(
    ("database", "least"),
    [
        pytest.param(SQLITE, (100, 100), marks=pytest.mark.xdist_group("kills")),
        pytest.param(POSTGRESQL, (10, 50), marks=pytest.mark.xdist_group("kills beside another")),
    ],
)
def test_nothing_is_unbilled_billed_twice_or_held(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    record_property: Callable[[str, str], None],
    database: str,
    least: tuple[int, int],
) -> None:
    """Two or seven lives that end at their points, one that ends in order; then everything that is left."""
    if database == SQLITE:
        series = alone(tmp_path, _points(ALONE), seed=1)
    else:
        server: postgresql.Cluster = request.getfixturevalue("postgresql_server")
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE kills")
        series = beside_another(tmp_path, server.database("kills"), _points(BESIDE_ANOTHER), seed=1, late=False)
    cut, complete = least
    record_property(SUMMARY, summary([series]))
    assert [lived.point.name for lived in series.rounds if not lived.reached] == []
    assert sum(1 for lived in series.rounds for one in lived.heard if one.ended == CUT and one.text) >= cut
    assert sum(1 for lived in series.rounds for one in lived.heard if one.ended == COMPLETE) >= complete
    assert {name: found for name, found in series.checks.items() if found} == {}, series.verdict["details"]
