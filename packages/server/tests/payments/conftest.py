from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from packages.server.tests.payments.till import Till, open_till


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/books.db"
    url: str = request.getfixturevalue("postgresql_database")
    return url


@pytest.fixture
async def till(tmp_path: Path, database: str) -> AsyncIterator[Till]:
    async with open_till(tmp_path, database) as opened:
        yield opened
