"""People who act for organizations, as the tests need them."""

from dataclasses import dataclass
from typing import Any

import jwt

from monkey_coder_server.domain.operators import OperatorRole
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.factors import Totp
from monkey_coder_server.ports.operators import Appointment
from monkey_coder_server.ports.organizations import Membership


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody logged in; `account_id` is the organization they are looked at in."""

    user: User
    token: str
    account_id: str = ""

    @property
    def session_id(self) -> str:
        """The session of the token."""
        claims: dict[str, str] = jwt.decode(self.token, options={"verify_signature": False})
        return claims["sid"]

    @property
    def alone(self) -> dict[str, str]:
        """The headers to act for oneself."""
        return {"authorization": f"Bearer {self.token}"}

    @property
    def headers(self) -> dict[str, str]:
        """The headers to act for the organization."""
        return {**self.alone, "x-mk-organization": self.account_id}


async def log_in(house: Any, user: User, *, second_factor: bool = False) -> str:
    """An access token of a new session, as a log-in gives."""
    use = house.gateway.books.accounts
    from monkey_coder_server.features.accounts import sessions
    from monkey_coder_server.web.request import Request

    request = Request({"headers": [], "query_string": b""}, _never, request_id="req_test")
    return (await sessions.open_session(use, user, request, second_factor=second_factor)).access


async def stranger(house: Any) -> Person:
    """Somebody with an account of their own and no password that takes time to check."""
    use = house.gateway.books.accounts
    user_id = use.ids.new("usr")
    user = User(
        user_id=user_id,
        account_id=use.ids.new("acc"),
        email=f"{user_id}@example.com",
        name="Somebody",
        password_hash="",
        plan="hobby",
        roles=("user",),
        created_at=use.clock.now(),
    )
    await use.accounts.create(user)
    await use.ledger.open_wallet(user.account_id)
    return Person(user, await log_in(house, user))


async def founder(house: Any, name: str = "Firm") -> Person:
    """Somebody who has just made an organization."""
    somebody = await stranger(house)
    answer = await house.client.post("/v1/organizations", json={"name": name}, headers=somebody.alone)
    assert answer.status_code == 200, answer.text
    return Person(somebody.user, somebody.token, answer.json()["organization_id"])


async def joined(house: Any, account_id: str, role: Role) -> Person:
    """Somebody new in an organization."""
    use, somebody = house.gateway.books.accounts, await stranger(house)
    await use.organizations.add(Membership(account_id, somebody.user.user_id, role, use.clock.now()))
    return Person(somebody.user, somebody.token, account_id)


async def appointed(house: Any, *roles: OperatorRole) -> Person:
    """An operator who has logged in just now, with a second factor."""
    use, somebody = house.gateway.books.accounts, await stranger(house)
    user_id, now = somebody.user.user_id, use.clock.now()
    await use.accounts.set_email(user_id, somebody.user.email, verified_at=now)
    await use.factors.store.put_totp(Totp(user_id, b"sealed", 0, now))
    for role in roles:
        await use.operators.appoint(Appointment(user_id, role, "operator", now))
    return Person(somebody.user, await log_in(house, somebody.user, second_factor=True))


async def _never() -> dict[str, Any]:
    raise AssertionError("nothing is read")
