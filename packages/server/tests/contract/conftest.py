"""Every contract runs over every adapter named here; a new adapter adds a row."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer, signer_of
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from packages.server.tests.contract.booking import ACCOUNT, StillClock

OpenStore = Callable[[Path, Ed25519Signer, StillClock], AbstractAsyncContextManager[Storage]]


@asynccontextmanager
async def sqlite(directory: Path, signer: Ed25519Signer, clock: StillClock) -> AsyncIterator[Storage]:
    store = await open_storage(directory / "books.db", signer=signer, clock=clock)
    try:
        yield store
    finally:
        await store.close()


STORES: dict[str, OpenStore] = {"sqlite": sqlite}


@pytest.fixture(scope="session")
def signer() -> Ed25519Signer:
    return signer_of(Ed25519PrivateKey.generate())


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture(params=STORES)
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, signer: Ed25519Signer, clock: StillClock
) -> AsyncIterator[Storage]:
    async with STORES[request.param](tmp_path, signer, clock) as opened:
        yield opened


@pytest.fixture
async def funded(store: Storage) -> Storage:
    """A store with one wallet of 10,000 nano-dollars."""
    await store.ledger.open_wallet(ACCOUNT)
    await store.ledger.grant(ACCOUNT, 10_000, reason="test", idempotency_key="first")
    return store
