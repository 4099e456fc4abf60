"""Markers stand for what must never be written down; every path is driven, then all that was written is searched."""

import base64
import io
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from monkey_coder_server.adapters.leasing import LeasedLedger
from monkey_coder_server.adapters.metrics.log_format import JsonLines, TextLines
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.sandbox import server
from monkey_coder_server.settings import load

pytestmark = pytest.mark.system
PROMPT, ANSWER, FILE = "Canary-Prompt-7f3a", "Canary-Answer-91bd", "Canary-File-55e0"
PASSWORD = "Canary-Passw0rd-c04e"
PROVIDER_KEY = "sk-canary-provider-2d8f6b"
FAULTS = ["no_usage", "empty", "refusal", "content_filter", "garbage", "error_event", "cut", "eof", "500", "529"]
FAULTS += ["hang", "400", "404", "429", "403", "402", "quota", "401"]
"""In this order: after the last ones the key rests, and nothing is sent."""


@dataclass(slots=True)
class Watched:
    """A gateway over a simulated OpenAI, everything it logs, and everything it answers."""

    gateway: Any
    client: httpx2.AsyncClient
    log: io.StringIO
    key: str
    answers: list[str] = field(default_factory=list)

    async def ask(self, method: str, path: str, **sent: Any) -> httpx2.Response:
        answer = await self.client.request(method, path, **sent)
        self.answers.append(f"{answer.headers} {answer.text}")
        return answer

    async def task(self, path: str, prompt: str, **fields: Any) -> httpx2.Response:
        body = {"task_type": "custom", "prompt": prompt, "files": [{"path": "a.txt", "content": FILE}], **fields}
        return await self.ask("POST", path, json=body, headers={"authorization": f"Bearer {self.key}"})

    def written(self) -> str:
        return self.log.getvalue() + self.gateway.metrics.text().decode()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything any logger says, down to debug, in both formats; only the client of these tests is left out."""
    stream = io.StringIO()
    handlers = [logging.StreamHandler(stream), logging.StreamHandler(stream)]
    handlers[0].setFormatter(JsonLines())
    handlers[1].setFormatter(TextLines())
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    for handler in handlers:
        handler.addFilter(lambda record: not record.name.startswith(("httpx2", "httpcore")))
        root.addHandler(handler)
    yield stream
    root.setLevel(level)
    for handler in handlers:
        root.removeHandler(handler)


@pytest.fixture
async def watched(log: io.StringIO, tmp_path: Path) -> AsyncIterator[Watched]:
    simulated = await server.start()
    given = {"OPENAI_API_KEY": PROVIDER_KEY, "OPENAI_BASE_URL": simulated.base_urls["openai"]}
    settings = load(given, folder=tmp_path)
    async with open_gateway(settings) as gateway:
        made = await operator.create_user(
            gateway.books.accounts, email="canary@example.com", password=PASSWORD, credit=10**11, plan=None
        )
        transport = httpx2.ASGITransport(app=gateway.application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield Watched(gateway, client, log, made.api_key)
    await simulated.close()


def hits(text: str, *markers: str) -> list[str]:
    encoded = [base64.b64encode(marker.encode()).decode().rstrip("=") for marker in markers]
    return [marker for marker in (*markers, *encoded) if marker in text]


@pytest.mark.parametrize("path", ["/v1/execute", "/v1/execute/stream"])
async def test_nothing_of_a_served_request_is_logged_or_counted(watched: Watched, path: str) -> None:
    answer = await watched.task(path, f"{PROMPT} [[sandbox text={ANSWER}]]", task_id=f"of{path.replace('/', '-')}")
    assert ANSWER in answer.text
    assert "monkey_coder_requests_total" in watched.written()
    assert not hits(watched.written(), PROMPT, ANSWER, FILE, watched.key, PROVIDER_KEY)
    assert not hits(answer.text, PROMPT, FILE, watched.key, PROVIDER_KEY)


@pytest.mark.parametrize("path", ["/v1/execute", "/v1/execute/stream"])
async def test_no_failure_of_a_provider_gives_anything_away(watched: Watched, path: str) -> None:
    failed = 0
    for fault in FAULTS:
        words = f'[[sandbox fault={fault} after=1 message="your key {PROVIDER_KEY} is odd"]]'
        limits = {"timeout": 1, "max_tokens": 300}
        answer = await watched.task(path, f"{PROMPT} {words}", context=limits, model="openai/gpt-4.1-nano")
        told = f"{answer.headers} {answer.text}"
        assert not hits(told, FILE, watched.key, PROVIDER_KEY), fault
        if answer.status_code != 200:
            failed += 1
            assert not hits(told, PROMPT), fault
    assert failed > len(FAULTS) / 2
    assert not hits(watched.written(), PROMPT, FILE, watched.key, PROVIDER_KEY)


async def test_no_refusal_of_ours_gives_anything_away(watched: Watched) -> None:
    wrong = watched.key[:-1] + ("a" if watched.key[-1] != "a" else "b")
    for key in (wrong, watched.key.replace("mk-", "sk-"), f"{watched.key}.x.y", watched.key + "\u00e9"):
        for headers in ({"authorization": f"Bearer {key}"}, {"x-api-key": key}, {"authorization": f"Basic {key}"}):
            sent = {name: value.encode() for name, value in headers.items()}
            await watched.ask("POST", "/v1/execute", json={"prompt": PROMPT}, headers=sent)
        await watched.ask("GET", "/v1/models", params={"key": key})
    for body in (f'{{"prompt": "{PROMPT}"', f'["{PROMPT}"]', f'{{"task_type": 1, "prompt": "{PROMPT}"}}', PROMPT):
        await watched.ask("POST", "/v1/execute", content=body.encode(), headers={"x-api-key": watched.key})
    login = {"email": "canary@example.com", "password": PASSWORD}
    for sent_login in ({**login, "password": PASSWORD + "x"}, {"email": PASSWORD, "password": PASSWORD}, login):
        await watched.ask("POST", "/v1/auth/login", json=sent_login)
        await watched.ask("POST", "/v1/auth/register", json=sent_login)
    await watched.ask("POST", "/v1/auth/refresh", json={"refresh_token": PASSWORD})
    await watched.client.get(f"/v1/{watched.key}")  # its own sender is told of the path it typed, nobody else
    assert not hits(watched.written(), PROMPT, PASSWORD, watched.key, wrong, PROVIDER_KEY)
    assert not hits("".join(watched.answers), PROMPT, PASSWORD, watched.key, wrong, PROVIDER_KEY)


async def test_a_defect_is_logged_without_its_message(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_down(*_: object, **__: object) -> None:
        message = f"{PROMPT} {PROVIDER_KEY} {watched.key}"
        raise RuntimeError(message)

    monkeypatch.setattr(LeasedLedger, "hold", break_down)
    answer = await watched.task("/v1/execute", PROMPT)
    assert answer.status_code == 500
    assert "contained" in watched.log.getvalue()
    assert not hits(watched.written() + answer.text, PROMPT, PROVIDER_KEY, watched.key)
