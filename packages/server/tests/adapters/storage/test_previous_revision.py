"""The code of the revision before goes on running on the newest schema, and the newest code takes its books over.

What that code says was frozen by `python -m tools.frozen`; see `docs/how-to/migrations.md`.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from monkey_coder_server.adapters.storage import migrate
from monkey_coder_server.adapters.storage.open import open_storage
from monkey_coder_server.ports.books import Resolved
from packages.server.tests.adapters.storage.frozen_statements import (
    FOLDER,
    business,
    misunderstood,
    opened,
    say_all,
    statements,
)
from packages.server.tests.adapters.storage.test_migrations import scripts
from packages.server.tests.contract.booking import ACCOUNT, NOON, StillClock
from packages.server.tests.databases import new_database
from tools.frozen.speaking import SIGNED_BY

PREVIOUS = str(scripts().get_revision(migrate.HEAD).down_revision)
KINDS = ("sqlite", "postgresql")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database without any table."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path}/books.db"
        return
    with new_database(request.getfixturevalue("postgresql_server")) as made:
        yield made


def test_what_the_code_before_says_is_frozen_and_nothing_older() -> None:
    """A new revision begins with `python -m tools.frozen`; two releases later its code runs nowhere."""
    assert [folder.name for folder in FOLDER.iterdir()] == [PREVIOUS]


def test_every_row_the_code_before_writes_is_written_by_its_business() -> None:
    told = business(PREVIOUS)
    said = {name for part in ("before", "after") for name, *_ in told[part]}
    written = {name for name, each in statements(PREVIOUS, "sqlite").items() if each.makes_rows}
    assert written
    assert written <= said


def test_the_newest_schema_understands_every_statement_of_the_code_before(url: str, kind: str) -> None:
    migrate.upgrade(url)
    frozen = statements(PREVIOUS, kind)
    assert len(frozen) > 150
    with opened(url) as database:
        assert misunderstood(database, frozen) == {}


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE holds RENAME COLUMN charged TO taken",
        "ALTER TABLE usage RENAME TO used",
        "DROP TABLE usage_daily",
        "ALTER TABLE wallets DROP COLUMN limited",
    ],
)
def test_a_revision_that_takes_away_what_the_code_before_uses_is_noticed(url: str, kind: str, change: str) -> None:
    migrate.upgrade(url)
    with opened(url) as database:
        database.run(change, ())
        assert misunderstood(database, statements(PREVIOUS, kind))


async def test_the_newest_code_settles_what_the_code_before_left_open(url: str, kind: str) -> None:
    """Upgraded with holds and leases open; a process of the code before goes on beside it, and then dies."""
    frozen, told = statements(PREVIOUS, kind), business(PREVIOUS)
    migrate._run(url, "upgrade", PREVIOUS)
    with opened(url) as database:
        say_all(database, frozen, told["before"])
        migrate.upgrade(url)
        say_all(database, frozen, told["after"])
    clock = StillClock(NOON + timedelta(minutes=2))
    store = await open_storage(url, signer=SIGNED_BY, clock=clock)
    try:
        endings = msgspec.convert(told["ending"], list[Resolved])
        assert len(endings) == 4
        assert await store.books.ship(endings) == {}
        assert {each.hold.request_id for each in endings if await store.books.charge(each.hold.request_id)} == {
            each.hold.request_id for each in endings
        }
        [kept] = await store.unbooked.kept()
        await store.unbooked.retry(kept.request_id)
        clock.forward(timedelta(minutes=30))
        assert await store.books.expire_leases(clock.now()) == 3
        assert await store.ledger.expire_holds(clock.now()) == 1
        report = await store.ledger.verify()
        assert report.sound, report.details
        assert (await store.ledger.wallet(ACCOUNT)).held == 0
    finally:
        await store.close()
