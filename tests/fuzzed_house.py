"""Everybody who asks while the OpenAPI document is walked, and real ids for the places in paths."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from types import SimpleNamespace
from typing import Any

import httpx2

from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.domain.operators import OperatorRole
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.domain.scopes import EVERYTHING
from monkey_coder_server.settings import load
from packages.server.tests.api.matrix.cast import Cast, gather
from packages.server.tests.features.accounts.people import appointed
from tests.conftest import RunningGateway

NOBODY, KEY, OWNER, ACTING = "nobody", "key", Role.OWNER.value, "an operator in the owner's place"
RUNNING = {f"operator {role}": role for role in OperatorRole}
ADMIN = f"operator {OperatorRole.ADMIN}"
MODEL = "openai/gpt-4.1-nano"
CONFIRMED = 240.0
"""Seconds for which a log-in is proof enough of a person, a little less than the gateway takes it for."""
CREDIT = 10**11
"""Nano-dollars."""
_ADDRESSES = count(1)


@dataclass
class Fuzzed:
    """A gateway, an organization in it with somebody in every role, and a way to have what tests of parts have."""

    gateway: RunningGateway
    client: httpx2.Client
    runner: asyncio.Runner
    house: Any
    cast: Cast
    acting: Mapping[str, str]
    _since: defaultdict[str, float] = field(default_factory=lambda: defaultdict(monotonic))

    @property
    def callers(self) -> tuple[str, ...]:
        """Who may ask for what is an account's, or is nobody's."""
        return (KEY, OWNER, *(role.value for role in Role if role is not Role.OWNER), ACTING, NOBODY)

    def headers(self, caller: str) -> dict[str, str]:
        """A credential that is good now, each time from another address, as far as the gateway knows."""
        if caller == NOBODY:
            return from_anywhere()
        headers = self._credential(caller)
        if not self._is_good(headers) or monotonic() - self._since[caller] > CONFIRMED:
            self._renew(caller)
            headers = self._credential(caller)
        if not self._is_good(headers):
            self.cast = self.runner.run(_gathered(self.house))
            self._renew(ACTING)
            headers = self._credential(caller)
        return headers | from_anywhere()

    def _is_good(self, headers: Mapping[str, str]) -> bool:
        return self.client.get("/v1/providers", headers=headers).status_code == 200

    def _credential(self, caller: str) -> dict[str, str]:
        if caller == KEY:
            return {"authorization": f"Bearer {self.cast.keys[EVERYTHING]}"}
        if caller == ACTING:
            return dict(self.acting)
        if caller in RUNNING:
            return self.cast.operators[RUNNING[caller]].alone
        return self.runner.run(self.cast.person(Role(caller))).headers

    def _renew(self, caller: str) -> None:
        """Somebody was logged out or sent away by what was tried, or logged in so long ago that it proves little."""
        self._since[caller] = monotonic()
        if caller == KEY:
            self.cast.keys[EVERYTHING] = self.runner.run(self.cast.key(EVERYTHING))
        elif caller == ACTING:
            self.acting = _in_their_place(self.gateway, self.cast)
        elif caller in RUNNING:
            self.cast.operators[RUNNING[caller]] = self.runner.run(appointed(self.house, RUNNING[caller]))
        else:
            self.cast.people.pop(Role(caller), None)

    def places(self, names: frozenset[str]) -> dict[str, str]:
        """Ids of things that are there, by the names of a path's parameters, as far as we know how to make one."""
        if not names <= self._makers.keys():
            return {}
        return {name: self._makers[name]() for name in sorted(names)}

    @property
    def _makers(self) -> Mapping[str, Callable[[], str]]:
        return {
            "organization_id": lambda: self.cast.owner.account_id,
            "account_id": lambda: self.cast.owner.account_id,
            "user_id": lambda: self.runner.run(_newcomer(self.cast)),
            "invitation_id": lambda: self._made(f"{self._organization}/invitations", _guest(), "invitation_id"),
            "key_id": lambda: self._made("/v1/keys", {"name": "fuzzed"}, "key_id"),
            "team_id": lambda: self._made(f"{self._organization}/teams", {"name": _name()}, "team_id"),
            "project_id": lambda: self._made(f"{self._organization}/projects", {"project_id": _name()}, "project_id"),
            "session_id": self._session,
            "model": lambda: MODEL,
            "provider": lambda: "github",
            "receipt_id": lambda: self._asked("x-monkey-receipt"),
            "response_id": lambda: self._made("/v1/responses", {"model": MODEL, "input": "hello"}, "id"),
        }

    @property
    def _organization(self) -> str:
        return f"/v1/organizations/{self.cast.owner.account_id}"

    def _session(self) -> str:
        headers = self.headers(OWNER)
        found: str = self.client.get("/v1/auth/sessions", headers=headers).json()["sessions"][0]["session_id"]
        return found

    def _made(self, path: str, body: Mapping[str, Any], named: str) -> str:
        answer = self.client.post(path, json=body, headers=self.headers(KEY))
        assert answer.status_code == 200, answer.text
        made: str = answer.json()[named]
        return made

    def _asked(self, named: str) -> str:
        body = {"task_type": "custom", "prompt": "hello", "model": MODEL}
        return self.client.post("/v1/execute", json=body, headers=self.headers(KEY)).headers[named]


@contextmanager
def fuzzed_house(gateway: RunningGateway) -> Iterator[Fuzzed]:
    """Open the books of a running gateway beside it, and gather everybody."""
    with asyncio.Runner() as runner, httpx2.Client(base_url=gateway.base_url) as client:
        books = open_books(load(gateway.environment))
        opened = runner.run(books.__aenter__())
        talking = httpx2.AsyncClient(base_url=gateway.base_url)
        house = SimpleNamespace(gateway=SimpleNamespace(books=opened), client=talking)
        cast = runner.run(_gathered(house))
        yield Fuzzed(gateway, client, runner, house, cast, _in_their_place(gateway, cast))
        runner.run(talking.aclose())
        runner.run(books.__aexit__(None, None, None))


async def _gathered(house: Any) -> Cast:
    cast = await gather(house)
    account_id = cast.owner.account_id
    await house.gateway.books.accounts.ledger.grant(
        account_id, CREDIT, reason="", idempotency_key=f"fuzzed {account_id}"
    )
    return cast


def from_anywhere() -> dict[str, str]:
    """A caller's address as a proxy tells it, a new one each time: nothing of what is tried counts together."""
    number = next(_ADDRESSES)
    return {"x-forwarded-for": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}


def _in_their_place(gateway: RunningGateway, cast: Cast) -> dict[str, str]:
    told = gateway.admin("impersonate", "--email", cast.owner.user.email, "--reason", "fuzzing", "--json")
    return {"authorization": f"Bearer {json.loads(told)['access_token']}", "x-mk-organization": cast.owner.account_id}


async def _newcomer(cast: Cast) -> str:
    cast.people.pop(Role.VIEWER, None)
    user_id: str = (await cast.person(Role.VIEWER)).user.user_id
    return user_id


def _name() -> str:
    return f"fuzzed-{next(_ADDRESSES)}"


def _guest() -> dict[str, str]:
    return {"email": f"guest{next(_ADDRESSES)}@example.com", "role": "viewer"}
