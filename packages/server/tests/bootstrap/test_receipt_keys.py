"""A gateway on books of others says at its start when it cannot sign as they do."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.settings import Settings, load
from packages.server.tests.contract.booking import ACCOUNT, hold_request, settle


def settings_of(folder: Path, books: Path) -> Settings:
    return load({"DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{books}", "KEY_PEPPER": "p" * 40})


async def receipted(settings: Settings) -> str:
    """Books with one receipt in them; the public key it was signed with."""
    async with open_books(settings) as books:
        storage, now = books.storage, books.clock.now()
        await storage.ledger.open_wallet(ACCOUNT)
        await storage.ledger.grant(ACCOUNT, 1_000, reason="test", idempotency_key="first")
        asked = hold_request(500, at=now, expires_at=now + timedelta(hours=1))
        await storage.books.place(asked)
        await settle(storage.books, asked, 100, at=now)
        return books.signer.public_keys()[books.signer.key_id]


@pytest.mark.parametrize("known", [False, True])
async def test_a_key_others_do_not_know_is_told_of_and_a_former_one_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, known: bool
) -> None:
    first, second, books = tmp_path / "first", tmp_path / "second", tmp_path / "books.db"
    public = await receipted(settings_of(first, books))
    if known:
        second.mkdir()
        (second / "receipt-signing-key-old.pub").write_text(public)
    with caplog.at_level(logging.ERROR):
        async with open_gateway(settings_of(second, books)):
            pass
        async with open_gateway(settings_of(first, books)):
            pass
    told = [record.message for record in caplog.records if record.name.endswith("receipt_keys")]
    assert len(told) == (0 if known else 1)
    assert all(str(second) in line for line in told)
