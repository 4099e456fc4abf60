"""Teams, projects, and rules on models."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, LimitReached, Period, Unit
from monkey_coder_server.domain.model_rules import ModelRule
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.ports.accounts import Caps
from monkey_coder_server.ports.organizations import Membership, Organization
from monkey_coder_server.ports.teams import Project, Team
from packages.server.tests.contract.booking import ACCOUNT, NOON, hold_request, settle
from packages.server.tests.contract.conftest import OpenStore
from packages.server.tests.contract.test_keys import LAPTOP
from packages.server.tests.contract.test_organizations import person

WEB = Team("team_web", ACCOUNT, "Web", NOON)
SHOP = Project(ACCOUNT, "shop", "team_web", NOON)
BLOG = Project(ACCOUNT, "blog", "team_web", NOON + timedelta(seconds=1))
LAB = Project(ACCOUNT, "lab", None, NOON + timedelta(seconds=2))
OTHERS = Organization("acc_others", "Others", NOON)


@pytest.fixture
async def firm(funded: Storage) -> Storage:
    """A funded organization with a team of two projects, one project of no team, and an organization beside it."""
    await funded.accounts.create(person("ada"))
    for organization in (Organization(ACCOUNT, "Firm", NOON), OTHERS):
        owner = Membership(organization.account_id, "user_ada", Role.OWNER, NOON)
        await funded.organizations.create(organization, owner)
    await funded.teams.add_team(WEB)
    for project in (SHOP, BLOG, LAB):
        await funded.teams.add_project(project)
    return funded


async def key_in(store: Storage, key_id: str, project: Project) -> None:
    record = replace(
        LAPTOP,
        key_id=key_id,
        user_id="user_ada",
        digest=key_id.encode().ljust(32),
        caps=Caps(),
        project_id=project.project_id,
        team_id=project.team_id,
    )
    await store.keys.create(record)
    [kept] = [key for key in await store.keys.list(ACCOUNT) if key.key_id == key_id]
    assert (kept.project_id, kept.team_id) == (project.project_id, project.team_id)


async def test_teams_and_projects_are_those_of_their_organization(firm: Storage) -> None:
    assert await firm.teams.teams(ACCOUNT) == [WEB]
    assert await firm.teams.projects(ACCOUNT) == [SHOP, BLOG, LAB]
    assert await firm.teams.teams(OTHERS.account_id) == await firm.teams.projects(OTHERS.account_id) == []


async def test_names_are_given_once_and_teams_are_ones_own(firm: Storage) -> None:
    with pytest.raises(Conflict):
        await firm.teams.add_team(replace(WEB, team_id="team_other"))
    with pytest.raises(Conflict):
        await firm.teams.add_project(replace(SHOP, team_id=None))
    for stranger in (Project(OTHERS.account_id, "shop", "team_web", NOON), replace(SHOP, project_id="x", team_id="no")):
        with pytest.raises(NotFound):
            await firm.teams.add_project(stranger)
    await firm.teams.add_team(replace(WEB, team_id="team_2", account_id=OTHERS.account_id))


@pytest.mark.parametrize("before", [True, False])
async def test_a_teams_limit_counts_what_all_its_projects_spend(firm: Storage, *, before: bool) -> None:
    limit = Limit(Holder(HolderKind.TEAM, "team_web"), Period.MONTH, Unit.MONEY, 2_500)
    for key_id, project in (("key_shop", SHOP), ("key_blog", BLOG), ("key_lab", LAB)):
        await key_in(firm, key_id, project)
    if before:
        await firm.limits.put(ACCOUNT, limit, NOON)
    for key_id in ("key_shop", "key_blog", "key_lab"):
        request = hold_request(1_000, key_id=key_id)
        await firm.books.place(request)
        await settle(firm.books, request)
    if not before:
        await firm.limits.put(ACCOUNT, limit, NOON)
    await firm.books.place(hold_request(1_000, key_id="key_blog"))
    [standing] = await firm.limits.standings(ACCOUNT, NOON)
    assert (standing.limit, standing.spent, standing.held) == (limit, 1_200, 1_000)
    with pytest.raises(LimitReached) as refused:
        await firm.books.place(hold_request(1_000, key_id="key_shop"))
    assert refused.value.facts["limit"] == "team_month_cap"
    assert "An owner or admin of the organization can raise it" in str(refused.value)
    await firm.books.place(hold_request(1_000, key_id="key_lab"))


async def test_an_organizations_limit_counts_everything_beside_the_operators(firm: Storage) -> None:
    await key_in(firm, "key_shop", SHOP)
    for kind, allowed in ((HolderKind.ACCOUNT, 5_000), (HolderKind.ORGANIZATION, 1_500)):
        await firm.limits.put(ACCOUNT, Limit(Holder(kind, ACCOUNT), Period.DAY, Unit.MONEY, allowed), NOON)
    await firm.books.place(hold_request(1_000, key_id="key_shop"))
    with pytest.raises(LimitReached) as refused:
        await firm.books.place(hold_request(1_000, key_id="a session"))
    assert refused.value.facts["limit"] == "organization_day_cap"
    assert [standing.held for standing in await firm.limits.standings(ACCOUNT, NOON)] == [1_000, 1_000]


async def test_rules_on_models_are_seen_by_whom_they_count_for(firm: Storage, open_store: OpenStore) -> None:
    whole = ModelRule(Holder(HolderKind.ORGANIZATION, ACCOUNT), deny=("xai/*",))
    team = ModelRule(Holder(HolderKind.TEAM, "team_web"), allow=("openai/*", "gpt-5"))
    project = ModelRule(Holder(HolderKind.PROJECT, "shop"), allow=("openai/gpt-5",))
    async with open_store() as other:
        for rule in (project, team, whole):
            await firm.model_rules.put(ACCOUNT, rule)
        await other.model_rules.refresh()
        for store in (firm, other):
            standing = store.model_rules.standing
            assert standing(ACCOUNT, key_id="key_1", project_id="shop", team_id="team_web") == (whole, team, project)
            assert standing(ACCOUNT) == (whole,)
            assert standing(OTHERS.account_id, project_id="shop", team_id="team_web") == ()
        await other.model_rules.put(ACCOUNT, ModelRule(team.holder))
        await firm.model_rules.refresh()
        assert firm.model_rules.standing(ACCOUNT, project_id="shop", team_id="team_web") == (whole, project)
    assert set(await firm.model_rules.rules(ACCOUNT)) == {whole, project}
    changed = ModelRule(whole.holder, allow=(), deny=())
    await firm.model_rules.put(ACCOUNT, changed)
    assert firm.model_rules.standing(ACCOUNT) == (changed,)
