"""Plays cells, several at once, each once; what became of each is asked for one by one."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

import pytest

from tests.matrix import scenarios_ends, scenarios_errors, scenarios_talk, scenarios_thinking, scenarios_tools
from tests.matrix.cells import SCENARIOS, Cell, Place
from tests.matrix.drivers import DIALECTS
from tests.matrix.models import COLUMNS
from tests.matrix.stage import Stage

AT_ONCE = 8
FILES = (scenarios_talk, scenarios_tools, scenarios_thinking, scenarios_ends, scenarios_errors)
"""Importing them puts their scenarios into the matrix."""
_NAMES = [file.__name__ for file in FILES]
ORDERED = sorted(SCENARIOS, key=lambda name: _NAMES.index(SCENARIOS[name].__module__))
"""The scenarios as the table has them."""


def places() -> Iterator[Place]:
    """Every cell there is."""
    for scenario in ORDERED:
        for dialect in DIALECTS:
            for column in COLUMNS:
                yield Place(scenario, dialect, column)


class Outcomes:
    """What became of the cells of one run."""

    def __init__(self, futures: dict[Place, Future[None]]) -> None:
        self._futures = futures

    def broken(self) -> list[Place]:
        """The cells that are not as they should be, once all have been played."""
        return [place for place, future in self._futures.items() if future.exception() is not None]

    def of(self, place: Place) -> None:
        """Nothing where the cell is as it should be. Raises what it failed of."""
        self._futures[place].result()


@contextmanager
def played(stage: Stage, wanted: Iterable[Place]) -> Iterator[Outcomes]:
    """Play the wanted cells in the background.

    Those that need one retry come first: those that use up all of theirs would spend the budget of their providers.
    """
    places = sorted(wanted, key=lambda place: place.scenario != scenarios_errors.FAILS_ONCE)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        first = {
            place: pool.submit(_play, Cell(place, stage))
            for place in places
            if place.scenario == scenarios_errors.FAILS_ONCE
        }
        rest = {place: pool.submit(_play_after, first.values(), Cell(place, stage)) for place in places[len(first) :]}
        yield Outcomes(first | rest)
        pool.shutdown(cancel_futures=True)


def _play_after(others: Iterable[Future[None]], cell: Cell) -> None:
    wait(others)
    _play(cell)


def _play(cell: Cell) -> None:
    """A cell by its scenario, or by its provider's limit: refused with the right error, never passed over."""
    limit = cell.limit
    if limit is None or limit.kind != "refused":
        SCENARIOS[cell.place.scenario](cell)
        return
    expected, status = cell.driver.errors["refused"]
    with pytest.raises(expected) as raised:
        SCENARIOS[cell.place.scenario](cell)
    assert status in {getattr(raised.value, name, None) for name in ("status_code", "code")}
    assert limit.says in str(raised.value)
