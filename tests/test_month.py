"""A small month of customers, payments and their accidents leaves equal books on both sides.

`make month` lives through one of a hundred customers and 100,000 requests.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from packages.server.tests.databases import new_database
from tests.conftest import SUMMARY
from tests.kills.series import POSTGRESQL, SQLITE
from tests.month.month import Wish, live
from tests.month.table import table

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("month"), pytest.mark.timeout(300)]
SMALL = {
    SQLITE: Wish(customers=8, requests=250, seed=1, steps=1, days=4),
    POSTGRESQL: Wish(customers=8, requests=250, seed=2, steps=1, days=4, first_payer=2),
}


@pytest.fixture(params=SMALL)
def database(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """Each kind, and the address of an empty one."""
    if request.param == SQLITE:
        yield SQLITE, ""
        return
    with new_database(request.getfixturevalue("postgresql_server")) as url:
        yield POSTGRESQL, url


def test_a_month_leaves_equal_books_on_both_sides(
    database: tuple[str, str], tmp_path: Path, record_property: Callable[[str, str], None]
) -> None:
    kind, url = database
    month = asyncio.run(live(tmp_path, SMALL[kind], url))
    assert month.books is not None
    record_property(SUMMARY, table(month.books))
    assert month.heard.served > 50
    assert month.frozen
    assert month.books.wrong == {}
