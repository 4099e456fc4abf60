"""A store on a PostgreSQL database of its own, and a server that may be stopped, killed and paused."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from packages.server.tests.contract.booking import ACCOUNT, StillClock
from packages.server.tests.databases import new_database
from tools import postgresql


@pytest.fixture
async def store(postgresql_database: str, signer: Ed25519Signer) -> AsyncIterator[Storage]:
    """Books with a wallet of 10,000 nano-dollars."""
    opened = await funded(postgresql_database, signer)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def mortal_server(postgresql_server: postgresql.Cluster) -> Iterator[postgresql.Cluster]:
    """A server of this module alone. (The shared one is asked for first: where there is none, tests are skipped.)"""
    folder = Path(tempfile.mkdtemp(prefix="monkey-mortal-"))
    folder.chmod(0o711)
    cluster = postgresql.make(folder / "server", settings=())
    yield cluster
    cluster.remove()
    folder.rmdir()


@pytest.fixture
def mortal(mortal_server: postgresql.Cluster) -> Iterator[tuple[postgresql.Cluster, str]]:
    """The server with the URL of a database of this test."""
    with new_database(mortal_server) as url:
        yield mortal_server, url


async def funded(url: str, signer: Ed25519Signer) -> Storage:
    """Open a store with a wallet of 10,000 nano-dollars."""
    opened = await open_storage(url, signer=signer, clock=StillClock())
    await opened.ledger.open_wallet(ACCOUNT)
    await opened.ledger.grant(ACCOUNT, 10_000, reason="test", idempotency_key="first")
    return opened
