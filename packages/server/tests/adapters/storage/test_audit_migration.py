"""Entries of before the chain are vouched for by its first, from the revision that begins it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from monkey_coder_server.adapters.signing.ed25519 import signer_of
from monkey_coder_server.adapters.storage import migrate
from monkey_coder_server.adapters.storage.open import open_storage
from monkey_coder_server.ports.accounts import AuditEntry
from monkey_coder_server.ports.audit_log import AuditReport
from packages.server.tests.contract.booking import NOON, StillClock

BEFORE = "0015"
OLD = "INSERT INTO audit (at, actor, action, target, details) VALUES (?, 'operator', 'credit.grant', 'acc_1', 'é')"


@pytest.fixture
def books(tmp_path: Path) -> Path:
    """Books with three entries of an earlier release, brought to the newest revision."""
    path = tmp_path / "books.db"
    migrate.upgrade(path)
    migrate.downgrade(path, BEFORE)
    run(path, [(OLD, (number,)) for number in range(3)])
    migrate.upgrade(path)
    return path


def run(path: Path, statements: list[tuple[str, tuple[int, ...]]]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement, values in statements:
            connection.execute(statement, values)


async def verified(path: Path) -> AuditReport:
    signer = signer_of(Ed25519PrivateKey.generate())
    store = await open_storage(path, signer=signer, clock=StillClock())
    try:
        await store.audit.record(AuditEntry("operator", "credit.grant", target="acc_1", at=NOON))
        return await store.audit.verify()
    finally:
        await store.close()


async def test_the_chain_covers_what_was_written_before_it(books: Path) -> None:
    report = await verified(books)
    assert (report.covered, report.chained, report.beside, report.broken) == (3, 2, 0, ())


@pytest.mark.parametrize("change", ["UPDATE audit SET details = 'e' WHERE at = 1", "DELETE FROM audit WHERE at = 1"])
async def test_a_change_of_what_was_before_the_chain_is_found(books: Path, change: str) -> None:
    guards = [(f"DROP TRIGGER audit_refuses_{action}", ()) for action in ("update", "delete")]
    run(books, [*guards, (change, ())])
    [wrong] = (await verified(books)).broken
    assert wrong.startswith("entry 4 ")


async def test_what_the_earlier_release_writes_meanwhile_stands_beside_the_chain(books: Path) -> None:
    run(books, [(OLD, (9,))])
    report = await verified(books)
    assert (report.covered, report.chained, report.beside, report.broken) == (3, 2, 1, ())


async def test_books_without_entries_begin_with_nothing(tmp_path: Path) -> None:
    report = await verified(tmp_path / "books.db")
    assert (report.covered, report.chained, report.beside, report.broken) == (0, 1, 0, ())
