"""Fields that nobody may set are ignored wherever a body is read, and bodies made to cost much are refused cheaply."""

import json
from typing import Any

import pytest

from packages.server.tests.api.matrix.cast import filled
from packages.server.tests.features.accounts.people import founder

pytestmark = pytest.mark.asyncio(loop_scope="module")
FORBIDDEN: dict[str, Any] = {
    "account_id": "acc_evil",
    "balance": 10**15,
    "balance_nano_usd": 10**15,
    "created_at": "2000-01-01T00:00:00Z",
    "credit_usd": "1000000",
    "digest": "00",
    "email_verified": True,
    "email_verified_at": "2000-01-01T00:00:00Z",
    "is_admin": True,
    "key_id": "key_evil",
    "markup": 0,
    "markup_percent": "0",
    "mfa_enabled": False,
    "organization_id": "acc_evil",
    "password_hash": "x",
    "plan": "enterprise",
    "roles": ["operator", "admin"],
    "trial_credit_usd": "1000000",
    "user_id": "usr_evil",
}
"""Names of columns and settings; `role` and `scopes` are asked for where they may be, and checked there."""
PUBLIC_PLAN = {"/v1/auth/register", "/v1/auth/signup"}
"""Where a plan is asked for, and does not yet mean anything but its name."""


async def rows_of(house: Any, person: Any) -> tuple[Any, ...]:
    """What is kept of a person and of the money of both accounts they can act for."""
    use = house.gateway.books.accounts
    user = await use.accounts.by_id(person.user.user_id)
    balances = [
        (await house.client.get("/v1/billing/balance", headers=headers)).json()
        for headers in (person.alone, person.headers)
    ]
    return user, *balances


async def test_no_route_lets_a_body_set_what_is_not_its_callers_to_set(house: Any) -> None:
    person = await founder(house)
    before = await rows_of(house, person)
    asked = 0
    for path, route in list(house.gateway.application.routes):
        if route.method not in {"POST", "PATCH", "PUT"} or route.page or path in PUBLIC_PLAN or "logout" in path:
            continue
        body = FORBIDDEN | {"name": "Firm", "email": person.user.email}
        where = filled(path, {"organization_id": person.account_id, "user_id": person.user.user_id})
        answer = await house.client.request(route.method, where, json=body, headers=person.headers)
        assert answer.status_code != 500, (path, answer.text)
        asked += 1
    assert asked > 60
    assert await rows_of(house, person) == before


async def test_a_new_account_has_what_the_house_gives_it_and_not_what_it_asks_for(house: Any) -> None:
    plain, greedy = "plain@example.com", "greedy@example.com"
    for email, more in ((plain, {}), (greedy, {**FORBIDDEN, "plan": "hobby", "role": "owner", "scopes": ["*"]})):
        body = {**more, "email": email, "password": "several plain words together"}
        assert (await house.client.post("/v1/auth/register", json=body)).status_code == 200
    accounts = house.gateway.books.accounts.accounts
    one, other = [await accounts.by_email(email) for email in (plain, greedy)]
    assert (one.roles, one.plan, one.email_verified_at) == (other.roles, other.plan, other.email_verified_at)
    assert other.account_id != "acc_evil"


async def test_a_new_key_is_of_its_callers_account_and_holds_no_more_than_they_may_give(house: Any) -> None:
    person = await founder(house)
    answer = await house.client.post("/v1/keys", json=FORBIDDEN | {"name": "a"}, headers=person.headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["key_id"] != "key_evil"
    keys = await house.gateway.books.storage.keys.list(person.account_id)
    assert [key.user_id for key in keys] == [person.user.user_id]


@pytest.mark.parametrize(
    "body",
    [
        b"{" + b",".join(b'"k%d":1' % number for number in range(100_000)) + b"}",
        b'{"name":"a","x":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"name":"a","x":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
        b'{"name":"a","rate":1e400}',
        b'{"name":"a","rate":-1}',
        b'{"name":"a","rate":' + b"9" * 5_000 + b"}",
        b'{"name":"a","rate":NaN}',
        b'{"name":"a","rate":Infinity}',
        b'{"name":"\\ud800"}',
        b'{"name":"\\udc00\\ud800"}',
        b'{"name":"a","name":["b"]}',
        b'{"name":"\xed\xa0\x80"}',
        b"[" * 1_000_000,
    ],
    ids=range(13),
)
async def test_a_body_made_to_cost_much_is_refused_in_one_sentence(house: Any, body: bytes) -> None:
    customer = await house.customer()
    headers = {**customer.headers, "content-type": "application/json"}
    for path in ("/v1/keys", "/v1/execute", "/v1/chat/completions", "/v1/messages", "/v1/responses"):
        answer = await house.client.post(path, content=body, headers=headers)
        assert answer.status_code in {400, 422}, (path, answer.status_code, answer.text[:200])
        assert len(answer.text) < 1_000


@pytest.mark.parametrize("wanted", [0, -1, -(2**63), 1.5, "9", True, [9]])
async def test_what_is_no_number_of_tokens_is_refused_and_holds_no_credit(house: Any, wanted: Any) -> None:
    customer = await house.customer()
    hello = [{"role": "user", "content": "hello"}]
    for path, body in (
        ("/v1/chat/completions", {"model": "openai/gpt-4.1-mini", "messages": hello, "max_tokens": wanted}),
        ("/v1/responses", {"model": "openai/gpt-4.1-mini", "input": "hello", "max_output_tokens": wanted}),
    ):
        answer = await house.client.post(path, json=body, headers=customer.headers)
        assert answer.status_code == 400, (path, answer.status_code, answer.text[:200])
    balance = await house.client.get("/v1/billing/balance", headers=customer.headers)
    assert json.loads(balance.text)["balance_usd"] == "10.00"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "gateway.evil.example"])
async def test_a_host_that_a_caller_names_is_in_no_link_of_ours(house: Any, host: str) -> None:
    headers = {"host": host, "x-forwarded-host": host, "x-forwarded-proto": "http", "forwarded": f"host={host}"}
    for method, path in (
        ("POST", "/v1/auth/device/authorize"),
        ("GET", "/login?next=//evil.example"),
        ("GET", "/v1/openapi.json"),
        ("GET", "/"),
    ):
        answer = await house.client.request(method, path, headers=headers, json={} if method == "POST" else None)
        assert "evil.example" not in answer.text, path
        assert "evil.example" not in answer.headers.get("location", ""), path
