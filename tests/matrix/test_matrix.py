"""Every scenario, in every dialect by its official SDK, over every provider's simulator."""

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.books_audit import Books, undelivered, unmatched
from tests.matrix.cells import Place
from tests.matrix.outcomes import Outcomes, places, played
from tests.matrix.page import TARGET, page
from tests.matrix.scenarios_errors import FAILS_ONCE, failures
from tests.matrix.stage import Stage, stage

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("matrix"), pytest.mark.timeout(300)]
PLACES = list(places())


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    rules = [rule for place in PLACES if place.scenario == FAILS_ONCE for rule in failures(place)]
    with stage(tmp_path_factory.mktemp("matrix"), rules) as running:
        yield running


@pytest.fixture(scope="module")
def outcomes(theatre: Stage, request: pytest.FixtureRequest) -> Iterator[Outcomes]:
    """The cells that were asked for, on their way; all of them for a test that looks at all."""
    items = [item for item in request.session.items if item.path == request.path]
    asked = [item.callspec.params["place"] for item in items if hasattr(item, "callspec")]
    with played(theatre, asked if len(asked) == len(items) else PLACES) as running:
        yield running


@pytest.mark.parametrize("place", PLACES, ids=[place.name for place in PLACES])
def test_a_cell_is_as_it_should_be(outcomes: Outcomes, place: Place) -> None:
    outcomes.of(place)


def test_the_books_hold_what_the_simulators_served(outcomes: Outcomes, theatre: Stage) -> None:
    outcomes.broken()
    tally = theatre.simulators.get("/__sandbox/tally").body
    tally["requests"] = [_as_told(entry) for entry in tally["requests"] if entry["fault"] != "no_usage"]
    with closing(Books(theatre.data)) as books:
        lone, left = unmatched([row for row in books.rows() if not row.estimated], tally)
        assert books.number("SELECT COUNT(*) FROM holds WHERE state = 'open'") == 0
        assert books.number("SELECT SUM(amount) FROM entries") == 0
    assert (lone, [entry for entry in left if not undelivered(entry)]) == ([], [])


def _as_told(entry: dict[str, Any]) -> dict[str, Any]:
    """Anthropic does not tell thoughts apart from the rest of its output."""
    used = entry["usage"]
    if entry["provider"] == "anthropic":
        entry["usage"] = used | {"output": used["output"] + used["reasoning"], "reasoning": 0}
    return entry


def test_the_published_table_is_what_this_run_gives(outcomes: Outcomes) -> None:
    text = page(outcomes.broken())
    if os.environ.get("MATRIX_WRITE") == "1":
        TARGET.write_text(text, encoding="utf-8")
    assert TARGET.read_text(encoding="utf-8") == text
