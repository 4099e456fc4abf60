"""A gateway driven with markers in all it is sent and trusted with, and the search for them afterwards."""

import asyncio
import base64
import logging
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.sandbox import server
from monkey_coder_server.settings import load
from packages.server.tests.api.test_canary import BASIC, COOKIE, HEADER, MODEL, PROMPT, SENT, SYSTEM, TOOL, House
from packages.server.tests.api.test_secrets import hits, log
from packages.server.tests.features.accounts.persons import PASSWORD, Person, newcomer
from packages.server.tests.sign_in.simulator import CLIENT_ID, CLIENT_SECRET, Simulator, running

__all__ = ["BASIC", "HEADER", "MODEL", "PROMPT", "SENT", "SYSTEM", "TOOL", "Drive", "drive", "log", "nothing_of"]
PROVIDER_KEYS = [f"sk-canary-provider-{number:02}-77aa" for number in range(24)]
JWT_SECRET = "Canary-Jwt-Secret-" + "4f1c" * 8
PEPPER = "Canary-Pepper-" + "93be" * 8
MAIL_KEY = "canary-mail-key-5d0e"
STRIPE_KEY, WEBHOOK_SECRET = "rk_test_canary6d1f", "whsec_canary7e20canary7e20"
CARD = "4000002760003184"
"""Only the payment processor knows it, and says it in its errors."""
OURS = (*PROVIDER_KEYS, JWT_SECRET, PEPPER, MAIL_KEY, CLIENT_SECRET, STRIPE_KEY, WEBHOOK_SECRET, CARD)
"""What nobody outside has."""
THEIRS = (HEADER, COOKIE, BASIC, PASSWORD)
"""What people send beside their work, and nobody is told back."""
WORK = (PROMPT, SYSTEM, TOOL)
_TOKEN = re.compile(r"(?:token=|code: )([A-Za-z0-9_-]{43,})")


@dataclass(slots=True)
class Drive:
    """The house, everything it answered, and every secret that was made on the way."""

    house: House
    letters: list[str]
    mail_status: list[int]
    provider: Simulator
    codes: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    patch: pytest.MonkeyPatch = field(default_factory=pytest.MonkeyPatch)
    count: int = 0

    async def heard(self, answer: httpx2.Response) -> None:
        """Note an answer, with the error code it is of."""
        text = f"{answer.headers} {(await answer.aread()).decode()}"
        self.answers.append(text)
        if answer.status_code < 400:
            return
        self.errors.append(text)
        body = answer.json() if "json" in answer.headers["content-type"] else {}
        self.codes.add(str(body.get("error_code") or body.get("error")))

    async def ask(self, path: str, body: Any = None, method: str = "POST", **headers: str) -> Any:
        """Ask with every marker that fits."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.house.client.request(method, path, json=body, headers={**SENT, **named})

    async def task(self, key: str = "", path: str = "/v1/execute", **fields: Any) -> Any:
        """Ask for work."""
        prompt = f"{PROMPT} [[sandbox text=Well]]"  # an answer that repeats its prompt is kept with it
        body = {"task_type": "custom", "prompt": prompt, "model": MODEL, "files": [{"path": TOOL, "content": SYSTEM}]}
        return await self.ask(path, {**body, **fields}, authorization=f"Bearer {key or self.house.key}")

    async def key(self, **wish: Any) -> str:
        """A further key."""
        answer = await self.ask("/v1/keys", {"name": "one", **wish}, authorization=f"Bearer {self.house.key}")
        return self.kept(answer.json()["key"])

    async def person(self) -> Person:
        """Somebody new."""
        self.count += 1
        person = await newcomer(self.house, f"driver{self.count}@example.com")
        self.kept(person.access)
        return person

    async def enrolled(self) -> Person:
        """Somebody new with an app that shows codes."""
        person = await self.person()
        await person.enrol()
        self.secrets.update((person.secret, *person.recovery_codes, person.code(), person.code(-1)))
        return person

    async def letter(self) -> str:
        """The token in the next letter that has one."""
        async with asyncio.timeout(10):
            while True:
                for text in self.letters:
                    found = _TOKEN.search(text)
                    if found is not None:
                        self.letters.remove(text)
                        return self.kept(found[1])
                await asyncio.sleep(0.01)

    def kept(self, secret: str) -> str:
        """Remember something that is to be found nowhere."""
        self.secrets.add(secret)
        return secret


@pytest.fixture
async def drive(log: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Drive]:
    logging.getLogger("aiosqlite").setLevel(logging.INFO)
    letters: list[str] = []
    mail_status = [200]

    async def post(request: web.Request) -> web.Response:
        letters.append((await request.json())["text"])
        return web.json_response({"error": f"no luck with {letters[-1]}"}, status=mail_status[-1])

    mail = web.Application()
    mail.router.add_post("/emails", post)

    async def refuse(request: web.Request) -> web.Response:
        said = f"{CARD} {request.headers['authorization']} {request.path}"
        error = {"type": "invalid_request_error", "code": CARD, "param": CARD, "message": said}
        return web.json_response({"error": error}, status=400)

    processor = web.Application()
    processor.router.add_route("*", "/{rest:.*}", refuse)
    async with AsyncExitStack() as stack:
        paid_by = await stack.enter_async_context(TestServer(processor))
        mailer = await stack.enter_async_context(TestServer(mail))
        provider = await stack.enter_async_context(running())
        simulated = await server.start()
        stack.push_async_callback(simulated.close)
        given = {
            "OPENAI_API_KEY": ",".join(PROVIDER_KEYS),
            "OPENAI_BASE_URL": simulated.base_urls["openai"],
            "JWT_SECRET_KEY": JWT_SECRET,
            "KEY_PEPPER": PEPPER,
            "MAIL_URL": f"http://{MAIL_KEY}@127.0.0.1:{mailer.port}/emails",
            "STRIPE_SECRET_KEY": STRIPE_KEY,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "STRIPE_API_BASE": f"http://127.0.0.1:{paid_by.port}",
            "OIDC_GENERIC_ISSUER": provider.issuer,
            "OIDC_GENERIC_CLIENT_ID": CLIENT_ID,
            "OIDC_GENERIC_CLIENT_SECRET": CLIENT_SECRET,
        }
        gateway = await stack.enter_async_context(open_gateway(load(given, folder=tmp_path)))
        made = await operator.create_user(
            gateway.books.accounts, email="canary@example.com", password=None, credit=10**11, plan=None
        )
        transport = httpx2.ASGITransport(app=gateway.application)
        heard: list[Drive] = []

        async def note(answer: httpx2.Response) -> None:
            for each in heard:
                await each.heard(answer)

        client = httpx2.AsyncClient(transport=transport, base_url="http://gateway", event_hooks={"response": [note]})
        await stack.enter_async_context(client)
        house = House(gateway, client, log, made.api_key)
        house.folder = tmp_path
        driving = Drive(house, letters, mail_status, provider, patch=monkeypatch)
        heard.append(driving)
        yield driving


def nothing_of(drive: Drive) -> None:
    """No marker in logs, metrics and on disk; in errors none at all, in answers none but what they are to give."""
    drive.kept(drive.house.key)
    everything = (*OURS, *THEIRS, *WORK, *drive.secrets)
    assert not hits(drive.house.written(), *(each for each in everything if len(each) > 6))
    short = [each for each in drive.secrets if len(each) <= 6]
    assert not [each for each in short if re.search(rf"(?<![\w.:-]){each}(?![\w.:-])", drive.house.written())]
    assert not [error for error in drive.errors if hits(error, *OURS, *THEIRS, *WORK)]
    long = [each for each in everything if len(each) > 8]
    assert not [error for error in drive.errors if hits(error, *long)]
    assert not [answer for answer in drive.answers if hits(answer, *OURS, *THEIRS)]
    raw = [base64.b32decode(each) for each in drive.secrets if re.fullmatch(r"[A-Z2-7]{32}", each)]
    assert raw
    for path in drive.house.files():
        disk = path.read_bytes()
        assert not [each for each in long if each.encode() in disk], path
        assert not [each for each in raw if each in disk], path
