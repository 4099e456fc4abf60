"""What an account, an organization or a person can have at most holds exactly, however many are made at once."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import cycle

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.ports.accounts import SERVICE_ACCOUNT, User
from monkey_coder_server.ports.factors import Passkey
from monkey_coder_server.ports.organizations import Membership, Organization
from monkey_coder_server.ports.teams import Project, Team
from monkey_coder_server.ports.tickets import Ticket
from packages.server.tests.contract.booking import ACCOUNT, NOON
from packages.server.tests.contract.conftest import OpenStore
from packages.server.tests.contract.test_keys import SERVER, of_the_herd

MOST = 5
RACERS = 16
FIRM = Organization("acc_firm", "Firm", NOON)
Add = Callable[[Storage, int], Awaitable[object]]


def person(number: int, *roles: str) -> User:
    return User(
        user_id=f"user_{number}",
        account_id=f"acc_{number}",
        email=f"person{number}@example.com",
        name="Somebody",
        password_hash="",
        plan="hobby",
        roles=roles,
        created_at=NOON,
    )


async def add_key(store: Storage, number: int) -> None:
    await store.keys.create(of_the_herd(number), most=MOST)


async def add_member(store: Storage, number: int) -> None:
    await store.accounts.create(person(number))
    await store.organizations.add(Membership(FIRM.account_id, f"user_{number}", Role.VIEWER, NOON), most=MOST)


async def add_service(store: Storage, number: int) -> None:
    service = replace(person(number, SERVICE_ACCOUNT), account_id=FIRM.account_id)
    await store.organizations.add_service(
        service, Membership(FIRM.account_id, service.user_id, Role.VIEWER, NOON), most=MOST
    )


async def add_organization(store: Storage, number: int) -> None:
    organization = Organization(f"acc_firm{number}", "Firm", NOON)
    owner = Membership(organization.account_id, "user_0", Role.OWNER, NOON)
    await store.organizations.create(organization, owner, most=MOST)


async def add_team(store: Storage, number: int) -> None:
    await store.teams.add_team(Team(f"team_{number}", FIRM.account_id, f"Team {number}", NOON), most=MOST)


async def add_project(store: Storage, number: int) -> None:
    await store.teams.add_project(Project(FIRM.account_id, f"web{number}", None, NOON), most=MOST)


async def add_passkey(store: Storage, number: int) -> None:
    passkey = Passkey(f"psk_{number}", "user_0", b"credential%d" % number, b"cose", 0, "laptop", NOON)
    await store.factors.add_passkey(passkey, most=MOST)


async def add_ticket(store: Storage, number: int) -> None:
    ticket = Ticket(b"ticket%d" % number, "join", FIRM.account_id, NOON + timedelta(days=1), "{}")
    if not await store.tickets.issue_one_of(ticket, MOST, NOON):
        raise Conflict("full")


async def count(store: Storage, add: Add) -> int:
    user, firm = "user_0", FIRM.account_id
    there = {
        add_key: lambda: store.keys.list(ACCOUNT),
        add_member: lambda: store.organizations.members(firm),
        add_service: lambda: store.organizations.members(firm),
        add_organization: lambda: store.organizations.of_user(user),
        add_team: lambda: store.teams.teams(firm),
        add_project: lambda: store.teams.projects(firm),
        add_passkey: lambda: store.factors.passkeys(user),
        add_ticket: lambda: store.tickets.of_subject("join", firm, NOON),
    }
    return len(await there[add]())


async def furnish(store: Storage) -> None:
    """Somebody with an organization."""
    await store.accounts.create(person(0))
    await store.organizations.create(FIRM, Membership(FIRM.account_id, "user_0", Role.OWNER, NOON))


@pytest.mark.parametrize(
    "add",
    [add_key, add_member, add_service, add_organization, add_team, add_project, add_passkey, add_ticket],
    ids=lambda add: add.__name__,
)
async def test_a_bound_is_exact_however_many_are_made_at_once(open_store: OpenStore, add: Add) -> None:
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(open_store()) for _ in range(2)]
        await furnish(processes[0])
        racing = [add(store, number) for number, store in zip(range(1, RACERS + 1), cycle(processes), strict=False)]
        ended = await asyncio.gather(*racing, return_exceptions=True)
        there = 1 if add in {add_member, add_service, add_organization} else 0
        assert [type(each) for each in ended if each is not None] == [Conflict] * (RACERS + there - MOST)
        assert await count(processes[0], add) == MOST


async def test_a_revoked_key_makes_room_for_another(store: Storage) -> None:
    await store.keys.create(SERVER, most=1)
    with pytest.raises(Conflict, match="1 keys in use"):
        await store.keys.create(of_the_herd(1), most=1)
    await store.keys.revoke(ACCOUNT, SERVER.key_id, NOON)
    await store.keys.create(of_the_herd(1), most=1)


async def test_a_ticket_that_expired_makes_room_for_another(store: Storage) -> None:
    old = Ticket(b"old", "join", FIRM.account_id, NOON + timedelta(hours=1), "{}")
    assert await store.tickets.issue_one_of(old, 1, NOON)
    new = replace(old, digest=b"new", expires_at=NOON + timedelta(hours=3))
    assert not await store.tickets.issue_one_of(new, 1, NOON)
    assert await store.tickets.issue_one_of(new, 1, NOON + timedelta(hours=1))
