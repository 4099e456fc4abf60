"""Teams, projects, their limits and rules over HTTP, and what they come to for a key."""

from typing import Any

import pytest

from monkey_coder_server.domain.roles import Role
from packages.server.tests.features.accounts.people import Person, founder, joined, stranger

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def ask(house: Any, who: Person, method: str, path: str, **body: Any) -> Any:
    place = path if path.startswith("/") else f"/v1/organizations/{who.account_id}/{path}"
    return await house.client.request(method, place, headers=who.headers, json=body if method != "GET" else None)


async def furnished(house: Any) -> tuple[Person, str]:
    """Somebody with an organization that has a team with a project; the team's id."""
    owner = await founder(house)
    team = (await ask(house, owner, "POST", "teams", name="Web")).json()["team_id"]
    made = await ask(house, owner, "POST", "projects", project_id="shop", team_id=team)
    assert made.status_code == 200, made.text
    return owner, team


async def test_a_key_of_an_organization_is_of_a_project_there_is(house: Any) -> None:
    owner, team = await furnished(house)
    made = (await ask(house, owner, "POST", "/v1/keys", name="x", project_id="shop")).json()
    policy = (await ask(house, owner, "GET", f"/v1/keys/{made['key_id']}/policy")).json()
    assert (made["project_id"], policy["project_id"], policy["team_id"]) == ("shop", "shop", team)
    refused = await ask(house, owner, "POST", "/v1/keys", name="x", project_id="nothing")
    assert (refused.status_code, "`project_id`" in refused.json()["detail"]) == (404, True)
    alone = await stranger(house)
    mine = await house.client.post("/v1/keys", json={"name": "x", "project_id": "any"}, headers=alone.alone)
    assert mine.json()["project_id"] == "any"


async def test_names_are_checked_and_given_once(house: Any) -> None:
    owner, team = await furnished(house)
    assert (await ask(house, owner, "POST", "teams", name="Web")).status_code == 409
    assert (await ask(house, owner, "POST", "teams", name="")).status_code == 400
    assert (await ask(house, owner, "POST", "projects", project_id="shop")).status_code == 409
    assert (await ask(house, owner, "POST", "projects", project_id="a b")).status_code == 400
    other, _ = await furnished(house)
    assert (await ask(house, other, "POST", "projects", project_id="mine", team_id=team)).status_code == 404
    listed = (await ask(house, owner, "GET", "projects")).json()["projects"]
    assert [(each["project_id"], each["team_id"]) for each in listed] == [("shop", team)]


async def test_the_policy_of_a_key_tells_each_limit_and_rule_with_its_source(house: Any) -> None:
    owner, team = await furnished(house)
    wish = {"name": "x", "project_id": "shop", "models": ["openai/gpt-5"], "caps": {"day_usd": "9"}}
    key = (await ask(house, owner, "POST", "/v1/keys", **wish)).json()
    await ask(house, owner, "PUT", "limits", holder="organization", period="day", usd="20")
    await ask(house, owner, "PUT", "limits", holder="team", holder_id=team, period="day", usd="5")
    await ask(house, owner, "PUT", "limits", holder="project", holder_id="shop", period="month", tokens=70)
    await ask(house, owner, "PUT", "model-rules", holder="organization", deny=["xai/*"])
    await ask(house, owner, "PUT", "model-rules", holder="team", holder_id=team, allow=["openai/*", "xai/*"])
    policy = (await ask(house, owner, "GET", f"/v1/keys/{key['key_id']}/policy")).json()
    limits = [(each["holder"], each["period"], each["unit"], each["limit"]) for each in policy["limits"]]
    assert limits == [
        ("organization", "day", "money", "20.00"),
        ("team", "day", "money", "5.00"),
        ("project", "month", "tokens", "70"),
        ("key", "day", "money", "9.00"),
    ]
    assert [(each["holder"], each["left"]) for each in policy["tightest"]] == [("team", "5.00"), ("project", "70")]
    assert [(each["holder"], each["allow"], each["deny"]) for each in policy["rules"]] == [
        ("organization", None, ["xai/*"]),
        ("team", ["openai/*", "xai/*"], []),
        ("key", ["openai/gpt-5"], []),
    ]
    assert policy["models"] == ["openai/gpt-5"]
    plain = (await ask(house, owner, "POST", "/v1/keys", name="y")).json()
    await ask(house, owner, "PUT", "model-rules", holder="organization", deny=["openai/gpt-5"])
    told = (await ask(house, owner, "GET", f"/v1/keys/{plain['key_id']}/policy")).json()
    assert "openai/gpt-4.1" in told["models"]
    assert told["excluded"] == [
        {
            "model": "openai/gpt-5",
            "rule": "deny",
            "holder": "organization",
            "holder_id": owner.account_id,
            "source": "organization",
            "reason": "A rule of this organization denies it.",
        }
    ]


async def test_rules_bind_the_requests_of_keys_and_people(house: Any) -> None:
    owner, team = await furnished(house)
    key = (await ask(house, owner, "POST", "/v1/keys", name="x", project_id="shop")).json()["key"]
    task = {"task_type": "custom", "prompt": "hello", "model": "openai/gpt-5"}

    async def statuses() -> tuple[int, int]:
        """Without credit a permitted request is refused for that."""
        by_key = await house.client.post("/v1/execute", json=task, headers={"x-api-key": key})
        by_person = await house.client.post("/v1/execute", json=task, headers=owner.headers)
        return by_key.status_code, by_person.status_code

    assert await statuses() == (402, 402)
    await ask(house, owner, "PUT", "model-rules", holder="team", holder_id=team, deny=["openai/gpt-5"])
    assert await statuses() == (403, 402)
    await ask(house, owner, "PUT", "model-rules", holder="organization", allow=["anthropic/*"])
    assert await statuses() == (403, 403)
    for holder, holder_id in (("organization", None), ("team", team)):
        await ask(house, owner, "PUT", "model-rules", holder=holder, holder_id=holder_id)
    assert await statuses() == (402, 402)
    assert (await ask(house, owner, "GET", "model-rules")).json() == {"rules": [], "count": 0}


async def test_a_rule_on_one_key_outlives_its_rotation_and_lets_it_make_no_other(house: Any) -> None:
    owner, _ = await furnished(house)
    key = (await ask(house, owner, "POST", "/v1/keys", name="x")).json()
    await ask(house, owner, "PUT", "model-rules", holder="key", holder_id=key["key_id"], deny=["openai/*"])
    turned = (await ask(house, owner, "POST", f"/v1/keys/{key['key_id']}/rotate")).json()
    policy = (await ask(house, owner, "GET", f"/v1/keys/{turned['key_id']}/policy")).json()
    assert [(rule["holder_id"], rule["deny"]) for rule in policy["rules"]] == [(turned["key_id"], ["openai/*"])]
    made = await house.client.post("/v1/keys", json={"name": "y"}, headers={"x-api-key": turned["key"]})
    assert made.status_code == 403


async def test_limits_are_set_and_taken_back_by_who_manages(house: Any) -> None:
    owner, _ = await furnished(house)
    developer = await joined(house, owner.account_id, Role.DEVELOPER)
    wish = {"holder": "project", "holder_id": "shop", "period": "day", "usd": "1"}
    assert (await ask(house, developer, "PUT", "limits", **wish)).status_code == 403
    listed = (await ask(house, owner, "PUT", "limits", **wish)).json()
    assert [(each["holder_id"], each["limit"]) for each in listed["limits"]] == [("shop", "1.00")]
    assert (await ask(house, developer, "GET", "limits")).json() == listed
    assert (await ask(house, owner, "PUT", "limits", **{**wish, "usd": None})).json()["count"] == 0


@pytest.mark.parametrize(
    ("wish", "status", "field"),
    [
        ({"holder": "account", "period": "day", "usd": "1"}, 400, "holder"),
        ({"holder": "team", "period": "day", "usd": "1"}, 400, "holder_id"),
        ({"holder": "team", "holder_id": "team_x", "period": "day", "usd": "1"}, 404, "holder_id"),
        ({"holder": "key", "holder_id": "key_x", "period": "day", "usd": "1"}, 404, "holder_id"),
        ({"holder": "organization", "period": "week", "usd": "1"}, 400, "period"),
        ({"holder": "organization", "period": "day", "usd": "-1"}, 400, "usd"),
        ({"holder": "organization", "period": "day", "tokens": -1}, 400, "tokens"),
        ({"holder": "organization", "period": "day", "usd": "1", "tokens": 1}, 400, "usd"),
    ],
)
async def test_a_bad_limit_names_its_field(house: Any, wish: dict[str, Any], status: int, field: str) -> None:
    owner = await founder(house)
    refused = await ask(house, owner, "PUT", "limits", **wish)
    assert (refused.status_code, f"`{field}`" in refused.json()["detail"]) == (status, True), refused.text


async def test_a_developer_sees_the_policy_of_their_own_keys_only(house: Any) -> None:
    owner, _ = await furnished(house)
    developer = await joined(house, owner.account_id, Role.DEVELOPER)
    key_id = (await ask(house, owner, "POST", "/v1/keys", name="x")).json()["key_id"]
    assert (await ask(house, developer, "GET", f"/v1/keys/{key_id}/policy")).status_code == 404
