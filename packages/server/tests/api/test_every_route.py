"""The route table walked: nothing is open that is not meant to be, and a new route is covered as it lands."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from monkey_coder_server.domain.scopes import SCOPES
from monkey_coder_server.web.feature import Route

pytestmark = pytest.mark.asyncio(loop_scope="module")
PUBLIC = {
    ("GET", "/"),
    ("GET", "/.well-known/monkey-receipts.json"),
    ("GET", "/billing"),
    ("GET", "/health"),
    ("GET", "/healthz"),
    ("GET", "/api/health"),
    ("GET", "/v1/health"),
    ("GET", "/health/ready"),
    ("GET", "/v1/auth/status"),
    ("POST", "/v1/auth/login"),
    ("POST", "/v1/auth/refresh"),
    ("POST", "/v1/auth/register"),
    ("POST", "/v1/auth/signup"),
}


def closed(house: Any) -> Iterator[tuple[str, Route]]:
    for path, route in house.gateway.application.routes:
        if route.auth != "public":
            yield re.sub(r"\{[^}]+\}", "x", path), route


def sentence(answer: Any) -> str:
    """What an error says: natively, or in any of the foreign dialects."""
    body = answer.json()
    if "error_code" in body:
        assert body["error_code"] in {"not_authenticated", "forbidden"}
    said: str = body["detail"] if "error_code" in body else body["error"]["message"]
    return said


async def test_only_these_routes_ask_for_no_credential(house: Any) -> None:
    found = {(route.method, route.path) for _, route in house.gateway.application.routes if route.auth == "public"}
    assert found == PUBLIC


async def test_every_other_route_refuses_an_anonymous_caller(house: Any) -> None:
    walked = 0
    for path, route in closed(house):
        answer = await house.client.request(route.method, path, json={})
        assert (answer.status_code, bool(sentence(answer))) == (401, True), (route.method, path)
        walked += 1
    assert walked > 30


async def test_every_scope_a_route_asks_for_exists_and_is_enforced(house: Any) -> None:
    customer = await house.customer()
    for path, route in closed(house):
        if route.scope is None:
            assert route.path == "/v1/auth/logout"
            continue
        assert route.scope in SCOPES
        others = sorted(SCOPES - {route.scope})
        key = await house.key_of(customer, scopes=others)
        answer = await house.client.request(route.method, path, json={}, headers={"x-api-key": key})
        assert answer.status_code == 403, (route.method, path)
        assert f"`{route.scope}`" in sentence(answer)


async def test_a_person_logged_in_may_do_what_a_key_may(house: Any) -> None:
    body = {"email": "walker@example.com", "password": "several plain words together"}
    token = (await house.client.post("/v1/auth/register", json=body)).json()["access_token"]
    for path in ("/v1/models", "/v1/keys", "/v1/billing/balance", "/v1/billing/usage", "/v1/providers"):
        answer = await house.client.get(path, headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200, path


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "{key}"},
        {"x-goog-api-key": "{key}"},
        {"authorization": "bearer {key}"},
        {"authorization": "Bearer {key}", "x-api-key": "{key}"},
        {"authorization": "Bearer None", "x-api-key": "{key}"},
    ],
)
async def test_a_key_is_read_wherever_an_sdk_puts_it(house: Any, headers: dict[str, str]) -> None:
    key = (await house.customer()).api_key
    sent = {name: value.format(key=key) for name, value in headers.items()}
    assert (await house.client.get("/v1/models", headers=sent)).status_code == 200
    assert (await house.client.get(f"/v1/models?key={key}")).status_code == 200
