"""A composed gateway without sockets: real stores in a temporary folder, spoken to as an ASGI application."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import pytest_asyncio

if TYPE_CHECKING:  # the gateway takes a second to import, which most tests have no use for
    from monkey_coder_server.bootstrap.gateway import Gateway
    from tools.postgresql import Cluster

NANO_PER_USD = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Customer:
    """An account with a key of full rights."""

    user_id: str
    account_id: str
    email: str
    api_key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.api_key}"}


@dataclass(slots=True)
class House:
    """A running gateway and a way to talk to it."""

    gateway: "Gateway"
    client: httpx2.AsyncClient
    made: int = field(default=0)

    async def customer(self, *, usd: int = 10, password: str | None = None) -> Customer:
        """A new account with so much credit."""
        from monkey_coder_server.features.accounts import operator

        self.made += 1
        email = f"customer{self.made}@example.com"
        created = await operator.create_user(
            self.gateway.books.accounts, email=email, password=password, credit=usd * NANO_PER_USD, plan=None
        )
        return Customer(created.user.user_id, created.user.account_id, email, created.api_key)

    async def key_of(self, customer: Customer, **wish: Any) -> str:
        """A further key of an account, with restrictions."""
        answer = await self.client.post("/v1/keys", json={"name": "test", **wish}, headers=customer.headers)
        assert answer.status_code == 200, answer.text
        key: str = answer.json()["key"]
        return key


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: "Cluster") -> Iterator[str]:
    """The name of a migrated, empty database of this worker, to be copied."""
    from packages.server.tests.databases import migrated_template

    with migrated_template(postgresql_server) as name:
        yield name


@pytest.fixture
def postgresql_database(postgresql_server: "Cluster", postgresql_template: str) -> Iterator[str]:
    """The URL of a migrated, empty database of this test."""
    from packages.server.tests.databases import new_database

    with new_database(postgresql_server, postgresql_template) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One gateway for the tests of a module; each test brings its own account."""
    from monkey_coder_server.bootstrap.gateway import open_gateway
    from monkey_coder_server.settings import load

    settings = load({"OPENAI_API_KEY": "sk-never-used"}, folder=tmp_path_factory.mktemp("house"))
    async with open_gateway(settings) as gateway:
        transport = httpx2.ASGITransport(app=gateway.application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield House(gateway, client)
