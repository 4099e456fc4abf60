"""Two gateways on one set of books, on each kind of database, behind https: what one lets in, both have let in."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.ports.mailer import Mail
from monkey_coder_server.settings import load
from packages.server.tests.conftest import House
from packages.server.tests.databases import new_database
from packages.server.tests.features.accounts.cli_login.conftest import SITE, Browser

PEPPER, SIGNING = "kR7vQ2mX9bT4wZ6nL1pS8dF3gH5jC0aYeU-iO_q", "Zb4TqW9xN2mV7kL5pR1sD8fG3hJ6cA0yEu-iO_kP"
RACERS = 8
_TOKEN = re.compile(r"(?:token=|code: )([A-Za-z0-9_-]{43,})")
Ask = Callable[[httpx2.AsyncClient], Awaitable[httpx2.Response]]


@dataclass
class Arena:
    """The gateways as houses, and the mail they sent."""

    houses: tuple[House, House]
    mails: list[Mail] = field(default_factory=list)

    @property
    def house(self) -> House:
        return self.houses[0]

    def browser(self) -> Browser:
        transport = httpx2.ASGITransport(app=self.house.gateway.application)
        return Browser(httpx2.AsyncClient(transport=transport, base_url=SITE))

    async def race(self, ask: Ask, *, racers: int = RACERS) -> list[httpx2.Response]:
        """Ask so often at once, of both gateways; the answers, those that were let in first."""
        asked = [ask(self.houses[number % 2].client) for number in range(racers)]
        return sorted(await asyncio.gather(*asked), key=lambda answer: answer.status_code)

    async def token(self, to: str) -> str:
        """The token in the oldest letter to an address that has one; the letter is taken out."""
        async with asyncio.timeout(10):
            while True:
                for mail in self.mails:
                    found = _TOKEN.search(mail.text) if mail.to == to else None
                    if found is not None:
                        self.mails.remove(mail)
                        return found[1]
                await asyncio.sleep(0.005)


@contextmanager
def _place(request: pytest.FixtureRequest, folder: Any) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{folder}/books.db"
        return
    template = request.getfixturevalue("postgresql_template")
    with new_database(request.getfixturevalue("postgresql_server"), template) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def arena(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Arena]:
    folder = tmp_path_factory.mktemp("arena")
    with _place(request, folder) as database:
        async with AsyncExitStack() as stack:
            houses = []
            for _ in range(2):
                named = {"DATABASE_URL": database, "KEY_PEPPER": PEPPER, "JWT_SECRET_KEY": SIGNING, "BASE_URL": SITE}
                gateway = await stack.enter_async_context(open_gateway(load(named, folder=folder), sandbox=True))
                transport = httpx2.ASGITransport(app=gateway.application)
                client = await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url=SITE))
                houses.append(House(gateway, client))
            opened = Arena((houses[0], houses[1]))
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            for house in houses:
                patch.setattr(house.gateway.books.outbox, "post", opened.mails.append)
            yield opened
