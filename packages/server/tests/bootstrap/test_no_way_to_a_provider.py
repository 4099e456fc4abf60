"""Nobody gets as far as asking OpenAI: another provider answers `auto`, whoever insists is told, and nobody pays."""

import asyncio
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.features.inference.attempt import AttemptSettings
from monkey_coder_server.features.inference.health import HealthSettings
from monkey_coder_server.sandbox import server
from monkey_coder_server.settings import load
from packages.server.tests.adapters.upstream.doors import Door, door

pytestmark = pytest.mark.system

MODEL, HOST = "gpt-4.1-mini", "openai.invalid"
CREDIT = 5_000_000_000
WAYS = ["no address", "untrusted certificate", "handshake refused", "handshake cut", "no TLS"]
TASK = {"task_type": "custom", "prompt": "hello"}
SAY = [{"role": "user", "content": "hello"}]
PINNED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "native": ("/v1/execute", {**TASK, "model": f"openai/{MODEL}"}),
    "native stream": ("/v1/execute/stream", {**TASK, "model": f"openai/{MODEL}"}),
    "chat": ("/v1/chat/completions", {"model": MODEL, "messages": SAY}),
    "chat stream": ("/v1/chat/completions", {"model": MODEL, "messages": SAY, "stream": True}),
    "responses": ("/v1/responses", {"model": MODEL, "input": "hello", "store": False}),
    "responses stream": ("/v1/responses", {"model": MODEL, "input": "hello", "store": False, "stream": True}),
    "messages": ("/v1/messages", {"model": MODEL, "messages": SAY, "max_tokens": 9}),
    "messages stream": ("/v1/messages", {"model": MODEL, "messages": SAY, "max_tokens": 9, "stream": True}),
    "gemini": (f"/v1beta/models/{MODEL}:generateContent", {"contents": [{"parts": [{"text": "hello"}]}]}),
    "gemini stream": (
        f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse",
        {"contents": [{"parts": [{"text": "hello"}]}]},
    ),
}
MARKS = {"native": "error_code", "chat": "type", "responses": "type", "messages": "type", "gemini": "status"}
"""A field of an error in each dialect."""


@dataclass(slots=True)
class Stage:
    """A gateway that has OpenAI, to which there is no way, and a simulated Google."""

    gateway: Any
    client: httpx2.AsyncClient
    account_id: str
    there: Door

    async def post(self, path: str, body: Mapping[str, Any]) -> httpx2.Response:
        return await self.client.post(path, json=dict(body))

    async def auto(self) -> list[str]:
        """Ask for the best model, OpenAI's if possible; the outcomes of what was tried, with their providers."""
        answer = await self.post("/v1/execute", {**TASK, "model_preferences": {"openai": MODEL}})
        assert answer.status_code == 200, answer.text
        attempts = answer.json()["result"]["metadata"]["attempts"]
        return [f"{one['provider']} {one['outcome']}" for one in attempts]

    async def untouched(self) -> None:
        """Nothing was charged and nothing is held."""
        wallet = await self.gateway.books.storage.ledger.wallet(self.account_id)
        assert wallet.balance == CREDIT
        balance = (await self.client.get("/v1/billing/balance")).json()
        assert (balance["balance_usd"], balance["available_usd"]) == ("5.00", "5.00")


@contextmanager
def no_address(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """The name of OpenAI's host does not resolve."""
    asked, resolve = Door(f"https://{HOST}"), socket.getaddrinfo

    def answer(host: Any, *more: Any, **options: Any) -> Any:
        if host != HOST:
            return resolve(host, *more, **options)
        asked.came += 1
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    yield asked


@asynccontextmanager
async def opened(there: Door, folder: Path) -> AsyncIterator[Stage]:
    simulators = await server.start()
    environment = {
        "OPENAI_API_KEY": "sk-1",
        "OPENAI_BASE_URL": f"{there.url}/v1",
        "GOOGLE_API_KEY": "sk-2",
        "GOOGLE_BASE_URL": simulators.base_urls["google"],
    }
    async with open_gateway(load(environment, folder=folder)) as gateway:
        made = await operator.create_user(
            gateway.books.accounts, email="a@example.com", password=None, credit=CREDIT, plan=None
        )
        transport = httpx2.ASGITransport(app=gateway.application)
        headers = {"authorization": f"Bearer {made.api_key}"}
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
            yield Stage(gateway, client, made.user.account_id, there)
    await simulators.close()


@pytest.fixture(params=WAYS)
async def stage(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    if request.param == "no address":
        with no_address(monkeypatch) as there:
            async with opened(there, tmp_path) as found:
                yield found
        return
    async with door(request.param, tmp_path) as there, opened(there, tmp_path) as found:
        yield found


async def test_another_provider_answers_and_the_breaker_spares_the_next_ones(stage: Stage) -> None:
    failures = HealthSettings().open_after
    for _ in range(failures):
        assert await stage.auto() == ["openai connection", "google served"]
    assert stage.there.came == failures
    assert await stage.auto() == ["google served"]
    assert stage.there.came == failures


async def test_who_insists_is_told_in_his_dialect_and_pays_nothing(stage: Stage) -> None:
    answers = await asyncio.gather(*[stage.post(path, body) for path, body in PINNED.values()])
    for name, answer in zip(PINNED, answers, strict=True):
        assert answer.status_code == 502, (name, answer.text)
        dialect = name.split()[0]
        body = answer.json()
        error = body if dialect == "native" else (body[0] if isinstance(body, list) else body)["error"]
        assert MARKS[dialect] in error
        assert re.search(r"openai|TLS|certificate", error["message"]), error
        assert "(connection)" in error["message"]
    assert 1 <= stage.there.came <= len(PINNED) * AttemptSettings().attempts
    await stage.untouched()


async def test_a_crowd_that_insists_multiplies_no_calls(stage: Stage) -> None:
    crowd = 50
    path, body = PINNED["chat"]
    answers = await asyncio.gather(*[stage.post(path, body) for _ in range(crowd)])
    assert Counter(answer.status_code for answer in answers) == {502: crowd}
    assert 1 <= stage.there.came <= crowd * AttemptSettings().attempts
    await stage.untouched()
