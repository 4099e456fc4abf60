import json
from datetime import datetime
from typing import Any, cast

import pytest

from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.features import ops
from monkey_coder_server.web.request import Request

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
        assert (await house.client.get("/health/ready")).status_code == 503
        noticed = await house.client.get("/v1/models", headers=customer.headers)
        assert noticed.status_code == 200, "balancers look away first"
        house.gateway.drain.refusing = True
        ready = await house.client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "draining")
        assert (await house.client.get("/health")).status_code == 200
        work = await house.client.get("/v1/models", headers=customer.headers)
        assert (work.status_code, work.json()["error_code"]) == (503, "unavailable")
        assert work.headers["retry-after"] == "1"
    finally:
        house.gateway.drain.draining = house.gateway.drain.refusing = False


@pytest.mark.parametrize(("word", "status"), [(ops.CARRIED, 200), ("failing", 503)])
async def test_a_gateway_whose_database_is_away_is_ready_as_long_as_requests_go_on(word: str, status: int) -> None:
    async def probe() -> str:
        return word

    checks = {"database": ops.Check(probe, needed=True)}
    routes = ops.api.OpsRoutes(ops.Dependencies(checks, lambda: False, SystemClock(), "1", "http://gateway", ()))
    request = cast("Request", None)
    ready, health = await routes.ready(request), await routes.health(request)
    assert (ready.status, json.loads(ready.body)["status"]) == (status, "degraded")
    assert (health.status, json.loads(health.body)["status"]) == (200, "degraded")
    assert json.loads(ready.body)["components"] == {"database": word}


async def test_the_root_answers_head_without_a_key(house: Any) -> None:
    answer = await house.client.head("/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await house.client.get("/")).json()["service"] == "Monkey Coder"
