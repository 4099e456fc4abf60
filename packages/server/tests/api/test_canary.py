"""Markers in prompt, headers, cookie, password and our provider key, through every dialect and every way to fail.

Afterwards nothing that was logged, counted, answered or kept on disk may hold one of them. Disk is searched byte by
byte, pages a database has freed among them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from monkey_coder_server.adapters.leasing import LeasedLedger
from monkey_coder_server.adapters.storage.keys import SqlKeys
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.sandbox import server
from monkey_coder_server.settings import load
from packages.server.tests.api.test_secrets import Watched, hits, log

__all__ = ["log"]
pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]
PROMPT, SYSTEM, TOOL = "Canary-Prompt-a41c", "Canary-System-b52d", "canary_tool_c63e"
HEADER, COOKIE, BASIC = "Canary-Header-d74f", "Canary-Cookie-e850", "Canary-Basic-f961"
PASSWORD = "Canary-Passw0rd-0a72 with words"
PROVIDER_KEY = "sk-canary-provider-1b83c9"
MODEL = "openai/gpt-4.1-nano"
SENT = {"x-canary": HEADER, "cookie": f"session={COOKIE}", "x-request-id": HEADER, "traceparent": HEADER}
FAULTS = ("ok", "empty", "garbage", "error_event", "cut", "eof", "500", "529", "400", "404", "429", "402", "401")
DIALECTS = ("chat", "messages", "responses", "gemini", "native")


def request_of(dialect: str, text: str, *, stream: bool) -> tuple[str, Mapping[str, Any]]:
    """A path and a body that ask the same in each dialect."""
    said = {"role": "user", "content": text}
    match dialect:
        case "chat":
            system = {"role": "system", "content": SYSTEM}
            tool = {"type": "function", "function": {"name": TOOL, "parameters": {"type": "object"}}}
            return "/v1/chat/completions", {
                "model": MODEL, "messages": [system, said], "tools": [tool], "stream": stream, "max_tokens": 99
            }  # fmt: skip
        case "messages":
            return "/v1/messages", {
                "model": MODEL, "system": SYSTEM, "messages": [said], "stream": stream, "max_tokens": 99
            }  # fmt: skip
        case "responses":
            return "/v1/responses", {
                "model": MODEL, "instructions": SYSTEM, "input": text, "store": False, "stream": stream
            }  # fmt: skip
        case "gemini":
            method = "streamGenerateContent" if stream else "generateContent"
            return f"/v1beta/models/{MODEL}:{method}", {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    path = "/v1/execute/stream" if stream else "/v1/execute"
    return path, {"task_type": "custom", "prompt": text, "model": MODEL, "files": [{"path": "a", "content": SYSTEM}]}


class House(Watched):
    """The same, with a folder whose files are searched."""

    folder: Path

    def files(self) -> list[Path]:
        """Every file, but those that hold the gateway's own secrets."""
        files = [path for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".secret"]
        assert any(path.suffix == ".db" for path in files)
        return files


@pytest.fixture
async def canary(log: Any, tmp_path: Path) -> AsyncIterator[House]:
    logging.getLogger("aiosqlite").setLevel(logging.INFO)
    simulated = await server.start()
    given = {"OPENAI_API_KEY": PROVIDER_KEY, "OPENAI_BASE_URL": simulated.base_urls["openai"]}
    async with open_gateway(load(given, folder=tmp_path)) as gateway:
        made = await operator.create_user(
            gateway.books.accounts, email="canary@example.com", password=PASSWORD, credit=10**11, plan=None
        )
        transport = httpx2.ASGITransport(app=gateway.application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            house = House(gateway, client, log, made.api_key)
            house.folder = tmp_path
            yield house
    await simulated.close()


def nothing_of(canary: House, *more: str) -> None:
    """No marker in logs, metrics or on disk; of those nobody is told back, none in an answer."""
    kept = (PROMPT, SYSTEM, TOOL, HEADER, COOKIE, BASIC, PASSWORD, PROVIDER_KEY, canary.key, *more)
    assert not hits(canary.written(), *kept)
    for path in canary.files():
        disk = path.read_bytes()
        assert not [marker for marker in kept if marker.encode() in disk], path
    assert not hits("".join(canary.answers), HEADER, COOKIE, BASIC, PASSWORD, PROVIDER_KEY, canary.key)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_nothing_of_a_request_is_kept_whatever_its_provider_does(canary: House, dialect: str) -> None:
    statuses = set()
    for fault in FAULTS:
        failing = "" if fault == "ok" else f'fault={fault} message="your key {PROVIDER_KEY} is odd" '
        words = (
            f"[[sandbox {failing}text=Well]]"  # an answer that repeats its prompt is kept with it, for who asks again
        )
        for stream in (False, True):
            path, body = request_of(dialect, f"{PROMPT} {words}", stream=stream)
            headers = {**SENT, "authorization": f"Bearer {canary.key}"}
            statuses.add((await canary.ask("POST", path, json=body, headers=headers)).status_code)
    assert 200 in statuses
    assert len(statuses) > 1
    nothing_of(canary)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_nothing_is_kept_of_what_we_refuse(canary: House, dialect: str) -> None:
    path, body = request_of(dialect, PROMPT, stream=False)
    wrong = canary.key[:-1] + ("a" if canary.key[-1] != "a" else "b")
    good = {**SENT, "authorization": f"Bearer {canary.key}"}
    for headers in ({**SENT, "x-api-key": wrong}, {**SENT, "authorization": f"Basic {BASIC}"}, SENT):
        assert (await canary.ask("POST", path, json=body, headers=headers)).status_code == 401
    for content in (b"", f'{{"prompt": "{PROMPT}"'.encode(), f'["{PROMPT}"]'.encode(), PROMPT.encode()):
        answer = await canary.ask("POST", path, content=content, headers={**good, "content-type": "application/json"})
        assert answer.status_code in {400, 422}, answer.text
    unknown = path.replace(MODEL, "openai/nothing")
    answer = await canary.ask("POST", unknown, json={**body, "model": "openai/nothing"}, headers=good)
    assert answer.status_code in {400, 404}
    answer = await canary.ask("POST", path, json=body, headers={**good, "content-encoding": "gzip"})
    assert answer.status_code == 415
    nothing_of(canary, wrong)


@pytest.mark.parametrize("away", ["keys", "ledger"])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_nothing_is_kept_while_a_store_is_away(
    canary: House, dialect: str, away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(*_: object, **__: object) -> None:
        raise Unavailable("The store is away.", retry_after=1)

    if away == "keys":
        monkeypatch.setattr(SqlKeys, "find", unreachable)
    else:
        monkeypatch.setattr(LeasedLedger, "hold", unreachable)
    path, body = request_of(dialect, PROMPT, stream=True)
    answer = await canary.ask("POST", path, json=body, headers={**SENT, "authorization": f"Bearer {canary.key}"})
    assert answer.status_code == 503, answer.text
    nothing_of(canary)


async def test_no_password_token_or_key_is_kept_of_what_people_do(canary: House) -> None:
    login = {"email": "canary@example.com", "password": PASSWORD}
    tried = (login, {**login, "password": PASSWORD + "x"}, {"email": PASSWORD, "password": PASSWORD})
    paths = ("/v1/auth/login", "/v1/auth/register")
    answers = [await canary.client.post(path, json=body, headers=SENT) for body in tried for path in paths]
    [granted] = [answer.json() for answer in answers if answer.status_code == 200]
    access, refresh = granted["access_token"], granted["refresh_token"]
    person = {**SENT, "authorization": f"Bearer {access}"}
    made = (await canary.client.post("/v1/keys", json={"name": "one"}, headers=person)).json()
    for _ in range(2):
        await canary.client.post("/v1/auth/refresh", json={"refresh_token": refresh}, headers=SENT)
    await canary.client.post("/v1/keys/report", json={"key": made["key"], "url": "https://example.com"}, headers=SENT)
    await canary.client.get("/v1/audit", headers=person)
    await asyncio.sleep(0)
    nothing_of(canary, access, refresh, made["key"])
