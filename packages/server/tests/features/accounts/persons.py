"""People of a house, with apps that show one-time codes."""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
import pyotp

PASSWORD = "several plain words together"


@dataclass
class Person:
    """Somebody logged in. `secret` is what their authenticator app has, `client` their way to another gateway."""

    house: Any
    email: str
    access: str
    secret: str = ""
    recovery_codes: tuple[str, ...] = ()
    client: Any = None

    @property
    def claims(self) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(self.access, options={"verify_signature": False})
        return claims

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return await (self.client or self.house.client).request(
            method, path, json=body, headers={"authorization": f"Bearer {self.access}", **headers}
        )

    async def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return await self.ask("POST", path, body, **headers)

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).generate_otp(int(time.time()) // 30 + steps)

    async def grow_old(self) -> None:
        """As if they had logged in a while ago."""
        books = self.house.gateway.books
        before = books.clock.now() - timedelta(minutes=6)
        await books.storage.sessions.confirm(self.claims["sid"], before, second_factor=False)

    async def confirmation(self, action: str, **proof: Any) -> Any:
        return await self.post("/v1/auth/confirm", {"action": action, "password": PASSWORD, **proof})

    async def confirmed(self, action: str, **proof: Any) -> str:
        answer = await self.confirmation(action, **proof)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["confirmation"]
        return token

    async def enrol(self) -> None:
        """Take an app as second factor."""
        answer = await self.post("/v1/auth/mfa/totp/enroll")
        assert answer.status_code == 200, answer.text
        self.secret = answer.json()["secret"]
        answer = await self.post("/v1/auth/mfa/totp/confirm", {"code": self.code(-1)})
        assert answer.status_code == 200, answer.text
        self.recovery_codes = tuple(answer.json()["recovery_codes"])


async def newcomer(house: Any, email: str) -> Person:
    answer = await house.client.post("/v1/auth/register", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return Person(house, email, answer.json()["access_token"])


async def login(house: Any, person: Person, **more: Any) -> Any:
    answer = await house.client.post("/v1/auth/login", json={"email": person.email, "password": PASSWORD, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def verify(house: Any, token: str, **proof: Any) -> Any:
    return await house.client.post("/v1/auth/mfa/verify", json={"mfa_token": token, **proof})


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error_code"]


async def actions(house: Any, person: Person) -> list[tuple[str, str]]:
    """What the audit trail has of a person: action and outcome, oldest first."""
    await house.gateway.application.services.refusals.settle()
    path = house.gateway.books.settings.database_url.reveal().removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT action, outcome FROM audit WHERE account_id = ? ORDER BY audit_id", (person.claims["acc"],)
        ).fetchall()
