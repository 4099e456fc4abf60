"""PostgreSQL takes five seconds for every statement: what is leased goes on, the rest is told to come again."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.domain.money import NANO_PER_USD
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.sandbox import server
from monkey_coder_server.settings import Settings, load
from packages.server.tests.adapters.storage.postgres.proxy import Wire

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

SLOW = 5.0
"""Seconds a statement."""
STREAMS, STRANGERS = 20, 10
CREDIT = 100 * NANO_PER_USD
SHORT = "output_tokens=12 tokens_per_second=40 first_token_ms=20"
LONG = "output_tokens=80 tokens_per_second=10 first_token_ms=20"
"""A third of a second; eight seconds."""
WARM, GOES_ON = 8, 16
"""Requests one after another that make a lease, and that it must be good for."""
BACK = 40
"""Seconds within which everybody is served again."""


@dataclass(slots=True)
class Stage:
    """A gateway on a database behind a wire, and what it told its callers they had paid, in USD."""

    client: httpx2.AsyncClient
    wire: Wire
    beside: Settings
    paid: dict[str, Decimal] = field(default_factory=dict)

    async def newcomers(self, *names: str) -> list[str]:
        """Keys of new accounts with credit, made beside this gateway, which has never heard of them."""
        found = []
        async with open_books(self.beside) as books:
            for name in names:
                made = await operator.create_user(
                    books.accounts, email=f"{name}@example.com", password=None, credit=CREDIT, plan=None
                )
                self.paid[made.user.account_id] = Decimal(0)
                found.append(f"{made.user.account_id} {made.api_key}")
        return found

    async def ask(self, who: str, steering: str = SHORT, *, stream: bool = False) -> httpx2.Response:
        """One request. What was served whole is noted."""
        account_id, _, key = who.partition(" ")
        body = {"task_type": "custom", "model": "openai/gpt-4.1-mini", "prompt": f"count [[sandbox {steering}]]"}
        path, headers = f"/v1/execute{'/stream' if stream else ''}", {"authorization": f"Bearer {key}"}
        answer = await self.client.post(path, json=body, headers=headers)
        if answer.status_code == 200:
            last = json.loads(answer.text.rpartition("data: ")[2]) if stream else {"data": answer.json()}
            assert not stream or last["type"] == "complete", last
            self.paid[account_id] += Decimal(last["data"]["result"]["metadata"]["cost_usd"])
        return answer


@pytest.fixture
async def stage(postgresql_database: str, tmp_path: Path) -> AsyncIterator[Stage]:
    port = conninfo_to_dict(postgresql_database)["port"]
    wire = Wire(int(str(port)))
    simulators = await server.start()
    environment = {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": simulators.base_urls["openai"]}
    behind = {**environment, "DATABASE_URL": postgresql_database.replace(f":{port}/", f":{wire.port}/")}
    beside = load({**environment, "DATABASE_URL": postgresql_database}, folder=tmp_path)
    async with AsyncExitStack() as stack:
        stack.callback(wire.join)
        stack.callback(wire.close)
        stack.push_async_callback(simulators.close)
        gateway = await stack.enter_async_context(open_gateway(load(behind, folder=tmp_path)))
        transport = httpx2.ASGITransport(app=gateway.application)
        client = await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url="http://gateway"))
        found = Stage(client, wire, beside)
        yield found
        wire.delay = 0.0
    async with open_books(beside) as books:
        for account_id, paid in found.paid.items():
            wallet = await books.storage.ledger.wallet(account_id)
            assert (CREDIT - wallet.balance, wallet.held) == (paid * NANO_PER_USD, 0)
        report = await books.storage.ledger.verify()
        assert report.sound, report.details
    with psycopg.connect(postgresql_database) as connection:
        assert connection.execute("SELECT count(*) FROM holds WHERE state = 'open'").fetchone() == (0,)


async def served_again(stage: Stage, who: str) -> None:
    async with asyncio.timeout(BACK):
        while (await stage.ask(who)).status_code == 503:  # noqa: ASYNC110 - it asks again, as it was told
            await asyncio.sleep(0.5)


async def test_streams_and_leases_go_on_and_everybody_else_is_told_to_come_again(stage: Stage) -> None:
    regular, *known = await stage.newcomers("regular", *(f"known{number}" for number in range(STRANGERS)))
    for who in known:  # its key is known here, and that is all
        headers = {"authorization": f"Bearer {who.partition(' ')[2]}"}
        assert (await stage.client.get("/v1/auth/status", headers=headers)).json()["authenticated"]
    strangers = await stage.newcomers(*(f"stranger{number}" for number in range(STRANGERS)))
    assert {(await stage.ask(regular)).status_code for _ in range(WARM)} == {200}
    streams = [asyncio.create_task(stage.ask(regular, LONG, stream=True)) for _ in range(STREAMS)]
    await asyncio.sleep(1.0)

    stage.wire.delay = SLOW
    refused = [asyncio.create_task(stage.ask(who)) for who in [*known, *strangers]]
    on_lease = [(await stage.ask(regular)).status_code for _ in range(GOES_ON)]
    answers: list[Any] = await asyncio.gather(*refused)
    ended = await asyncio.gather(*streams)
    stage.wire.delay = 0.0

    assert on_lease == [200] * GOES_ON
    assert [answer.status_code for answer in ended] == [200] * STREAMS
    assert {(answer.status_code, answer.json()["error_code"]) for answer in answers} == {(503, "unavailable")}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
    for who in (regular, *known, *strangers):
        await served_again(stage, who)
