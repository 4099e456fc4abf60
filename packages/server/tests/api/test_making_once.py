"""`Idempotency-Key` on whatever makes something: the route table walked, and each of them asked twice."""

from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAKES_NOTHING = {"/v1/auth/logout", "/v1/router/debug"}
COUNTS = ("count_tokens", "input_tokens", ":countTokens")
CHARGED = {
    "/v1/execute", "/v1/execute/stream", "chat/completions", "/completions", "/responses", "/messages",
    ":generateContent", ":streamGenerateContent", ":embedContent", ":batchEmbedContents", "/embeddings", "/moderations",
}  # fmt: skip
"""By their ends: these keep their keys with their charges."""


async def test_every_post_is_made_once_or_charged_once_or_makes_nothing(house: Any) -> None:
    for path, route in house.gateway.application.routes:
        if route.method != "POST":
            assert not route.once, path
        elif not route.path.endswith(COUNTS) and route.path not in MAKES_NOTHING:
            assert route.once != route.path.endswith(tuple(CHARGED)), route.path


async def again(house: Any, path: str, body: Any, headers: dict[str, str]) -> tuple[Any, Any]:
    """The same request twice: the first reply, and that it was told again."""
    headers = {**headers, "idempotency-key": f"of {path} {body}"[:200]}
    first, second = [await house.client.post(path, json=body, headers=headers) for _ in range(2)]
    assert (second.status_code, second.json()) == (first.status_code, first.json())
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    other = await house.client.post(path, json=[body], headers=headers)
    assert other.status_code in {400, 422}
    return first, second


async def test_a_key_is_made_and_rotated_once(house: Any) -> None:
    customer = await house.customer()
    owner = {"x-api-key": await house.key_of(customer)}
    before = len((await house.client.get("/v1/keys", headers=owner)).json()["keys"])
    first, _ = await again(house, "/v1/keys", {"name": "once"}, owner)
    secret = first.json()["key"]
    assert (await house.client.get("/v1/models", headers={"x-api-key": secret})).status_code == 200
    rotated, _ = await again(house, f"/v1/keys/{first.json()['key_id']}/rotate", {}, owner)
    assert rotated.json()["key"] != secret
    keys = (await house.client.get("/v1/keys", headers=owner)).json()["keys"]
    assert len(keys) == before + 2


async def test_an_account_is_opened_once_and_nobody_else_is_in_the_way(house: Any) -> None:
    people = [{"email": f"once{number}@example.com", "password": "several plain words together"} for number in (1, 2)]
    headers = {"idempotency-key": "sign-up"}
    tokens = []
    for person in (*people, people[0]):
        answer = await house.client.post("/v1/auth/register", json=person, headers=headers)
        assert answer.status_code == 200, answer.text
        tokens.append(answer.json()["access_token"])
    assert tokens[0] == tokens[2] != tokens[1]


async def test_who_logs_in_again_under_the_same_key_has_one_session_and_one_key(house: Any) -> None:
    customer = await house.customer(password="several plain words together")
    wish = {"email": customer.email, "password": "several plain words together", "client": "cli"}
    before = (await house.client.get("/v1/keys", headers=customer.headers)).json()["count"]
    first, second = await again(house, "/v1/auth/login", wish, {})
    assert first.json()["api_key"] == second.json()["api_key"]
    assert (await house.client.get("/v1/keys", headers=customer.headers)).json()["count"] == before + 1


async def test_a_session_whose_next_tokens_were_lost_on_the_way_goes_on(house: Any) -> None:
    customer = await house.customer(password="several plain words together")
    wish = {"email": customer.email, "password": "several plain words together"}
    opened = (await house.client.post("/v1/auth/login", json=wish)).json()
    _, told = await again(house, "/v1/auth/refresh", {"refresh_token": opened["refresh_token"]}, {})
    following = {"refresh_token": told.json()["refresh_token"]}
    assert (await house.client.post("/v1/auth/refresh", json=following)).status_code == 200
    used = await house.client.post("/v1/auth/refresh", json=following, headers={"idempotency-key": "another"})
    assert used.status_code == 401


async def test_a_wrong_password_leaves_the_key_to_the_right_one(house: Any) -> None:
    customer = await house.customer(password="several plain words together")
    headers = {"idempotency-key": "log-in"}
    for password, status in (("something else altogether", 401), ("several plain words together", 200)):
        wish = {"email": customer.email, "password": password}
        assert (await house.client.post("/v1/auth/login", json=wish, headers=headers)).status_code == status


async def test_a_quote_is_given_once(house: Any) -> None:
    owner = {"x-api-key": await house.key_of(await house.customer())}
    first, _ = await again(house, "/v1/quote", {"task_type": "custom", "prompt": "hello"}, owner)
    assert first.json()["quote_id"]


async def test_after_an_error_the_same_key_serves_the_request_put_right(house: Any) -> None:
    owner = {"x-api-key": await house.key_of(await house.customer()), "idempotency-key": "put right"}
    assert (await house.client.post("/v1/keys", json={"name": 5}, headers=owner)).status_code == 400
    assert (await house.client.post("/v1/keys", json={"name": "five"}, headers=owner)).status_code == 200
