"""Everybody who tries the routes: people in every role, keys of every scope, credentials that are none any more."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from monkey_coder_server.domain.operators import OperatorRole
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.domain.scopes import EVERYTHING, SCOPES
from monkey_coder_server.ports.accounts import KeyRecord
from packages.server.tests.features.accounts.people import Person, appointed, founder, joined

TABLE = Path(__file__).with_name("routes.txt")


class Row(NamedTuple):
    """What the table says of a route."""

    method: str
    path: str
    credential: str
    scope: str | None


def table() -> list[Row]:
    """The rows of `routes.txt`."""
    lines = [line.split() for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [Row(method, path, credential, None if scope == "-" else scope) for method, path, credential, scope in lines]


def served(house: Any) -> Iterator[tuple[str, Row]]:
    """Every path that is served, aliases included, with its row, but for what is public."""
    rows = {(row.method, row.path): row for row in table()}
    for path, route in house.gateway.application.routes:
        row = rows[route.method, route.path]
        if row.credential != "public":
            yield path, row


def filled(path: str, values: Mapping[str, str]) -> str:
    """A path with something in place of its parameters; x where nothing is given."""
    return re.sub(r"\{([a-z_]+)(?::path)?\}", lambda found: values.get(found[1], "x"), path)


@dataclass(slots=True)
class Cast:
    """An organization with somebody in every role, and keys of its owner."""

    house: Any
    owner: Person
    people: dict[Role, Person] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    operators: dict[OperatorRole, Person] = field(default_factory=dict)

    @property
    def values(self) -> Mapping[str, str]:
        return {"organization_id": self.owner.account_id}

    async def person(self, role: Role) -> Person:
        """Somebody in that role, a new one after the last one left."""
        if role not in self.people:
            self.people[role] = await joined(self.house, self.owner.account_id, role)
        return self.people[role]

    async def key(self, *scopes: str, **more: Any) -> str:
        """A key of the organization."""
        use = self.house.gateway.books.accounts
        fresh = use.mint_key()
        record = KeyRecord(
            key_id=use.ids.new("key"),
            account_id=self.owner.account_id,
            user_id=self.owner.user.user_id,
            name="test",
            prefix=fresh.prefix,
            digest=fresh.digest,
            scopes=frozenset(scopes),
            created_at=use.clock.now(),
        )
        await use.keys.create(replace(record, **more))
        secret: str = fresh.secret
        return secret

    async def ended(self) -> list[dict[str, str]]:
        """Credentials that were good once: an expired and a revoked key, an ended session, one whose token expired."""
        use = self.house.gateway.books.accounts
        past = use.clock.now() - timedelta(hours=1)
        keys = [await self.key(EVERYTHING, expires_at=past), await self.key(EVERYTHING, revoked_at=past)]
        late, out = [await joined(self.house, self.owner.account_id, Role.OWNER) for _ in range(2)]
        await use.sessions.revoke_all(out.user.user_id)
        stale, _ = use.tokens.issue(
            user_id=late.user.user_id,
            account_id=late.user.account_id,
            session_id=(await use.sessions.of_user(late.user.user_id, use.clock.now()))[0].session_id,
            now=int((past - timedelta(days=1)).timestamp()),
        )
        return [*({"x-api-key": key} for key in keys), out.headers, replace(late, token=stale).headers]


async def gather(house: Any) -> Cast:
    """All of them. Their organization has credit, so that its owner cannot delete it."""
    cast = Cast(house, await founder(house))
    ledger = house.gateway.books.storage.ledger
    await ledger.grant(cast.owner.account_id, 1, reason="test", idempotency_key=cast.owner.account_id)
    for role in Role:
        await cast.person(role)
    for operator in OperatorRole:
        cast.operators[operator] = await appointed(house, operator)
    for scope in (*sorted(SCOPES), EVERYTHING):
        cast.keys[scope] = await cast.key(scope)
    return cast
