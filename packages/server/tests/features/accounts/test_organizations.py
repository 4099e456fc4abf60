"""Organizations over HTTP: who may do what in them, and what becomes of keys."""

from typing import Any

import pytest

from monkey_coder_server.domain.roles import Role
from packages.server.tests.features.accounts.people import Person, founder, joined, stranger

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def ask(house: Any, who: Person, method: str, path: str, **body: Any) -> Any:
    sent = {"json": body} if body or method in {"POST", "PATCH"} else {}
    return await house.client.request(method, path, headers=who.headers, **sent)


def member(who: Person) -> str:
    return f"/v1/organizations/{who.account_id}/members/{who.user.user_id}"


async def roles(house: Any, who: Person) -> dict[str, str]:
    listed = (await ask(house, who, "GET", f"/v1/organizations/{who.account_id}/members")).json()
    assert listed["count"] == len(listed["members"])
    return {each["user_id"]: each["role"] for each in listed["members"]}


async def test_its_maker_owns_it_and_it_has_a_wallet_of_its_own(house: Any) -> None:
    owner = await founder(house, "Firm Ltd")
    shown = (await ask(house, owner, "GET", f"/v1/organizations/{owner.account_id}")).json()
    assert (shown["organization_id"], shown["name"], shown["role"]) == (owner.account_id, "Firm Ltd", "owner")
    listed = (await house.client.get("/v1/organizations", headers=owner.alone)).json()
    assert (listed["count"], listed["organizations"]) == (1, [shown])
    balance = (await ask(house, owner, "GET", "/v1/billing/balance")).json()
    assert balance["balance_usd"] == "0.00"
    await house.gateway.books.storage.ledger.grant(owner.account_id, 7, reason="test", idempotency_key="g")
    assert (await ask(house, owner, "GET", "/v1/billing/balance")).json() != balance
    mine = await house.client.get("/v1/billing/balance", headers=owner.alone)
    assert mine.json()["balance_usd"] == "0.00"


async def test_it_can_be_called_otherwise(house: Any) -> None:
    owner = await founder(house)
    path = f"/v1/organizations/{owner.account_id}"
    assert (await ask(house, owner, "PATCH", path, name=" Company ")).json()["name"] == "Company"
    assert (await ask(house, owner, "PATCH", path, role="viewer", account_id="x")).json()["name"] == "Company"
    for name in ("", "a\nb", "x" * 101):
        refused = await ask(house, owner, "PATCH", path, name=name)
        assert (refused.status_code, "`name`" in refused.json()["detail"]) == (400, True)
    assert (await roles(house, owner)) == {owner.user.user_id: "owner"}


async def test_an_account_of_ones_own_is_no_organization(house: Any) -> None:
    somebody = await stranger(house)
    mine = Person(somebody.user, somebody.token, somebody.user.account_id)
    for path in ("", "/members"):
        assert (await ask(house, mine, "GET", f"/v1/organizations/{mine.account_id}{path}")).status_code == 404
    wish = {"name": "robot", "role": "viewer"}
    made = await ask(house, mine, "POST", f"/v1/organizations/{mine.account_id}/service-accounts", **wish)
    assert made.status_code == 404


async def test_a_stranger_learns_nothing_of_it(house: Any) -> None:
    owner, somebody = await founder(house, "Secret Firm"), await stranger(house)
    for method, path in (("GET", ""), ("PATCH", ""), ("GET", "/members"), ("POST", "/leave")):
        answer = await house.client.request(
            method, f"/v1/organizations/{owner.account_id}{path}", json={}, headers=somebody.alone
        )
        missing = await house.client.request(
            method, f"/v1/organizations/acc_none{path}", json={}, headers=somebody.alone
        )
        assert (answer.status_code, answer.json()["detail"]) == (404, missing.json()["detail"])
    outside = await house.client.get(
        "/v1/keys", headers=Person(somebody.user, somebody.token, owner.account_id).headers
    )
    assert outside.status_code == 403


async def test_roles_are_given_by_who_may_do_as_much(house: Any) -> None:
    owner = await founder(house)
    admin = await joined(house, owner.account_id, Role.ADMIN)
    developer = await joined(house, owner.account_id, Role.DEVELOPER)
    assert (await ask(house, admin, "PATCH", member(developer), role="viewer")).status_code == 200
    for who, role in ((developer, "owner"), (developer, "billing"), (admin, "owner"), (owner, "viewer")):
        refused = await ask(house, admin, "PATCH", member(who), role=role)
        assert (refused.status_code, refused.json()["error_code"]) == (403, "forbidden"), (who, role)
    assert (await ask(house, admin, "DELETE", member(owner))).status_code == 403
    assert (await ask(house, owner, "PATCH", member(developer), role="king")).status_code == 400
    assert (await ask(house, owner, "PATCH", member(developer), role="billing")).status_code == 200
    assert (await roles(house, owner))[developer.user.user_id] == "billing"


async def test_a_change_of_role_counts_from_the_next_request_on(house: Any) -> None:
    owner = await founder(house)
    developer = await joined(house, owner.account_id, Role.DEVELOPER)
    assert (await ask(house, developer, "GET", "/v1/keys")).status_code == 200
    await ask(house, owner, "PATCH", member(developer), role="viewer")
    refused = await ask(house, developer, "GET", "/v1/keys")
    assert (refused.status_code, "`viewer`" in refused.json()["detail"]) == (403, True)
    await ask(house, owner, "DELETE", member(developer))
    assert (await ask(house, developer, "GET", f"/v1/organizations/{owner.account_id}")).status_code == 404


async def test_the_last_owner_neither_leaves_nor_steps_down(house: Any) -> None:
    owner = await founder(house)
    path = f"/v1/organizations/{owner.account_id}/leave"
    for refused in (
        await ask(house, owner, "POST", path),
        await ask(house, owner, "PATCH", member(owner), role="admin"),
    ):
        assert (refused.status_code, refused.json()["error_code"]) == (409, "conflict")
    other = await joined(house, owner.account_id, Role.OWNER)
    assert (await ask(house, owner, "POST", path)).status_code == 200
    assert await roles(house, other) == {other.user.user_id: "owner"}


async def test_a_developer_manages_only_their_own_keys(house: Any) -> None:
    owner = await founder(house)
    developer = await joined(house, owner.account_id, Role.DEVELOPER)
    theirs = (await ask(house, owner, "POST", "/v1/keys", name="owners")).json()
    mine = (await ask(house, developer, "POST", "/v1/keys", name="developers")).json()
    assert mine["user_id"] == developer.user.user_id
    assert theirs["scopes"] == ["*"]
    assert "execute" in mine["scopes"]
    assert not {"*", "organization:manage", "billing:manage"} & set(mine["scopes"])
    by_key = {"x-api-key": mine["key"]}
    for headers in (developer.headers, by_key):
        listed = (await house.client.get("/v1/keys", headers=headers)).json()["keys"]
        assert [key["key_id"] for key in listed] == [mine["key_id"]]
        path = f"/v1/keys/{theirs['key_id']}"
        assert (await house.client.delete(path, headers=headers)).status_code == 404
        assert (await house.client.post(f"{path}/rotate", headers=headers)).status_code == 404
    everything = (await ask(house, owner, "GET", "/v1/keys")).json()["keys"]
    assert {key["key_id"] for key in everything} == {mine["key_id"], theirs["key_id"]}
    assert (await ask(house, owner, "DELETE", f"/v1/keys/{mine['key_id']}")).status_code == 200


async def test_no_key_outgrows_the_role_of_its_user(house: Any) -> None:
    owner = await founder(house)
    admin = await joined(house, owner.account_id, Role.ADMIN)
    for scope in ("*", "billing:manage", "billing:*"):
        refused = await ask(house, admin, "POST", "/v1/keys", name="greedy", scopes=[scope])
        assert (refused.status_code, f"`{scope}`" in refused.json()["detail"]) == (403, True)
    theirs = (await ask(house, owner, "POST", "/v1/keys", name="owners")).json()
    turned = await ask(house, admin, "POST", f"/v1/keys/{theirs['key_id']}/rotate")
    assert (turned.status_code, turned.json()["error_code"]) == (403, "forbidden")
    assert (await ask(house, admin, "POST", "/v1/keys", name="x", scopes=["audit:read"])).status_code == 200


async def test_keys_end_with_the_membership(house: Any) -> None:
    owner = await founder(house)
    developer = await joined(house, owner.account_id, Role.DEVELOPER)
    key = (await ask(house, developer, "POST", "/v1/keys", name="laptop")).json()["key"]
    assert (await house.client.get("/v1/models", headers={"x-api-key": key})).status_code == 200
    await ask(house, owner, "DELETE", member(developer))
    refused = await house.client.get("/v1/models", headers={"x-api-key": key})
    assert (refused.status_code, refused.json()["error_code"]) == (401, "invalid_api_key")


async def test_a_service_account_has_keys_and_no_log_in(house: Any) -> None:
    owner = await founder(house)
    admin = await joined(house, owner.account_id, Role.ADMIN)
    place = f"/v1/organizations/{owner.account_id}/service-accounts"
    robot = (await ask(house, admin, "POST", place, name="ci", role="developer")).json()
    assert (robot["service_account"], robot["email"], robot["name"]) == (True, None, "ci")
    made = (await ask(house, admin, "POST", "/v1/keys", name="ci", service_account=robot["user_id"])).json()
    assert made["user_id"] == robot["user_id"]
    status = (await house.client.get("/v1/auth/status", headers={"x-api-key": made["key"]})).json()
    assert (status["user"]["id"], status["user"]["name"]) == (robot["user_id"], "ci")
    login = {"email": f"{robot['user_id']}@service.invalid", "password": "a password nobody has"}
    assert (await house.client.post("/v1/auth/login", json=login)).status_code == 401
    await ask(house, admin, "DELETE", f"/v1/organizations/{owner.account_id}/members/{robot['user_id']}")
    assert (await house.client.get("/v1/models", headers={"x-api-key": made["key"]})).status_code == 401


async def test_service_accounts_are_no_way_to_more_rights(house: Any) -> None:
    owner = await founder(house)
    admin = await joined(house, owner.account_id, Role.ADMIN)
    developer = await joined(house, owner.account_id, Role.DEVELOPER)
    place = f"/v1/organizations/{owner.account_id}/service-accounts"
    for role, status in (("owner", 400), ("nobody", 400)):
        assert (await ask(house, owner, "POST", place, name="ci", role=role)).status_code == status
    for role in ("billing", "owner"):
        assert (await ask(house, admin, "POST", place, name="ci", role=role)).status_code == 403
    payer = (await ask(house, owner, "POST", place, name="payer", role="billing")).json()["user_id"]
    coder = (await ask(house, owner, "POST", place, name="coder", role="developer")).json()["user_id"]
    for who, account, status in ((admin, payer, 403), (developer, coder, 403), (owner, developer.user.user_id, 404)):
        answer = await ask(house, who, "POST", "/v1/keys", name="x", service_account=account)
        assert answer.status_code == status, (who.user.name, account)
    promoted = await ask(house, owner, "PATCH", f"/v1/organizations/{owner.account_id}/members/{coder}", role="owner")
    assert promoted.status_code == 400


async def test_one_cannot_belong_to_any_number_of_organizations(house: Any) -> None:
    owner = await founder(house)
    for number in range(19):
        made = await house.client.post("/v1/organizations", json={"name": f"{number}"}, headers=owner.alone)
        assert made.status_code == 200
    refused = await house.client.post("/v1/organizations", json={"name": "more"}, headers=owner.alone)
    assert (refused.status_code, refused.json()["error_code"]) == (409, "conflict")


async def test_a_member_does_not_get_what_another_made_under_the_same_idempotency_key(house: Any) -> None:
    owner = await founder(house)
    other = await joined(house, owner.account_id, Role.OWNER)
    made = [
        await house.client.post("/v1/keys", json={"name": "x"}, headers={**who.headers, "idempotency-key": "one"})
        for who in (owner, owner, other)
    ]
    first, again, others = [answer.json()["key"] for answer in made]
    assert first == again != others


async def test_what_is_done_is_in_the_audit_trail_of_the_organization(house: Any) -> None:
    owner = await founder(house)
    developer = await joined(house, owner.account_id, Role.DEVELOPER)
    await ask(house, owner, "PATCH", member(developer), role="viewer")
    await ask(house, developer, "PATCH", member(developer), role="owner")
    await ask(house, owner, "DELETE", member(developer))

    def written(transaction: Any) -> Any:
        sql = "SELECT actor, action, target, outcome, details FROM audit WHERE account_id = ? ORDER BY audit_id"
        return transaction.cursor.execute(sql, (owner.account_id,)).fetchall()

    actor, theirs = owner.user.user_id, developer.user.user_id
    assert await house.gateway.books.storage.writer.perform(written) == [
        (actor, "organization.create", owner.account_id, "done", "Firm"),
        (actor, "member.role", theirs, "done", "viewer"),
        (theirs, "member.role", owner.account_id, "refused", "forbidden"),
        (actor, "member.remove", theirs, "done", ""),
    ]
