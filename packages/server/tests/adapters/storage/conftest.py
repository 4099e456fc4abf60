"""A migrated, empty database to copy, and books opened on a copy."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer, signer_of
from monkey_coder_server.adapters.storage import migrate
from packages.server.tests.adapters.storage.stores import Books, open_books


@pytest.fixture(scope="session")
def signer() -> Ed25519Signer:
    return signer_of(Ed25519PrivateKey.generate())


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "books.db"
    migrate.upgrade(path)
    return path


@pytest.fixture
async def books(template: Path, tmp_path: Path, signer: Ed25519Signer) -> AsyncIterator[Books]:
    async with open_books(template, tmp_path / "books.db", signer) as opened:
        yield opened
