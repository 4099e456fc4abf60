from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monkey_coder_server.domain.weights import Weights
from monkey_coder_server.ports.accounts import Caps

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_key_is_shown_once_and_listed_without_its_secret(house: Any) -> None:
    customer = await house.customer()
    made = (await house.client.post("/v1/keys", json={"name": "laptop"}, headers=customer.headers)).json()
    listed = (await house.client.get("/v1/keys", headers=customer.headers)).json()
    assert listed["count"] == 2
    shown = next(key for key in listed["keys"] if key["key_id"] == made["key_id"])
    assert "key" not in shown
    assert (shown["name"], shown["status"], shown["scopes"]) == ("laptop", "active", ["*"])
    assert made["key"].startswith(shown["prefix"][:12])
    assert made["key"] not in str(listed)


async def test_every_restriction_is_stored(house: Any) -> None:
    customer = await house.customer()
    wish = {
        "name": "ci",
        "scopes": ["execute", "billing:read"],
        "models": ["openai/gpt-5"],
        "caps": {"day_usd": "1.50", "total_usd": "20"},
        "rate": 30,
        "ip_allow": ["10.0.0.0/8"],
        "expires_days": 7,
        "collapse": "cascade",
        "weights": {"quality": 1, "cost": 1},
    }
    made = (await house.client.post("/v1/keys", json=wish, headers=customer.headers)).json()
    records = await house.gateway.books.storage.keys.list(customer.account_id)
    record = next(record for record in records if record.key_id == made["key_id"])
    assert record.scopes == {"execute", "billing:read"}
    assert record.models == ("openai/gpt-5",)
    assert record.caps == Caps(day=1_500_000_000, total=20_000_000_000)
    assert (record.rate, record.ip_allow) == (30, ("10.0.0.0/8",))
    assert record.collapse == made["collapse"] == "cascade"
    assert record.weights == Weights(50, 50, 0)
    assert made["weights"] == {"quality": 50.0, "cost": 50.0, "latency": 0.0}
    assert record.expires_at is not None
    assert timedelta(days=6, hours=23) < record.expires_at - datetime.now(UTC) <= timedelta(days=7)
    assert made["caps"] == {"day_usd": "1.50", "total_usd": "20.00"}


async def test_a_key_asks_several_models_only_by_a_rule_there_is(house: Any) -> None:
    customer = await house.customer()
    wish = {"name": "ci", "collapse": "magic"}
    answer = await house.client.post("/v1/keys", json=wish, headers=customer.headers)
    assert answer.status_code == 400
    assert "collapse" in answer.json()["message"]


@pytest.mark.parametrize("weights", [{}, {"cost": -1}, {"speed": 1}, {"quality": 0, "cost": 0, "latency": 0}])
async def test_a_key_weighs_by_numbers_of_which_one_is_above_nought(house: Any, weights: dict[str, float]) -> None:
    customer = await house.customer()
    wish = {"name": "ci", "weights": weights}
    answer = await house.client.post("/v1/keys", json=wish, headers=customer.headers)
    assert answer.status_code == 400
    assert "`weights`" in answer.json()["message"]


async def test_caps_on_tokens_are_told_wherever_the_key_is_and_outlive_its_rotation(house: Any) -> None:
    customer = await house.customer()
    caps = {"day_usd": "2.00", "day_tokens": 1_000, "month_tokens": 20_000, "total_tokens": 0}
    wish = {"name": "ci", "caps": caps}
    made = (await house.client.post("/v1/keys", json=wish, headers=customer.headers)).json()
    turned = (await house.client.post(f"/v1/keys/{made['key_id']}/rotate", headers=customer.headers)).json()
    listed = (await house.client.get("/v1/keys", headers=customer.headers)).json()["keys"]
    told = {key["key_id"]: key["caps"] for key in listed}
    assert made["caps"] == turned["caps"] == told[turned["key_id"]] == caps
    assert [key["caps"] for key in listed if key["name"] != "ci"] == [None]


async def test_a_cap_on_tokens_refuses_what_does_not_fit(house: Any) -> None:
    key = await house.key_of(await house.customer(), caps={"month_tokens": 10})
    task = {"task_type": "custom", "prompt": "hello"}
    refused = await house.client.post("/v1/execute", json=task, headers={"x-api-key": key})
    assert (refused.status_code, refused.json()["error_code"]) == (402, "budget_exceeded")
    limit = refused.json()["limit"]
    assert (limit["limit"], limit["limit_tokens"], limit["spent_tokens"]) == ("key_month_tokens", "10", "0")


async def test_a_revoked_key_is_refused_at_once(house: Any) -> None:
    customer = await house.customer()
    key = await house.key_of(customer)
    headers = {"x-api-key": key}
    listed = (await house.client.get("/v1/keys", headers=headers)).json()
    mine = next(entry for entry in listed["keys"] if entry["name"] == "test")
    assert (await house.client.delete(f"/v1/keys/{mine['key_id']}", headers=customer.headers)).status_code == 200
    refused = await house.client.get("/v1/keys", headers=headers)
    assert (refused.status_code, refused.json()["error_code"]) == (401, "invalid_api_key")
    assert refused.headers["x-should-retry"] == "false"
    assert "revoked" in refused.json()["detail"]


async def test_nobody_touches_another_accounts_keys(house: Any) -> None:
    owner, stranger = await house.customer(), await house.customer()
    key_id = (await house.client.get("/v1/keys", headers=owner.headers)).json()["keys"][0]["key_id"]
    for method, path in (("DELETE", f"/v1/keys/{key_id}"), ("POST", f"/v1/keys/{key_id}/rotate")):
        answer = await house.client.request(method, path, headers=stranger.headers)
        assert answer.status_code == 404
    assert (await house.client.get("/v1/keys", headers=owner.headers)).status_code == 200


async def test_rotation_keeps_the_rights_and_ends_the_old_secret(house: Any) -> None:
    customer = await house.customer()
    old = await house.key_of(customer, models=["openai/gpt-5"], rate=9)
    listed = (await house.client.get("/v1/keys", headers=customer.headers)).json()["keys"]
    key_id = next(entry["key_id"] for entry in listed if entry["name"] == "test")
    rotated = (await house.client.post(f"/v1/keys/{key_id}/rotate", headers=customer.headers)).json()
    assert (rotated["models"], rotated["rate"]) == (["openai/gpt-5"], 9)
    assert (await house.client.get("/v1/auth/status", headers={"x-api-key": old})).status_code == 401
    assert (await house.client.get("/v1/auth/status", headers={"x-api-key": rotated["key"]})).status_code == 200


@pytest.mark.parametrize(
    ("restriction", "wish"),
    [
        ({"scopes": ["keys:manage"]}, {}),
        ({"scopes": ["keys:manage", "execute"]}, {"scopes": ["billing:read"]}),
        ({"models": ["openai/gpt-5"]}, {}),
        ({"caps": {"day_usd": "1"}}, {"scopes": ["execute"]}),
        ({"expires_days": 1}, {"scopes": ["execute"]}),
        ({"rate": 1}, {"scopes": ["execute"]}),
    ],
)
async def test_a_key_cannot_outgrow_its_maker(house: Any, restriction: dict[str, Any], wish: dict[str, Any]) -> None:
    customer = await house.customer()
    key = await house.key_of(customer, **restriction)
    answer = await house.client.post("/v1/keys", json={"name": "x", **wish}, headers={"x-api-key": key})
    assert (answer.status_code, answer.json()["error_code"]) == (403, "forbidden")


async def test_a_key_may_pass_on_what_it_holds(house: Any) -> None:
    customer = await house.customer()
    key = await house.key_of(customer, scopes=["keys:manage", "billing:*"])
    wish = {"name": "x", "scopes": ["billing:read"]}
    assert (await house.client.post("/v1/keys", json=wish, headers={"x-api-key": key})).status_code == 200


async def test_a_key_does_only_what_its_scopes_say(house: Any) -> None:
    customer = await house.customer()
    key = await house.key_of(customer, scopes=["models:read"])
    headers = {"x-api-key": key}
    assert (await house.client.get("/v1/models", headers=headers)).status_code == 200
    refused = await house.client.get("/v1/keys", headers=headers)
    assert refused.status_code == 403
    assert "`keys:manage`" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["root"]}, "scopes"),
        ({"name": "x", "models": [""]}, "models"),
        ({"name": "x", "caps": {"day_usd": "-1"}}, "caps.day_usd"),
        ({"name": "x", "caps": {"day_usd": 1}}, "caps.day_usd"),
        ({"name": "x", "caps": {"day_tokens": -1}}, "caps.day_tokens"),
        ({"name": "x", "caps": {"day_tokens": "1"}}, "caps.day_tokens"),
        ({"name": "x", "rate": 0}, "rate"),
        ({"name": "x", "ip_allow": ["300.0.0.1"]}, "ip_allow"),
        ({"name": "x", "expires_days": 0}, "expires_days"),
        ({"name": "x", "expires_days": 10**9}, "expires_days"),
    ],
)
async def test_a_bad_wish_names_its_field(house: Any, wish: dict[str, Any], field: str) -> None:
    customer = await house.customer()
    answer = await house.client.post("/v1/keys", json=wish, headers=customer.headers)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_request")
    assert f"`{field}`" in answer.json()["detail"]


async def test_a_cap_of_no_known_name_makes_no_key(house: Any) -> None:
    customer = await house.customer()
    wish = {"name": "x", "caps": {"week_usd": "1"}}
    answer = await house.client.post("/v1/keys", json=wish, headers=customer.headers)
    assert (answer.status_code, "week_usd" in answer.json()["detail"]) == (400, True)
    assert (await house.client.get("/v1/keys", headers=customer.headers)).json()["count"] == 1
