"""A gateway whose alerts are looked for and sent by hand, to a receiver of webhooks and a mail box in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from monkey_coder_server.adapters.mail.delivery import Undeliverable
from monkey_coder_server.bootstrap import alerts
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.features.billing import alerting
from monkey_coder_server.ports.mailer import Mail
from monkey_coder_server.settings import load
from packages.server.tests.conftest import Customer, House
from packages.server.tests.contract.booking import hold_request, settle
from packages.server.tests.features.billing.ahead import AheadClock


@dataclass(slots=True)
class MailBox:
    """What was written under which id; with `trouble`, nothing is taken."""

    mails: list[tuple[str, Mail]] = field(default_factory=list)
    trouble: Exception | None = None

    async def deliver(self, mail: Mail, mail_id: str) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.mails.append((mail_id, mail))

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class Receiver:
    """Notes what is posted and answers with `status`."""

    url: str = ""
    status: int = 204
    posted: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.posted.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response(status=self.status, headers={"location": "/elsewhere"})


@dataclass(slots=True)
class Office:
    """All of it; `use` goes by `clock`."""

    house: House
    receiver: Receiver
    mail: MailBox
    clock: AheadClock
    use: alerting.Dependencies

    async def ask(self, customer: Customer, method: str, name: str, body: Any = None, *, status: int = 200) -> Any:
        more = {} if body is None else {"json": body}
        sent = self.house.client.request(method, f"/v1/billing/{name}", headers=customer.headers, **more)
        answer = await sent
        assert answer.status_code == status, answer.text
        return answer.json()

    async def spend(self, customer: Customer, nano: int, **of: str) -> None:
        now, storage = self.clock.now(), self.house.gateway.books.storage
        later = now + timedelta(minutes=5)
        asked = hold_request(nano, account_id=customer.account_id, at=now, expires_at=later, **of)
        await storage.books.place(asked)
        await settle(storage.books, asked, nano)

    async def look(self, rounds: int = 1) -> None:
        """Look at every alert that is due, some time after the last look."""
        for _ in range(rounds):
            self.clock.ahead += timedelta(minutes=1)
            await alerting.Watching(self.use).round()

    async def send(self) -> None:
        """Try whatever is due until nothing is."""
        while await alerting.Delivering(self.use).round():
            pass


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    receiver, mail = Receiver(), MailBox()
    application = web.Application()
    application.router.add_post("/{path:.*}", receiver.take)
    async with TestServer(application) as there:
        receiver.url = str(there.make_url("/hook"))
        settings = load(
            {"OPENAI_API_KEY": "sk-never-used", "WEBHOOK_HOSTS": f"127.0.0.1:{there.port}"},
            folder=tmp_path_factory.mktemp("office"),
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(alerts, "ROUND_SECONDS", 3_600.0)
            async with open_gateway(settings) as gateway:
                posting, clock = alerts.LatePosting(settings.webhook_hosts), AheadClock(gateway.books.clock)
                use = alerts.alerting_of(gateway.books, gateway.books.limiter, gateway.metrics, posting, mail)
                transport = httpx2.ASGITransport(app=gateway.application)
                async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
                    yield Office(House(gateway, client), receiver, mail, clock, replace(use, clock=clock))
                await posting.close()


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def calm(office: Office) -> AsyncIterator[None]:
    """Each test finds nothing posted and leaves nothing that waits."""
    office.receiver.status, office.mail.trouble = 204, None
    await office.send()
    office.receiver.posted.clear()
    office.mail.mails.clear()
    yield
    office.receiver.status, office.mail.trouble = 410, Undeliverable("the test is over")
    office.clock.ahead += timedelta(days=3)
    await office.send()
    office.clock.ahead = timedelta()
