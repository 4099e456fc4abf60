"""`Idempotency-Key` on whatever makes something: the route table walked, and each of them asked twice."""

from typing import Any

import httpx2
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAKES_NOTHING = {
    "/v1/billing/webhook",  # kept once by the event that it tells of
    "/v1/keys/report",
    "/v1/auth/logout",
    "/v1/auth/oauth/{provider}/link",
    "/v1/auth/oauth/{provider}/link/complete",
    "/v1/invitations/accept",
    "/v1/invitations/decline",
    "/v1/organizations/{organization_id}/leave",
    "/v1/router/debug",
}
THROTTLED = {
    "register": "register",
    "signup": "register",
    "login": "login",
    "refresh": "refresh",
    "mfa/verify": "second step",
    "mfa/passkeys/options": "second step",
    "mfa/passkeys/login": "second step",
    "mfa/passkeys/login/options": "second step",
}
"""Routes for who has no credential yet, and what their tries are counted as."""
ASKED_FOR_A_KEY = {
    "/v1/auth/authorize/token", "/v1/auth/device/authorize", "/v1/auth/device/token",
    "/v1/device/authorize", "/v1/device/token",
}  # fmt: skip
"""Throttled too; what they make hangs on a person's click."""
MAILED = {
    f"/v1/auth/{name}"
    for name in (
        "email/verify/request", "email/verify/confirm", "verify/email/request", "verify/email/confirm",
        "password/forgot", "password/reset",
    )
}  # fmt: skip
COUNTS = ("count_tokens", "input_tokens", ":countTokens")
CHARGED = {
    "/v1/execute", "/v1/execute/stream", "chat/completions", "/completions", "/responses", "/messages",
    ":generateContent", ":streamGenerateContent", ":embedContent", ":batchEmbedContents", "/embeddings", "/moderations",
}  # fmt: skip
"""By their ends: these keep their keys with their charges."""


async def test_every_post_is_made_once_or_charged_once_or_makes_nothing(house: Any) -> None:
    for path, route in house.gateway.application.routes:
        if route.method != "POST" or route.page:
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
    assert len(keys) == before + 1


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


def watched_claims(house: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is asked of the store of kept replies from now on."""
    claimed, replies = list[Any](), house.gateway.books.storage.replies
    claim = replies.claim

    async def watched(*asked: Any) -> Any:
        claimed.append(asked)
        return await claim(*asked)

    monkeypatch.setattr(replies, "claim", watched)
    return claimed


async def test_whoever_names_no_account_is_throttled_before_the_key_is_taken(house: Any) -> None:
    open_to_all = [route for _, route in house.gateway.application.routes if route.once and route.auth == "public"]
    assert {route.path for route in open_to_all} == {
        f"/v1/auth/{name}" for name in THROTTLED
    } | ASKED_FOR_A_KEY | MAILED
    assert all(route.admit is not None for route in open_to_all)


@pytest.mark.parametrize("path", THROTTLED)
async def test_who_is_throttled_writes_nothing(house: Any, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    gateway = house.gateway
    address, headers = f"203.0.113.{[*THROTTLED].index(path)}", {"idempotency-key": "again and again"}
    transport = httpx2.ASGITransport(app=gateway.application, client=(address, 1))
    stranger = {"email": "stranger@example.com", "password": "several plain words together"}
    wish = {"refresh_token": "mcr-nobody.x"} if path == "refresh" else stranger
    while (await gateway.books.limiter.take(f"{THROTTLED[path]}:ip:{address}", limit=100, period=300.0)).allowed:
        pass
    claimed = watched_claims(house, monkeypatch)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        refused = await client.post(f"/v1/auth/{path}", json=wish, headers=headers)
    assert (refused.status_code, claimed) == (429, [])
    assert int(refused.headers["retry-after"]) >= 1


async def test_who_tries_one_account_too_often_writes_nothing_whatever_the_address(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await house.customer()
    wish = {"email": customer.email, "password": "wrong"}
    headers = {"idempotency-key": "guess"}
    statuses = {(await house.client.post("/v1/auth/login", json=wish, headers=headers)).status_code for _ in range(10)}
    assert statuses == {401}
    claimed = watched_claims(house, monkeypatch)
    refused = await house.client.post("/v1/auth/login", json=wish, headers=headers)
    assert (refused.status_code, claimed) == (429, [])


async def test_a_quote_is_given_once(house: Any) -> None:
    owner = {"x-api-key": await house.key_of(await house.customer())}
    first, _ = await again(house, "/v1/quote", {"task_type": "custom", "prompt": "hello"}, owner)
    assert first.json()["quote_id"]


async def test_after_an_error_the_same_key_serves_the_request_put_right(house: Any) -> None:
    owner = {"x-api-key": await house.key_of(await house.customer()), "idempotency-key": "put right"}
    assert (await house.client.post("/v1/keys", json={"name": 5}, headers=owner)).status_code == 400
    assert (await house.client.post("/v1/keys", json={"name": "five"}, headers=owner)).status_code == 200
