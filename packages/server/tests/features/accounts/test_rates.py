"""Rates over HTTP and by the operator, and the one endpoint that shows all that counts and where it comes from."""

from typing import Any

import pytest

from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.rates import Measure
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.features.accounts.rates import RateWish, list_rates, set_rates
from packages.server.tests.features.accounts.people import joined
from packages.server.tests.features.accounts.test_teams import ask, furnished

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEY_WISH = {"name": "x", "project_id": "shop", "rate": {"requests": 60, "tokens": 5_000, "concurrency": 2}}


def told(rates: Any) -> list[tuple[str, str, int, str]]:
    return [(each["holder"], each["measure"], each["limit"], each["source"]) for each in rates]


async def test_rates_are_set_and_taken_back_by_who_manages(house: Any) -> None:
    owner, team = await furnished(house)
    developer = await joined(house, owner.account_id, Role.DEVELOPER)
    wish = {"holder": "team", "holder_id": team, "requests": 100, "tokens": 20_000}
    assert (await ask(house, developer, "PUT", "rates", **wish)).status_code == 403
    listed = (await ask(house, owner, "PUT", "rates", **wish)).json()
    assert told(listed["rates"]) == [("team", "requests", 100, "team"), ("team", "tokens", 20_000, "team")]
    assert (await ask(house, developer, "GET", "rates")).json() == listed
    less = (await ask(house, owner, "PUT", "rates", **{**wish, "requests": None, "tokens": 7})).json()
    assert told(less["rates"]) == [("team", "tokens", 7, "team")]


@pytest.mark.parametrize(
    ("wish", "status", "field"),
    [
        ({"holder": "account", "requests": 1}, 400, "`holder`"),
        ({"holder": "project", "holder_id": "none", "requests": 1}, 404, "`holder_id`"),
        ({"holder": "organization"}, 400, "`concurrency`"),
        ({"holder": "organization", "tokens": -1}, 400, "`tokens`"),
        ({"holder": "organization", "requests": 10**12 + 1}, 400, "`requests`"),
        ({"holder": "organization", "requests": 1, "model": "x" * 201}, 400, "names like"),
    ],
)
async def test_a_wrong_rate_is_refused(house: Any, wish: dict[str, Any], status: int, field: str) -> None:
    owner, _ = await furnished(house)
    answer = await ask(house, owner, "PUT", "rates", **wish)
    assert (answer.status_code, field in answer.json()["detail"]) == (status, True), answer.text


async def test_the_rate_of_a_key_is_a_number_or_all_three(house: Any) -> None:
    owner, _ = await furnished(house)
    made = (await ask(house, owner, "POST", "/v1/keys", **KEY_WISH)).json()
    assert made["rate"] == KEY_WISH["rate"]
    assert (await ask(house, owner, "POST", "/v1/keys", name="y", rate=9)).json()["rate"] == 9
    assert {each["rate"]["tokens"] for each in (await ask(house, owner, "GET", "/v1/keys")).json()["keys"] if
            isinstance(each["rate"], dict)} == {5_000}  # fmt: skip
    path = f"/v1/keys/{made['key_id']}"
    fewer = (await ask(house, owner, "PATCH", path, rate={"concurrency": 1})).json()
    assert fewer["rate"] == {"requests": None, "tokens": None, "concurrency": 1}
    assert (await ask(house, owner, "PATCH", path, name="z")).json()["rate"] == fewer["rate"]
    refused = await house.client.post("/v1/keys", json={"name": "more"}, headers={"x-api-key": made["key"]})
    assert (refused.status_code, "rates of its own" in refused.json()["detail"]) == (403, True)
    assert (await ask(house, owner, "PATCH", path, rate=None)).json()["rate"] is None
    for wrong in ({"requests": 0}, {"tokens": -1}, {"concurrency": 0}, {"per_day": 1}):
        assert (await ask(house, owner, "POST", "/v1/keys", name="w", rate=wrong)).status_code == 400


async def test_one_answer_shows_what_counts_for_the_calling_key_and_where_it_comes_from(house: Any) -> None:
    owner, team = await furnished(house)
    use = house.gateway.books.accounts
    key = (await ask(house, owner, "POST", "/v1/keys", **KEY_WISH)).json()
    await set_rates(use, RateWish(owner.account_id, {Measure.REQUESTS: 900, Measure.CONCURRENCY: 9}))
    await ask(house, owner, "PUT", "rates", holder="organization", tokens=4_000, model="openai/gpt-5")
    await ask(house, owner, "PUT", "rates", holder="team", holder_id=team, requests=50)
    await ask(house, owner, "PUT", "limits", holder="team", holder_id=team, period="day", usd="5")
    wish = {"max_input_usd": "2", "capabilities": ["tools"], "data_policies": ["no_training", "zero_retention"]}
    rules = (await ask(house, owner, "PUT", "model-rules", holder="organization", **wish)).json()["rules"]
    assert {name: rules[0][name] for name in ("max_input_usd", "max_output_usd", "capabilities")} == {
        "max_input_usd": "2.00",
        "max_output_usd": None,
        "capabilities": ["tools"],
    }
    own = (await house.client.get("/v1/limits", headers={"x-api-key": key["key"]})).json()
    assert told(own["rates"]) == [
        ("account", "concurrency", 9, "operator"),
        ("account", "requests", 900, "operator"),
        ("organization", "tokens", 4_000, "organization"),
        ("team", "requests", 50, "team"),
        ("key", "concurrency", 2, "key"),
        ("key", "tokens", 5_000, "key"),
        ("key", "requests", 60, "key"),
    ]
    assert [each["limit"] for each in own["rates"] if each["tightest"]] == [4_000, 50, 2, 5_000]
    assert [(each["source"], each["left"]) for each in own["limits"]] == [("team", "5.00")]
    assert (own["key_id"], own["project_id"], own["team_id"]) == (key["key_id"], "shop", team)
    assert own["models"] == []
    reasons = {each["model"]: (each["rule"], each["source"]) for each in own["excluded"]}
    assert reasons["openai/text-embedding-3-small"] == ("capabilities", "organization")
    assert {rule for rule, _ in reasons.values()} == {"input_ceiling", "capabilities", "data_policies"}
    by_owner = (await ask(house, owner, "GET", f"/v1/limits?key_id={key['key_id']}")).json()
    assert by_owner == own
    assert (await ask(house, owner, "GET", f"/v1/keys/{key['key_id']}/policy")).json() == own


async def test_a_person_is_shown_what_counts_for_them_or_for_a_project(house: Any) -> None:
    owner, team = await furnished(house)
    await ask(house, owner, "PUT", "rates", holder="project", holder_id="shop", requests=5)
    mine = (await ask(house, owner, "GET", "/v1/limits")).json()
    assert (mine["key_id"], [(each["setting"], each["source"]) for each in mine["rates"]]) == (
        None,
        [("RATE_LIMIT_PER_MINUTE", "setting")],
    )
    project = (await ask(house, owner, "GET", "/v1/limits?project_id=shop")).json()
    assert (project["team_id"], told(project["rates"])[0]) == (team, ("project", "requests", 5, "project"))
    assert (await ask(house, owner, "GET", "/v1/limits?project_id=none")).status_code == 404
    assert (await ask(house, owner, "GET", "/v1/limits?project_id=shop&key_id=k")).status_code == 400


async def test_a_key_is_shown_another_only_if_it_manages_keys(house: Any) -> None:
    owner, _ = await furnished(house)
    other = (await ask(house, owner, "POST", "/v1/keys", name="other")).json()["key_id"]
    for scopes, status in ((["billing:read"], 403), (["billing:read", "keys:manage"], 200), (["execute"], 403)):
        key = (await ask(house, owner, "POST", "/v1/keys", name="x", scopes=scopes)).json()["key"]
        answer = await house.client.get(f"/v1/limits?key_id={other}", headers={"x-api-key": key})
        assert answer.status_code == status, answer.text


async def test_a_refused_model_names_the_rule_and_its_holder(house: Any) -> None:
    owner, team = await furnished(house)
    key = (await ask(house, owner, "POST", "/v1/keys", name="x", project_id="shop")).json()["key"]
    await ask(house, owner, "PUT", "model-rules", holder="team", holder_id=team, max_output_usd="0.01")
    task = {"task_type": "custom", "prompt": "hello", "model": "openai/gpt-5"}
    answer = await house.client.post("/v1/execute", json=task, headers={"x-api-key": key})
    assert (answer.status_code, answer.json()["error_code"]) == (403, "model_not_allowed")
    assert f"a rule of the team {team} allows 0.01 USD per million output tokens" in answer.json()["detail"]


@pytest.mark.parametrize(
    "wish", [{"capabilities": ["flight"]}, {"data_policies": ["secret"]}, {"max_input_usd": "-1"}, {"deny": [""]}]
)
async def test_a_wrong_rule_is_refused(house: Any, wish: dict[str, Any]) -> None:
    owner, _ = await furnished(house)
    answer = await ask(house, owner, "PUT", "model-rules", holder="organization", **wish)
    assert answer.status_code == 400, answer.text


async def test_an_operator_bounds_an_account_and_those_in_it(house: Any) -> None:
    use, customer = house.gateway.books.accounts, await house.customer()
    whose = customer.email
    await set_rates(use, RateWish(whose, {Measure.REQUESTS: 5}))
    await set_rates(use, RateWish(whose, {Measure.TOKENS: 9}, project_id="web", model="openai/gpt-5"))
    [key] = await use.keys.list(customer.account_id)
    rules = await set_rates(use, RateWish(whose, {Measure.REQUESTS: 70}, key_id=key.key_id))
    assert [(rule.holder.kind.value, rule.model, rule.allowed) for rule in rules] == [
        ("account", "", 5),
        ("project", "openai/gpt-5", 9),
        ("key", "", 70),
    ]
    assert [rule for _, rule in await list_rates(use, whose)] == rules
    assert whose in {name for name, _ in await list_rates(use, None)}
    assert [rule.allowed for rule in await set_rates(use, RateWish(whose, dict.fromkeys(Measure)))] == [9, 70]
    for wrong, error in (
        (RateWish(whose, {Measure.TOKENS: -1}), InvalidRequest),
        (RateWish(whose, {Measure.REQUESTS: 0}, key_id=key.key_id), InvalidRequest),
        (RateWish(whose, {Measure.TOKENS: 1}, key_id="key_none"), NotFound),
        (RateWish(whose, {Measure.TOKENS: 1}, team_id="team_none"), NotFound),
        (RateWish("nobody@example.com", {Measure.TOKENS: 1}), NotFound),
    ):
        with pytest.raises(error):
            await set_rates(use, wrong)
