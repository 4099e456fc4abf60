"""Organizations and who belongs to them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict, Forbidden, NotFound
from monkey_coder_server.domain.roles import SCOPES_OF, Role
from monkey_coder_server.ports.accounts import SERVICE_ACCOUNT, User
from monkey_coder_server.ports.organizations import Change, Membership, Organization
from packages.server.tests.contract.booking import NOON
from packages.server.tests.contract.conftest import OpenStore
from packages.server.tests.contract.test_keys import LAPTOP

FIRM = Organization("acc_firm", "Firm", NOON)
OWNER = SCOPES_OF[Role.OWNER]


def person(name: str) -> User:
    return User(f"user_{name}", f"acc_{name}", f"{name}@example.com", name, "$argon2id$", "free", ("user",), NOON)


def membership(name: str, role: Role) -> Membership:
    return Membership(FIRM.account_id, f"user_{name}", role, NOON)


@pytest.fixture
async def firm(store: Storage) -> Storage:
    """A store with an organization of three: Ada owns it, Bob develops, Cy watches."""
    for name in ("ada", "bob", "cy"):
        await store.accounts.create(person(name))
    await store.organizations.create(FIRM, membership("ada", Role.OWNER))
    await store.organizations.add(membership("bob", Role.DEVELOPER))
    await store.organizations.add(membership("cy", Role.VIEWER))
    return store


async def roles(store: Storage) -> dict[str, Role]:
    return {each.user.name: each.membership.role for each in await store.organizations.members(FIRM.account_id)}


def to(name: str, role: Role | None, by: frozenset[str] | None = OWNER) -> Change:
    return Change(FIRM.account_id, f"user_{name}", role, NOON + timedelta(hours=1), by)


async def test_an_organization_is_found_by_its_account_and_by_its_people(firm: Storage) -> None:
    assert await firm.organizations.find(FIRM.account_id) == FIRM
    assert await firm.organizations.find("acc_ada") is None
    assert await firm.organizations.of_user("user_bob") == [(FIRM, membership("bob", Role.DEVELOPER))]
    assert await firm.organizations.of_user("user_nobody") == []
    assert await roles(firm) == {"ada": Role.OWNER, "bob": Role.DEVELOPER, "cy": Role.VIEWER}


async def test_what_is_changed_of_it_is_kept(firm: Storage) -> None:
    changed = replace(FIRM, name="Company", second_factor_required=True)
    assert await firm.organizations.update(changed)
    assert await firm.organizations.find(FIRM.account_id) == changed
    assert not await firm.organizations.update(replace(changed, account_id="acc_ada"))


async def test_nobody_joins_twice(firm: Storage) -> None:
    with pytest.raises(Conflict):
        await firm.organizations.add(membership("bob", Role.ADMIN))
    assert (await roles(firm))["bob"] is Role.DEVELOPER


async def test_the_last_owner_stays_one(firm: Storage) -> None:
    for role in (Role.ADMIN, None):
        with pytest.raises(Conflict, match="no other owner"):
            await firm.organizations.change(to("ada", role))
    await firm.organizations.change(to("ada", Role.OWNER))
    await firm.organizations.change(to("bob", Role.OWNER))
    await firm.organizations.change(to("ada", None))
    assert await roles(firm) == {"bob": Role.OWNER, "cy": Role.VIEWER}


async def test_of_owners_who_all_leave_at_once_one_stays(firm: Storage, open_store: OpenStore) -> None:
    for name in ("bob", "cy"):
        await firm.organizations.change(to(name, Role.OWNER))
    async with open_store() as other:
        leaving = [
            store.organizations.change(to(name, None, by=None))
            for name, store in (("ada", firm), ("bob", other), ("cy", firm))
        ]
        came = await asyncio.gather(*leaving, return_exceptions=True)
    assert sorted(type(each) for each in came if each is not None) == [Conflict]
    assert list((await roles(firm)).values()) == [Role.OWNER]


async def test_whoever_may_do_less_changes_nobody_who_may_do_more(firm: Storage) -> None:
    admin = SCOPES_OF[Role.ADMIN]
    for role in (Role.VIEWER, None):
        with pytest.raises(Forbidden):
            await firm.organizations.change(to("ada", role, by=admin))
    await firm.organizations.change(to("bob", Role.VIEWER, by=admin))
    with pytest.raises(NotFound):
        await firm.organizations.change(to("stranger", Role.VIEWER))


async def test_keys_lose_what_their_user_may_not_do_any_more(firm: Storage, open_store: OpenStore) -> None:
    mine = replace(LAPTOP, account_id=FIRM.account_id, user_id="user_bob")
    work = replace(mine, scopes=frozenset({"execute", "models:read"}))
    money = replace(mine, key_id="key_2", digest=b"2".ljust(32), scopes=frozenset({"keys:manage"}))
    others = replace(mine, key_id="key_3", digest=b"3".ljust(32), user_id="user_ada")
    for key in (work, money, others):
        await firm.keys.create(key)
    async with open_store() as elsewhere:
        await firm.organizations.change(to("bob", Role.VIEWER))
        await elsewhere.keys.refresh()
        for store in (firm, elsewhere):
            narrowed, ended, kept = [await store.keys.find(key.digest) for key in (work, money, others)]
            assert narrowed == replace(work, scopes=frozenset({"models:read"}))
            assert ended == replace(money, revoked_at=NOON + timedelta(hours=1))
            assert kept == others


async def test_who_goes_leaves_no_key_and_gets_none(firm: Storage) -> None:
    key = replace(LAPTOP, account_id=FIRM.account_id, user_id="user_bob")
    await firm.keys.create(key)
    await firm.organizations.change(to("bob", None))
    found = await firm.keys.find(key.digest)
    assert found == replace(key, revoked_at=NOON + timedelta(hours=1))
    with pytest.raises(Forbidden, match="no member"):
        await firm.keys.create(replace(key, key_id="key_2", digest=b"2".ljust(32)))


async def test_a_service_account_is_a_member_whose_account_is_the_organizations(firm: Storage) -> None:
    robot = replace(person("robot"), account_id=FIRM.account_id, password_hash="", roles=(SERVICE_ACCOUNT,))
    await firm.organizations.add_service(robot, membership("robot", Role.DEVELOPER))
    assert await firm.accounts.by_id("user_robot") == robot
    assert robot.is_service
    assert (await roles(firm))["robot"] is Role.DEVELOPER
