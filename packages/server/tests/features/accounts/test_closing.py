"""Teams, projects and organizations called otherwise and deleted over HTTP."""

from datetime import timedelta
from typing import Any

import jwt
import pytest

from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.limits import Period, Unit
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.features.accounts.limits import Allowance, LimitWish, list_limits, set_limits
from packages.server.tests.features.accounts.people import Person, joined
from packages.server.tests.features.accounts.test_teams import ask, furnished

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def key_of_shop(house: Any, owner: Person) -> dict[str, Any]:
    made: dict[str, Any] = (await ask(house, owner, "POST", "/v1/keys", name="x", project_id="shop")).json()
    return made


async def works(house: Any, key: dict[str, Any]) -> bool:
    answer = await house.client.get("/v1/models", headers={"x-api-key": key["key"]})
    return bool(answer.status_code == 200)


async def noted(house: Any, account_id: str) -> list[tuple[str, str, str]]:
    storage = house.gateway.books.storage
    entries = [kept.entry for kept in await storage.audit.newest(account_id, before=None, most=20)]
    return [(each.action, each.target, each.details) for each in entries]


async def grow_old(house: Any, who: Person) -> None:
    books = house.gateway.books
    session_id = jwt.decode(who.token, options={"verify_signature": False})["sid"]
    await books.storage.sessions.confirm(session_id, books.clock.now() - timedelta(minutes=6), second_factor=False)


async def test_they_are_called_otherwise(house: Any) -> None:
    owner, team = await furnished(house)
    assert (await ask(house, owner, "PATCH", f"teams/{team}", name=" Site ")).json()["name"] == "Site"
    shown = (await ask(house, owner, "PATCH", "projects/shop", name="The shop")).json()
    assert (shown["project_id"], shown["name"], shown["team_id"]) == ("shop", "The shop", team)
    named = (await ask(house, owner, "POST", "projects", project_id="blog", name="Blog")).json()
    assert [named["name"], named["team_id"]] == ["Blog", None]
    for path in (f"teams/{team}", "projects/shop"):
        assert (await ask(house, owner, "PATCH", path, name="")).status_code == 400
    for path in ("teams/team_x", "projects/x"):
        assert (await ask(house, owner, "PATCH", path, name="x")).status_code == 404
    developer = await joined(house, owner.account_id, Role.DEVELOPER)
    assert (await ask(house, developer, "PATCH", "projects/shop", name="Mine")).status_code == 403


async def test_a_deleted_projects_keys_are_refused_at_once(house: Any) -> None:
    owner, _ = await furnished(house)
    key = await key_of_shop(house, owner)
    assert await works(house, key)
    said = await ask(house, owner, "DELETE", "projects/shop")
    assert (said.status_code, said.json()["message"]) == (200, "The project was deleted, and with it 1 key.")
    assert not await works(house, key)
    assert (await ask(house, owner, "GET", "projects")).json()["count"] == 0
    assert (await ask(house, owner, "POST", "/v1/keys", name="x", project_id="shop")).status_code == 404
    wish = {"holder": "project", "holder_id": "shop", "period": "day", "usd": "1"}
    assert (await ask(house, owner, "PUT", "limits", **wish)).status_code == 404
    assert (await ask(house, owner, "POST", f"/v1/keys/{key['key_id']}/rotate")).status_code in {404, 409}
    assert ("project.delete", "shop", "1 key") in await noted(house, owner.account_id)


async def test_a_team_goes_with_its_projects(house: Any) -> None:
    owner, team = await furnished(house)
    key = await key_of_shop(house, owner)
    said = (await ask(house, owner, "DELETE", f"teams/{team}")).json()["message"]
    assert said == "The team was deleted, and with it 1 project, 1 key."
    assert not await works(house, key)
    for path in ("teams", "projects"):
        assert (await ask(house, owner, "GET", path)).json()["count"] == 0


async def test_a_session_that_is_not_young_proves_first_that_it_is_you(house: Any) -> None:
    owner, team = await furnished(house)
    await grow_old(house, owner)
    for path in (f"teams/{team}", "projects/shop", f"/v1/organizations/{owner.account_id}"):
        refused = await ask(house, owner, "DELETE", path)
        assert (refused.status_code, refused.json()["error_code"]) == (403, "confirmation_required"), path
        assert '"organization"' in refused.json()["detail"]
    assert (await ask(house, owner, "PATCH", "projects/shop", name="x")).status_code == 200


async def test_an_organization_with_credit_is_not_deleted(house: Any) -> None:
    owner, _ = await furnished(house)
    place = f"/v1/organizations/{owner.account_id}"
    await house.gateway.books.storage.ledger.grant(owner.account_id, 10**9, reason="t", idempotency_key=place)
    refused = await ask(house, owner, "DELETE", place)
    assert (refused.status_code, refused.json()["error_code"]) == (409, "conflict")
    assert "1.00 USD of credit. Use it up, or ask the gateway's operator" in refused.json()["detail"]
    assert (await ask(house, owner, "GET", place)).status_code == 200


async def test_what_the_operator_takes_back_lets_it_go(house: Any) -> None:
    (owner, _), use = await furnished(house), house.gateway.books.accounts
    firm = {"whose": owner.account_id, "amount": 10**9, "reason": "test"}
    await operator.grant(use, **firm)
    [standing] = await operator.list_grants(use, owner.account_id)
    await operator.refund(use, undoes=standing.grant_id, **firm)
    place = f"/v1/organizations/{owner.account_id}"
    assert (await ask(house, owner, "DELETE", place)).status_code == 200
    await operator.grant(use, **firm)  # paid in too late
    with pytest.raises(NotFound, match="no organization acc_none"):
        await operator.grant(use, **{**firm, "whose": "acc_none"})


async def test_an_operator_limits_an_organization_and_lists_its_limits(house: Any) -> None:
    (owner, _), use = await furnished(house), house.gateway.books.accounts
    wish = LimitWish(owner.account_id, Period.DAY, Allowance(Unit.MONEY, 10))
    [standing] = await set_limits(use, wish)
    assert standing.limit.holder.id == owner.account_id
    assert await list_limits(use, owner.account_id) == [(owner.account_id, standing)]


async def test_a_deleted_organization_is_there_for_nobody(house: Any) -> None:
    owner, _ = await furnished(house)
    place = f"/v1/organizations/{owner.account_id}"
    admin = await joined(house, owner.account_id, Role.ADMIN)
    key = await key_of_shop(house, owner)
    await ask(house, owner, "POST", "invitations", email="late@example.com", role="viewer")
    assert (await ask(house, admin, "DELETE", place)).status_code == 403
    said = (await ask(house, owner, "DELETE", place)).json()["message"]
    assert said == "The organization was deleted, and with it 1 key."
    assert not await works(house, key)
    for who in (owner, admin):
        assert (await ask(house, who, "GET", place)).status_code == 404
        listed = (await house.client.get("/v1/organizations", headers=who.alone)).json()
        assert listed["count"] == 0
    assert ("organization.delete", owner.account_id, "Firm, 1 key") in await noted(house, owner.account_id)


async def test_a_key_that_another_process_does_not_know_to_be_revoked_owns_nothing(house: Any) -> None:
    owner, _ = await furnished(house)
    key = await key_of_shop(house, owner)
    storage = house.gateway.books.storage
    record = next(each for each in storage.keys.every() if each.key_id == key["key_id"])
    await ask(house, owner, "DELETE", f"/v1/organizations/{owner.account_id}")
    storage.keys._known[record.digest] = record
    for path in ("/v1/keys", f"/v1/organizations/{owner.account_id}"):
        answer = await house.client.get(path, headers={"x-api-key": key["key"]})
        assert answer.status_code in {403, 404}, answer.text


async def test_how_several_are_asked_is_said_at_any_level(house: Any) -> None:
    owner, team = await furnished(house)
    key = await key_of_shop(house, owner)

    async def effective() -> str | None:
        policy = (await ask(house, owner, "GET", f"/v1/keys/{key['key_id']}/policy")).json()
        collapse: str | None = policy["collapse"]
        return collapse

    assert await effective() is None
    for holder, named, rule in (
        ("organization", None, "vote"),
        ("team", team, "cascade"),
        ("project", "shop", "single"),
        ("key", key["key_id"], "hedge"),
    ):
        said = await ask(house, owner, "PUT", "model-rules", holder=holder, holder_id=named, collapse=rule)
        assert (said.status_code, said.json()["rules"][-1]["collapse"]) == (200, rule), said.text
        assert await effective() == rule
    refused = await ask(house, owner, "PUT", "model-rules", holder="organization", collapse="best_of_three")
    assert (refused.status_code, "`collapse`" in refused.json()["detail"]) == (400, True)
