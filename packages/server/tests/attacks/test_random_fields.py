"""Fields drawn from all there are, on every route that reads a body: nothing changes that is not its caller's."""

import importlib
import pkgutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from itertools import count
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

import monkey_coder_protocol
from monkey_coder_server.adapters.storage import limit_tables, team_tables
from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.settings import Settings
from packages.server.tests.api.matrix.cast import filled
from packages.server.tests.features.accounts.people import Person, founder

pytestmark = pytest.mark.asyncio(loop_scope="module")
_ENDS = ("logout", "leave", "sessions")
"""What of a path says that its caller is let in no more."""
_KEPT: Mapping[str, tuple[str, ...]] = {
    "users": ("user_id", "account_id", "email", "password_hash", "plan", "roles", "email_verified_at", "created_at"),
    "wallets": ("account_id", "balance", "held"),
    "organizations": ("account_id", "second_factor_required", "created_at"),
    "memberships": ("account_id", "user_id", "role", "created_at"),
    "api_keys": (
        *("key_id", "account_id", "user_id", "scopes", "cap_day", "cap_month", "cap_total", "rate", "ip_allow"),
        *("created_at", "expires_at", "revoked_at", "project_id", "team_id"),
    ),
    "sessions": ("session_id", "user_id", "second_factor", "impersonator", "created_at"),
    "grants": ("grant_id", "account_id", "kind", "amount"),
}
"""What no body says of what is there already."""
_numbers = count(1)


def names() -> list[str]:
    """Of all columns, of all fields of the wire's structs, and of all settings."""
    tables = {limit_tables.limits.name, team_tables.teams.name, *metadata.tables}
    columns = {column.name for table in tables for column in metadata.tables[table].columns}
    modules = pkgutil.walk_packages(monkey_coder_protocol.__path__, "monkey_coder_protocol.")
    structs = {
        each
        for module in modules
        for each in vars(importlib.import_module(module.name)).values()
        if isinstance(each, type) and issubclass(each, msgspec.Struct)
    }
    wire = {name for struct in structs for name in struct.__struct_fields__}
    more = {"is_admin", "admin", "operator", "balance_usd", "credit_usd", "markup", "verified", "__proto__", "owner"}
    return sorted(columns | wire | {field.name for field in fields(Settings)} | more)


NAMES = names()
VALUES = st.sampled_from(
    [
        *(True, False, None, 0, -1, 10**15, "1000000", "owner", "enterprise", "*", ["*"], ["operator", "admin"]),
        *({"a": 1}, "2000-01-01T00:00:00Z", "acc_1", "usr_1", "key_1", "00" * 32, ""),
    ]
)
EXTRA = st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1, max_size=12)


@dataclass(frozen=True)
class Scene:
    """Somebody who attacks, and somebody who is there."""

    attacker: Person
    key_id: str

    @property
    def values(self) -> dict[str, str]:
        user, account = self.attacker.user.user_id, self.attacker.account_id
        return {"organization_id": account, "user_id": user, "key_id": self.key_id}


def plain(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """A body with what must be in it and nothing else."""
    number = next(_numbers)
    known = {
        "email": f"fields{number}@example.com",
        "password": "several plain words together",
        "name": f"x{number}",
        "role": "viewer",
        "project_id": f"x{number}",
        "period": "day",
        "holder": "project",
        "holder_id": f"x{number}",
    }
    wanted = [field for field in msgspec.structs.fields(struct) if field.required]
    made: dict[str, Any] = {}
    for field in wanted:
        listed = str(field.type).startswith(("list", "typing.List"))
        made[field.encode_name] = known.get(field.encode_name, [] if listed else 1 if field.type is int else "x")
    return made


def kept(house: Any) -> dict[str, dict[str, tuple[Any, ...]]]:
    """What is in the tables, by table and whatever names a row."""
    path = house.gateway.books.settings.database_url.reveal().removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: {
                "/".join(map(str, row[: 2 if table == "memberships" else 1])): row
                for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 - names above
            }
            for table, columns in _KEPT.items()
        }


def check(before: dict[str, Any], after: dict[str, Any], scene: Scene) -> None:
    """What was there is as it was, and what is new is what everybody can make."""
    for table, rows in before.items():
        assert {name: after[table].get(name) for name in rows} == rows, table
    new = {table: [row for name, row in rows.items() if name not in before[table]] for table, rows in after.items()}
    own = {scene.attacker.user.account_id, scene.attacker.account_id}
    own |= {row[0] for row in new["organizations"]}
    assert all("admin" not in row[5] and "operator" not in row[5] and row[6] is None for row in new["users"])
    assert all(row[1] in {0, 5_000_000_000} and row[2] == 0 for row in new["wallets"])
    assert all(row[2] == "trial" for row in new["grants"])
    assert all(row[1] in own and row[2] == scene.attacker.user.user_id for row in new["api_keys"])
    assert all(row[3] == "" for row in new["sessions"])
    assert all(not row[1] for row in new["organizations"])
    founded = {row[0] for row in new["organizations"]}
    assert all(row[2] == ("owner" if row[0] in founded else "viewer") for row in new["memberships"])


def routes_of(house: Any) -> list[tuple[str, Any]]:
    return [
        (path, route)
        for path, route in house.gateway.application.routes
        if route.takes is not None and not route.page and not any(word in path for word in _ENDS)
    ]


async def test_the_names_are_those_of_columns_structs_and_settings() -> None:
    assert {"balance", "password_hash", "second_factor_required", "markup_percent", "impersonator"} <= set(NAMES)
    assert len(NAMES) > 300


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(house: Any) -> Scene:
    attacker = await founder(house)
    made = await house.client.post("/v1/keys", json={"name": "mine"}, headers=attacker.headers)
    await house.customer()
    return Scene(attacker, made.json()["key_id"])


@settings(max_examples=150)
@given(st.data())
async def test_no_field_of_any_body_changes_what_is_not_its_callers(
    house: Any, scene: Scene, data: st.DataObject
) -> None:
    path, route = data.draw(st.sampled_from(routes_of(house)), label="route")
    extra = data.draw(EXTRA, label="extra")
    own = {field.encode_name for field in msgspec.structs.fields(route.takes)}
    body = {name: value for name, value in extra.items() if name not in own} | plain(route.takes)
    before = kept(house)
    where = filled(path, scene.values)
    answer = await house.client.request(route.method, where, json=body, headers=scene.attacker.headers)
    assert answer.status_code != 500, answer.text
    check(before, kept(house), scene)


async def test_every_route_says_the_same_with_every_name_there_is(house: Any, scene: Scene) -> None:
    done = 0
    for path, route in routes_of(house):
        own = {field.encode_name for field in msgspec.structs.fields(route.takes)}
        for value in (True, 10**15, "owner"):
            body = dict.fromkeys(set(NAMES) - own, value) | plain(route.takes)
            before = kept(house)
            answer = await house.client.request(
                route.method, filled(path, scene.values), json=body, headers=scene.attacker.headers
            )
            assert answer.status_code != 500, (path, answer.text)
            check(before, kept(house), scene)
            done += answer.status_code == 200
    assert done > 30


async def test_a_change_of_any_kind_would_be_noticed(house: Any, scene: Scene) -> None:
    before = kept(house)
    check(before, before, scene)
    for table, rows in before.items():
        name, row = next(iter(rows.items()))
        for column in range(1, len(row)):
            changed = {**rows, name: (*row[:column], "changed", *row[column + 1 :])}
            with pytest.raises(AssertionError):
                check(before, {**before, table: changed}, scene)
    strange = {
        "users": ("usr_2", "acc_2", "e", "h", "hobby", '["user", "operator"]', None, 0),
        "wallets": ("acc_2", 10**15, 0),
        "grants": ("grant_2", "acc_2", "promo", 1),
        "api_keys": ("key_2", "acc_2", scene.attacker.user.user_id),
        "sessions": ("ses_2", "usr_2", 1, "usr_3", 0),
        "organizations": ("acc_2", 1, 0),
        "memberships": (scene.attacker.account_id, "usr_2", "owner", 0),
    }
    assert strange.keys() == before.keys()
    for table, row in strange.items():
        with pytest.raises(AssertionError):
            check(before, {**before, table: {**before[table], "new": row}}, scene)
