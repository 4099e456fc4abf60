from datetime import datetime
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("path", ["/health", "/healthz", "/api/health"])
async def test_health_has_exactly_four_keys_and_words_for_components(house: Any, path: str) -> None:
    answer = await house.client.get(path)
    body = answer.json()
    assert list(body) == ["status", "version", "timestamp", "components"]
    assert all(isinstance(word, str) for word in body["components"].values())
    assert (answer.status_code, body["status"]) == (200, "healthy")
    assert datetime.fromisoformat(body["timestamp"]).tzinfo is not None


async def test_a_gateway_is_ready_until_it_drains(house: Any) -> None:
    customer = await house.customer()
    assert (await house.client.get("/health/ready")).status_code == 200
    house.gateway.drain.draining = True
    try:
        ready = await house.client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "draining")
        assert (await house.client.get("/health")).status_code == 200
        work = await house.client.get("/v1/models", headers=customer.headers)
        assert (work.status_code, work.json()["error_code"]) == (503, "unavailable")
        assert work.headers["retry-after"] == "1"
    finally:
        house.gateway.drain.draining = False


async def test_the_root_answers_head_without_a_key(house: Any) -> None:
    answer = await house.client.head("/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await house.client.get("/")).json()["service"] == "Monkey Coder"
