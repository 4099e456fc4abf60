"""Gateways with a key each on one set of books: either one publishes the keys of both."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from monkey_coder.receipts import read_keys, verify_all
from monkey_coder_protocol.billing import Receipt
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.bootstrap.receipt_keys import KNOWN_SECONDS, PublishedKeys
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.settings import Settings, load
from packages.server.tests.contract.booking import ACCOUNT, KEY, StillClock, hold_request, settle

DOCUMENT = "/.well-known/monkey-receipts.json"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_database"))
    return f"sqlite:///{tmp_path}/books.db"


def settings_of(folder: Path, database: str) -> Settings:
    return load({"DATA_DIR": str(folder), "DATABASE_URL": database, "KEY_PEPPER": "p" * 40})


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[tuple[Storage, httpx2.AsyncClient]]:
    async with open_gateway(settings) as gateway:
        transport = httpx2.ASGITransport(app=gateway.application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield gateway.books.storage, client


async def charge(storage: Storage) -> Receipt:
    """Serve a request of one account by one gateway; its receipt."""
    asked = hold_request(500)
    await storage.books.place(asked)
    booked = await settle(storage.books, asked, 100)
    found = await storage.ledger.receipt(ACCOUNT, booked.receipt_id)
    assert found is not None
    return Receipt(
        receipt_id=found.receipt_id,
        body=found.body,
        signature=found.signature,
        key_id=found.signing_key_id,
        chain_hash=found.chain_hash,
    )


async def test_receipts_of_two_gateways_are_checked_with_what_either_one_publishes(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("monkey_coder_server.bootstrap.receipt_keys.KNOWN_SECONDS", 0.0)
    ours, theirs = settings_of(tmp_path / "ours", database), settings_of(tmp_path / "theirs", database)
    async with served(ours) as (here, first), served(theirs) as (there, second):
        await here.ledger.open_wallet(ACCOUNT)
        await here.ledger.grant(ACCOUNT, 10_000, reason="test", idempotency_key="first")
        receipts = [await charge(storage) for storage in (here, there, there, here)]
        documents = [(await client.get(DOCUMENT)).content for client in (first, second)]
        assert (await here.ledger.verify()).sound
        assert (await there.ledger.verify()).sound
    assert len({receipt.key_id for receipt in receipts}) == 2
    for document in documents:
        verdict = verify_all(receipts, read_keys(document).keys)
        assert verdict.valid, verdict
        assert verdict.whole == (KEY,)
    async with open_books(settings_of(tmp_path / "operator", database)) as books:
        assert (await books.storage.ledger.verify()).sound
        assert (await books.storage.receipt_keys.published()).keys() == {receipt.key_id for receipt in receipts}
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_key_nobody_published_is_told_of_until_its_public_half_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = f"sqlite:///{tmp_path}/books.db"
    async with open_books(settings_of(tmp_path / "lost", database)) as books:
        storage, now = books.storage, books.clock.now()
        await storage.ledger.open_wallet(ACCOUNT)
        await storage.ledger.grant(ACCOUNT, 1_000, reason="test", idempotency_key="first")
        asked = hold_request(500, at=now, expires_at=now + timedelta(hours=1))
        await storage.books.place(asked)
        await settle(storage.books, asked, 100, at=now)
        lost, public_key = books.signer.key_id, books.signer.public_keys()[books.signer.key_id]
    settings = settings_of(tmp_path / "here", database)

    async def told() -> list[str]:
        caplog.clear()
        async with open_gateway(settings):
            return [record.message for record in caplog.records if record.levelno >= logging.ERROR]

    [line] = await told()
    assert f"the key {lost}," in line
    assert str(settings.data_dir) in line
    (settings.data_dir / "receipt-signing-key-old.pub").write_text(public_key)
    assert await told() == []


class Shelf:
    """Keys as the books have them; None while they are away."""

    def __init__(self) -> None:
        self.keys: dict[str, str] | None = {"a": "A"}
        self.reads = 0

    async def published(self) -> dict[str, str]:
        self.reads += 1
        if self.keys is None:
            raise Unavailable("The database is away.", retry_after=1)
        return self.keys


async def test_a_key_of_another_gateway_is_known_in_time_and_the_books_are_not_asked_each_time() -> None:
    shelf, clock = Shelf(), StillClock()
    published = PublishedKeys(shelf, clock)  # type: ignore[arg-type] - as much of the store as is asked for
    assert await published() == {"a": "A"}
    shelf.keys = {"a": "A", "b": "B"}
    clock.forward(timedelta(seconds=KNOWN_SECONDS / 2))
    assert await published() == {"a": "A"}
    assert shelf.reads == 1
    clock.forward(timedelta(seconds=KNOWN_SECONDS / 2))
    assert await published() == {"a": "A", "b": "B"}


async def test_keys_stay_known_while_the_books_are_away() -> None:
    shelf, clock = Shelf(), StillClock()
    published = PublishedKeys(shelf, clock)  # type: ignore[arg-type] - as much of the store as is asked for
    await published()
    shelf.keys = None
    clock.forward(timedelta(seconds=KNOWN_SECONDS))
    assert [await published() for _ in range(3)] == [{"a": "A"}] * 3
    assert shelf.reads == 2
    shelf.keys = {"b": "B"}
    clock.forward(timedelta(seconds=KNOWN_SECONDS))
    assert await published() == {"b": "B"}
