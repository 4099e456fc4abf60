from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "several plain words together"
PUBLISHED_CLI = {"user-agent": "monkey-coder-cli/1.6.0"}


async def registered(house: Any, email: str, **more: Any) -> dict[str, Any]:
    answer = await house.client.post("/v1/auth/register", json={"email": email, "password": PASSWORD, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_a_new_account_starts_with_the_trial_credit_and_no_roles(house: Any) -> None:
    body = await registered(house, "new@example.com", plan="pro", name="New")
    user = body["user"]
    assert (user["credits"], user["credit_usd"], user["name"]) == (500, "5.00", "New")
    assert (user["subscription_tier"], user["is_developer"], user["roles"]) == ("prepaid", False, ["user"])
    assert "api_key" not in body


async def test_signup_is_the_same_route(house: Any) -> None:
    answer = await house.client.post("/api/v1/auth/signup", json={"email": "s@example.com", "password": PASSWORD})
    assert answer.json()["user"]["email"] == "s@example.com"


async def test_an_address_is_taken_whatever_its_case(house: Any) -> None:
    await registered(house, "Taken@example.com")
    answer = await house.client.post("/v1/auth/register", json={"email": "taken@EXAMPLE.com", "password": PASSWORD})
    assert (answer.status_code, answer.json()["error_code"]) == (409, "conflict")


async def test_extra_fields_buy_nothing(house: Any) -> None:
    body = await registered(house, "greedy@example.com", roles=["admin"], credits=10**9, is_developer=True)
    assert (body["user"]["credit_usd"], body["user"]["roles"]) == ("5.00", ["user"])


async def test_a_session_token_tells_who_one_is(house: Any) -> None:
    body = await registered(house, "who@example.com")
    status = (await house.client.get("/v1/auth/status", headers=bearer(body["access_token"]))).json()
    assert status["authenticated"] is True
    assert status["user"]["email"] == "who@example.com"
    assert status["session_expires"] == body["expires_at"]


async def test_an_anonymous_caller_is_told_so_without_an_error(house: Any) -> None:
    answer = await house.client.get("/v1/auth/status")
    assert (answer.status_code, answer.json()) == (
        200,
        {"authenticated": False, "user": None, "session_expires": None},
    )


async def test_a_key_tells_who_one_is(house: Any) -> None:
    customer = await house.customer()
    status = (await house.client.get("/api/v1/auth/status", headers=customer.headers)).json()
    assert status["user"]["id"] == customer.user_id


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(house: Any) -> None:
    await registered(house, "known@example.com")
    answers = [
        await house.client.post("/v1/auth/login", json={"email": email, "password": "not the right one"})
        for email in ("known@example.com", "unknown@example.com")
    ]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert bodies[0] == bodies[1]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert bodies[0]["error_code"] == "invalid_credentials"


async def test_a_cli_that_names_itself_gets_a_key_beside_its_tokens(house: Any) -> None:
    await registered(house, "cli@example.com")
    wish = {"email": "cli@example.com", "password": PASSWORD, "client": "cli"}
    body = (await house.client.post("/v1/auth/login", json=wish)).json()
    assert body["api_key"].startswith("mk-dev-")
    assert body["access_token"].count(".") == 2
    status = (await house.client.get("/v1/auth/status", headers=bearer(body["api_key"]))).json()
    assert status["authenticated"] is True


async def test_the_published_cli_gets_its_key_where_it_looks_for_it(house: Any) -> None:
    await registered(house, "published@example.com")
    wish = {"email": "published@example.com", "password": PASSWORD}
    body = (await house.client.post("/api/v1/auth/login", json=wish, headers=PUBLISHED_CLI)).json()
    assert body["access_token"].startswith("mk-dev-")
    assert isinstance(body["user"]["credits"], int)
    refreshed = await house.client.post(
        "/api/v1/auth/refresh", json={"refresh_token": body["refresh_token"]}, headers=PUBLISHED_CLI
    )
    assert refreshed.json()["access_token"].startswith("mk-dev-")


async def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_session(house: Any) -> None:
    first = await registered(house, "fresh@example.com")
    second = (await house.client.post("/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})).json()
    assert second["refresh_token"] != first["refresh_token"]
    stolen = await house.client.post("/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert (stolen.status_code, stolen.json()["error_code"]) == (401, "invalid_credentials")
    after = await house.client.post("/v1/auth/refresh", json={"refresh_token": second["refresh_token"]})
    assert after.status_code == 401
    status = await house.client.get("/v1/auth/status", headers=bearer(second["access_token"]))
    assert (status.status_code, status.json()["error_code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("token", ["", "mcr-", "mcr-ses_1.x", "nonsense", "mcr-ses_\x00.y"])
async def test_an_invented_refresh_token_is_refused(house: Any, token: str) -> None:
    answer = await house.client.post("/v1/auth/refresh", json={"refresh_token": token})
    assert answer.status_code == 401


async def test_logging_out_ends_the_session_at_once(house: Any) -> None:
    body = await registered(house, "leaving@example.com")
    headers = bearer(body["access_token"])
    assert (await house.client.post("/v1/auth/logout", headers=headers)).status_code == 200
    assert (await house.client.get("/v1/keys", headers=headers)).status_code == 401
    again = await house.client.post("/v1/auth/refresh", json={"refresh_token": body["refresh_token"]})
    assert again.status_code == 401


async def test_logging_out_revokes_the_key_the_login_made_and_no_other(house: Any) -> None:
    await registered(house, "leaver@example.com")
    wish = {"email": "leaver@example.com", "password": PASSWORD, "client": "cli"}
    key = (await house.client.post("/v1/auth/login", json=wish)).json()["api_key"]
    assert (await house.client.post("/v1/auth/logout", headers=bearer(key))).status_code == 200
    assert (await house.client.get("/v1/auth/status", headers=bearer(key))).status_code == 401
    customer = await house.customer()
    assert (await house.client.post("/v1/auth/logout", headers=customer.headers)).status_code == 200
    assert (await house.client.get("/v1/auth/status", headers=customer.headers)).status_code == 200


async def test_guessing_is_throttled_by_account(house: Any) -> None:
    wish = {"email": "target@example.com", "password": "wrong wrong wrong"}
    statuses = [(await house.client.post("/v1/auth/login", json=wish)).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    refused = await house.client.post("/v1/auth/login", json=wish)
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["error_code"] == "rate_limited"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "no-at-sign", "password": PASSWORD}, "email"),
        ({"email": "a b@example.com", "password": PASSWORD}, "email"),
        ({"email": "a@" + "x" * 300, "password": PASSWORD}, "email"),
        ({"email": "a@example.com", "password": "short"}, "password"),
        ({"email": "a@example.com", "password": "x" * 2000}, "password"),
        ({"email": "a@example.com", "password": "aaaaaaaaaaaaaaaa"}, "password"),
        ({"email": "longaddress@example.com", "password": "LongAddress@example.com"}, "password"),
        ({"email": "a@example.com", "password": PASSWORD, "name": "x\x1b[2J"}, "name"),
        ({"email": "a@example.com", "password": PASSWORD, "plan": "platinum"}, "plan"),
    ],
)
async def test_a_bad_registration_names_its_field(house: Any, body: dict[str, str], field: str) -> None:
    answer = await house.client.post("/v1/auth/register", json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_request")
    assert f"`{field}`" in answer.json()["detail"]
