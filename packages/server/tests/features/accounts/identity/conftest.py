"""A gateway whose mail lands in a list, and people with passwords."""

import asyncio
import re
from itertools import count
from typing import Any

import httpx2
import pytest

from monkey_coder_server.ports.mailer import Mail

PASSWORD = "several plain words together"
_numbers = count(1)
_LINK = re.compile(r"http://localhost:8000(/[a-z-]+)\?token=([A-Za-z0-9_-]{43,})")


class Postbox:
    """Letters by address, in the order they were sent."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def post(self, mail: Mail) -> None:
        self.mails.append(mail)

    async def next(self, to: str) -> Mail:
        """The next letter to an address, which is taken out."""
        async with asyncio.timeout(10):
            while True:
                for mail in self.mails:
                    if mail.to == to:
                        self.mails.remove(mail)
                        return mail
                await asyncio.sleep(0.005)

    def holds_for(self, to: str) -> bool:
        """Whether a letter to an address waits."""
        return any(mail.to == to for mail in self.mails)

    async def token(self, to: str) -> str:
        """The token in the next letter to an address that has one."""
        while True:
            found = _LINK.search((await self.next(to)).text)
            if found is not None:
                return found[2]


class Caller:
    """Somebody at a network address of their own."""

    def __init__(self, house: Any) -> None:
        number = next(_numbers)
        self.address = f"203.0.{number // 250}.{number % 250 + 1}"
        transport = httpx2.ASGITransport(app=house.gateway.application, client=(self.address, 1))
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://gateway")
        self.email = f"person{number}@example.com"
        self.headers: dict[str, str] = {}

    async def post(self, path: str, **body: Any) -> Any:
        return await self.client.post(path, json=body, headers=self.headers)

    async def get(self, path: str) -> Any:
        return await self.client.get(path, headers=self.headers)

    async def form(self, path: str, **fields: str) -> Any:
        return await self.client.post(path, data=fields)

    async def log_in(self, password: str = PASSWORD) -> int:
        answer = await self.post("/v1/auth/login", email=self.email, password=password)
        if answer.status_code == 200:
            self.headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
        return int(answer.status_code)


@pytest.fixture
def postbox(house: Any, monkeypatch: pytest.MonkeyPatch) -> Postbox:
    box = Postbox()
    monkeypatch.setattr(house.gateway.books.outbox, "post", box.post)
    return box


@pytest.fixture
def stranger(house: Any) -> Caller:
    return Caller(house)


@pytest.fixture
def callers(house: Any) -> Any:
    """Makes further callers."""
    return lambda: Caller(house)


@pytest.fixture
def registered(house: Any, postbox: Postbox) -> Any:
    """Makes people with an account, logged in, whose first letter is read."""

    async def made() -> Caller:
        caller = Caller(house)
        answer = await caller.post("/v1/auth/register", email=caller.email, password=PASSWORD)
        assert answer.status_code == 200, answer.text
        caller.headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
        await postbox.next(caller.email)
        return caller

    return made


@pytest.fixture
def user(house: Any) -> Any:
    """Looks people up."""

    async def found(caller: Caller) -> Any:
        return await house.gateway.books.storage.accounts.by_email(caller.email)

    return found
