"""Every contract runs over every kind of database named here; a new one adds a row."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from monkey_coder_server.adapters.leasing import LeasedLedger
from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer, signer_of
from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from monkey_coder_server.adapters.system.ids import system_ids
from packages.server.tests.contract.booking import ACCOUNT, StillClock
from packages.server.tests.databases import new_database

OpenStore = Callable[[], AbstractAsyncContextManager[Storage]]


@pytest.fixture(scope="session")
def signer() -> Ed25519Signer:
    return signer_of(Ed25519PrivateKey.generate())


@contextmanager
def sqlite(_request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder}/books.db"


@contextmanager
def postgresql(request: pytest.FixtureRequest, _folder: Path) -> Iterator[str]:
    template = request.getfixturevalue("postgresql_template")
    with new_database(request.getfixturevalue("postgresql_server"), template) as url:
        yield url


DATABASES = {"sqlite": sqlite, "postgresql": postgresql}


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of each kind."""
    with DATABASES[request.param](request, tmp_path) as url:
        yield url


@pytest.fixture
def open_store(database: str, signer: Ed25519Signer, clock: StillClock) -> OpenStore:
    """Opens the test's database, as often as it is called."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Storage]:
        store = await open_storage(database, signer=signer, clock=clock)
        try:
            yield store
        finally:
            await store.close()

    return opened


@pytest.fixture
async def store(open_store: OpenStore) -> AsyncIterator[Storage]:
    async with open_store() as opened:
        yield opened


@pytest.fixture
async def funded(store: Storage) -> Storage:
    """A store with one wallet of 10,000 nano-dollars."""
    await store.ledger.open_wallet(ACCOUNT)
    await store.ledger.grant(ACCOUNT, 10_000, reason="test", idempotency_key="first")
    return store


@pytest.fixture
async def ledger(funded: Storage, tmp_path: Path, clock: StillClock) -> AsyncIterator[LeasedLedger]:
    """The ledger of a serving process over the funded store: leases, a journal, and the shipper."""
    journals, ids = JournalDirectory(tmp_path / "journal", clock=clock), system_ids()
    journal = await journals.open(ids.new("gw"))
    leased = LeasedLedger(funded.books, funded.ledger, journal=journal, journals=journals, clock=clock, ids=ids)
    await leased.start()
    try:
        yield leased
    finally:
        await leased.close()
