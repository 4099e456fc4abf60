"""Credentials are read wherever an SDK puts them, and people may use what keys may; `matrix` walks all routes."""

from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
