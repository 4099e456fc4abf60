"""A gateway behind https whose time stands in the tests' hands."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from monkey_coder_server.app import Application, AppOptions, Drain, Services
from monkey_coder_server.domain.confirmation import SecondFactors
from monkey_coder_server.features import accounts
from monkey_coder_server.ports.accounts import AuditEntry
from packages.server.tests.features.accounts.cli_login.browsing import PASSWORD, Browser

SITE = "https://gateway.example"


class SetClock:
    """A time of day that moves when it is told to."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def forward(self, **by: float) -> None:
        self.time += timedelta(**by)


class HeardAudit:
    """Keeps what it is told where a test can read it."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    async def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


@dataclass
class Site:
    """The accounts of a gateway at its public address."""

    clock: SetClock
    use: accounts.Dependencies
    audit: HeardAudit
    application: Application
    api: httpx2.AsyncClient
    folder: Path
    people: dict[str, str] = field(default_factory=dict)

    def browser(self) -> Browser:
        return Browser(connected(self.application))

    def demanding_browser(self) -> Browser:
        """One of the same people, at a gateway that asks all of them for a second factor."""
        rules = replace(self.use.factors.rules, mode=SecondFactors.REQUIRED)
        use = replace(self.use, factors=replace(self.use.factors, rules=rules))
        return Browser(connected(application_of(use, self.application.services)))

    async def person(self, name: str) -> str:
        """A new account's address."""
        email = f"{name}@example.com"
        answer = await self.api.post("/v1/auth/register", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.people[email] = answer.json()["user"]["id"]
        return email

    async def key_names(self, key: str) -> list[str]:
        """The names of the keys in use of this key's account."""
        listed = (await self.api.get("/v1/keys", headers={"x-api-key": key})).json()["keys"]
        return [shown["name"] for shown in listed if shown["status"] == "active"]

    def actions(self, email: str) -> list[str]:
        """What the audit trail was told of a person, oldest first."""
        return [entry.action for entry in self.audit.entries if entry.actor == self.people[email]]


def application_of(use: accounts.Dependencies, services: Services) -> Application:
    return Application([accounts.build(use)], services, options=AppOptions(https_only=True), drain=Drain())


def connected(application: Application) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=application), base_url=SITE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(house: Any) -> AsyncIterator[Site]:
    clock, audit = SetClock(), HeardAudit()
    use = replace(house.gateway.books.accounts, clock=clock, audit=audit, base_url=SITE)
    application = application_of(use, house.gateway.application.services)
    async with connected(application) as api:
        yield Site(clock, use, audit, application, api, house.gateway.books.settings.data_dir)


@pytest.fixture(autouse=True)
def _present(site: Site) -> None:
    site.clock.time = datetime.now(UTC)


@pytest.fixture
def browser(site: Site) -> Browser:
    return site.browser()
