"""Teams, projects and organizations that are deleted: their keys end, and what was spent stays."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict, Forbidden, NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, LimitReached, Period, Unit
from monkey_coder_server.domain.model_rules import ModelRule
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.ports.organizations import Membership
from monkey_coder_server.ports.teams import Archived, Project
from monkey_coder_server.ports.tickets import Ticket, digest_of
from packages.server.tests.contract.booking import ACCOUNT, NOON, hold_request, settle
from packages.server.tests.contract.conftest import OpenStore
from packages.server.tests.contract.test_keys import LAPTOP
from packages.server.tests.contract.test_organizations import person
from packages.server.tests.contract.test_teams import BLOG, LAB, OTHERS, SHOP, WEB, firm, key_in

__all__ = ["firm"]
LATER = NOON + timedelta(hours=1)
INVITED = "join an organization"


async def in_use(store: Storage) -> set[str]:
    return {key.key_id for key in await store.keys.list(ACCOUNT) if key.revoked_at is None}


async def keys_everywhere(store: Storage) -> None:
    for key_id, project in (("key_shop", SHOP), ("key_blog", BLOG), ("key_lab", LAB)):
        await key_in(store, key_id, project)


async def test_a_team_and_a_project_are_called_otherwise(firm: Storage) -> None:
    assert await firm.teams.rename_team(ACCOUNT, "team_web", "Site") == replace(WEB, name="Site")
    assert await firm.teams.rename_team(ACCOUNT, "team_web", "Site") == replace(WEB, name="Site")
    assert await firm.teams.rename_project(ACCOUNT, "shop", "The shop") == replace(SHOP, name="The shop")
    assert (await firm.teams.projects(ACCOUNT))[0].name == "The shop"
    await firm.teams.add_team(replace(WEB, team_id="team_2"))
    with pytest.raises(Conflict):
        await firm.teams.rename_team(ACCOUNT, "team_2", "Site")
    for wrong in (
        firm.teams.rename_team(OTHERS.account_id, "team_web", "x"),
        firm.teams.rename_project(OTHERS.account_id, "shop", "x"),
    ):
        with pytest.raises(NotFound):
            await wrong


async def test_the_keys_of_a_deleted_project_end_in_every_process(firm: Storage, open_store: OpenStore) -> None:
    await keys_everywhere(firm)
    async with open_store() as other:
        assert await firm.teams.archive_project(ACCOUNT, "shop", LATER) == Archived(1, 1)
        assert await in_use(firm) == {"key_blog", "key_lab"}
        await other.keys.refresh()
        found = await other.keys.find(b"key_shop".ljust(32))
        assert found is not None
        assert found.revoked_at == LATER
    assert await firm.teams.projects(ACCOUNT) == [BLOG, LAB]
    with pytest.raises(NotFound):
        await firm.teams.archive_project(ACCOUNT, "shop", LATER)
    with pytest.raises(NotFound):
        await key_in(firm, "key_new", SHOP)
    with pytest.raises(Conflict, match="or had"):
        await firm.teams.add_project(SHOP)


async def test_a_deleted_team_takes_its_projects_with_it_and_gives_its_name_back(firm: Storage) -> None:
    await keys_everywhere(firm)
    assert await firm.teams.archive_team(ACCOUNT, "team_web", LATER) == Archived(2, 2)
    assert (await in_use(firm), await firm.teams.teams(ACCOUNT)) == ({"key_lab"}, [])
    assert await firm.teams.projects(ACCOUNT) == [LAB]
    with pytest.raises(NotFound):
        await firm.teams.add_project(Project(ACCOUNT, "new", "team_web", NOON))
    with pytest.raises(NotFound):
        await firm.teams.rename_team(ACCOUNT, "team_web", "x")
    await firm.teams.add_team(replace(WEB, team_id="team_2"))


async def test_what_a_deleted_project_spends_yet_is_booked_and_bound_by_its_limits(firm: Storage) -> None:
    await keys_everywhere(firm)
    for holder in (Holder(HolderKind.PROJECT, "shop"), Holder(HolderKind.PROJECT, "blog")):
        await firm.limits.put(ACCOUNT, Limit(holder, Period.TOTAL, Unit.MONEY, 1_500), NOON)
        await firm.model_rules.put(ACCOUNT, ModelRule(holder, deny=("xai/*",)))
    running = hold_request(1_000, key_id="key_shop")
    await firm.books.place(running)
    await firm.teams.archive_project(ACCOUNT, "shop", LATER)
    assert [each.limit.holder.id for each in await firm.limits.standings(ACCOUNT, NOON)] == ["blog"]
    assert [rule.holder.id for rule in await firm.model_rules.rules(ACCOUNT)] == ["blog"]
    assert firm.model_rules.standing(ACCOUNT, project_id="shop"), "processes that do not know yet are bound"
    with pytest.raises(LimitReached):
        await firm.books.place(hold_request(1_000, key_id="key_shop"))
    assert (await settle(firm.books, running)).charged == 600
    assert (await firm.ledger.verify()).sound


async def test_limits_of_a_deleted_team_are_shown_no_more(firm: Storage) -> None:
    for holder in (Holder(HolderKind.TEAM, "team_web"), Holder(HolderKind.ORGANIZATION, ACCOUNT)):
        await firm.limits.put(ACCOUNT, Limit(holder, Period.TOTAL, Unit.MONEY, 1_500), NOON)
    await firm.teams.archive_team(ACCOUNT, "team_web", LATER)
    [left] = await firm.limits.standings(ACCOUNT, NOON)
    assert left.limit.holder == Holder(HolderKind.ORGANIZATION, ACCOUNT)


async def test_an_organization_with_credit_or_running_requests_stays(firm: Storage) -> None:
    request = hold_request(1_000)
    await firm.books.place(request)
    with pytest.raises(Conflict, match="still running"):
        await firm.organizations.archive(ACCOUNT, LATER, invitations=INVITED)
    await settle(firm.books, request)
    with pytest.raises(Conflict, match="USD of credit"):
        await firm.organizations.archive(ACCOUNT, LATER, invitations=INVITED)
    assert len(await firm.organizations.members(ACCOUNT)) == 1


async def test_a_deleted_organization_has_no_people_keys_or_invitations(firm: Storage) -> None:
    account, ticket = OTHERS.account_id, Ticket(digest_of("t"), INVITED, OTHERS.account_id, LATER, "")
    await firm.ledger.open_wallet(account)
    await firm.tickets.issue(ticket)
    key = replace(LAPTOP, account_id=account, user_id="user_ada")
    await firm.keys.create(key)
    await keys_everywhere(firm)
    assert await firm.organizations.archive(account, LATER, invitations=INVITED) == 1
    assert await firm.organizations.find(account) == replace(OTHERS, archived_at=LATER)
    assert await firm.organizations.members(account) == []
    assert [each.account_id for each, _ in await firm.organizations.of_user("user_ada")] == [ACCOUNT]
    assert await firm.memberships.find(account, "user_ada") is None
    assert await firm.tickets.of_subject(INVITED, account, NOON) == []
    assert len(await in_use(firm)) == 3
    assert not await firm.organizations.update(replace(OTHERS, name="x"))
    with pytest.raises(NotFound):
        await firm.organizations.add(Membership(account, "user_ada", Role.OWNER, LATER))
    with pytest.raises(NotFound):
        await firm.organizations.archive(account, LATER, invitations=INVITED)
    with pytest.raises(Forbidden):
        await firm.keys.create(replace(key, key_id="key_late", digest=b"late".ljust(32)))


async def test_of_who_joins_and_who_deletes_at_once_nobody_is_left_behind(firm: Storage) -> None:
    account = OTHERS.account_id
    await firm.ledger.open_wallet(account)
    await firm.accounts.create(person("bob"))
    await asyncio.gather(
        firm.organizations.archive(account, LATER, invitations=INVITED),
        firm.organizations.add(Membership(account, "user_bob", Role.VIEWER, NOON)),
        return_exceptions=True,
    )
    assert await firm.organizations.members(account) == []
