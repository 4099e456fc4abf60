"""`X-MK-Max-Cost`: what a request may cost at most, said on any request that costs something, in every dialect."""

import json
from typing import Any

import pytest

from monkey_coder_server.domain.money import parse_usd
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Answer, Gateway
from packages.server.tests.features.inference.test_keys_of_repeats import GPT, request
from packages.server.tests.features.inference.world import Script

DIALECTS = ("chat", "completions", "messages", "responses", "gemini")
STATUSES = {"chat": 400, "completions": 400, "messages": 402, "responses": 429, "gemini": 402}
"""What stops the agents of each dialect at once."""
EMBEDDING: tuple[str, dict[str, Any]] = ("/v1/embeddings", {"model": "openai/embed-small", "input": "hi"})

each_dialect = pytest.mark.parametrize("dialect", DIALECTS)


def everything_answers() -> Gateway:
    gateway = Gateway()
    for provider, script in (("openai", wires.openai()), ("anthropic", wires.anthropic()), ("google", wires.gemini())):
        gateway.wire.play(provider, script)
    return gateway


async def ask(gateway: Gateway, dialect: str, model: str, limit: str, **fields: Any) -> Answer:
    path, body = request(dialect, model, stream=False)
    return await gateway.ask(path, body=json.dumps({**body, **fields}).encode(), headers={"x-mk-max-cost": limit})


@each_dialect
async def test_a_request_within_its_limit_is_served_and_no_more_than_that_is_held(dialect: str) -> None:
    gateway = everything_answers()
    answer = await ask(gateway, dialect, GPT, "0.05")
    assert answer.status == 200, answer.body
    assert parse_usd(answer.headers["x-monkey-cost"]) <= 50_000_000
    limit = gateway.wire.sent[0][2]["max_tokens"]
    assert 256 <= limit < 2_000, "an open limit is lowered to what may be spent"


@each_dialect
async def test_what_costs_more_even_on_its_cheapest_route_is_refused_and_told_what_it_needs(dialect: str) -> None:
    gateway = everything_answers()
    answer = await ask(gateway, dialect, GPT, "0.000001")
    assert answer.status == STATUSES[dialect], answer.body
    message = answer.json["error"]["message"]
    assert "max_cost of 0.000001 USD" in message
    needed = message.partition("can cost ")[2].partition(" USD")[0]
    assert not gateway.wire.sent
    assert (await ask(gateway, dialect, GPT, needed)).status == 200


async def test_routes_that_could_cost_more_are_passed_over() -> None:
    gateway = everything_answers()
    answer = await ask(gateway, "chat", "auto:best", "0.02", max_tokens=4_000)
    assert answer.status == 200, answer.body
    assert answer.headers["x-monkey-model"] == "gpt-small"


@pytest.mark.parametrize("limit", ["", "lots", "-1", "NaN", "1e3", "inf", "0.0000000001", "1,50", "٣"])
@each_dialect
async def test_a_limit_that_is_no_amount_is_refused(dialect: str, limit: str) -> None:
    gateway = everything_answers()
    path, body = request(dialect, GPT, stream=False)
    sent = limit.encode().decode("latin-1")
    answer = await gateway.ask(path, body=json.dumps(body).encode(), headers={"x-mk-max-cost": sent})
    assert answer.status == 400
    assert "X-MK-Max-Cost" in answer.json["error"]["message"]
    assert not gateway.wire.sent


@pytest.mark.parametrize(("field", "header"), [(None, "0.000001"), ("1", "0.000001"), ("0.000001", "1")])
@pytest.mark.parametrize("path", ["/v1/execute", "/v1/execute/stream", "/v1/quote"])
async def test_a_native_task_obeys_the_lower_of_field_and_header(path: str, field: str | None, header: str) -> None:
    gateway = everything_answers()
    answer = await gateway.ask(path, model=GPT, max_cost=field, headers={"x-mk-max-cost": header})
    assert (answer.status, answer.json["error_code"]) == (402, "budget_exceeded")
    assert answer.json["limit_usd"] == "0.000001"
    assert not gateway.wire.sent


async def test_the_native_api_refuses_a_header_that_is_no_amount() -> None:
    gateway = everything_answers()
    answer = await gateway.ask(model=GPT, headers={"x-mk-max-cost": "lots"})
    assert (answer.status, answer.json["error_code"]) == (400, "invalid_request")


@pytest.mark.parametrize(("limit", "status"), [("0.000000001", 400), ("0.01", 200)])
async def test_vectors_obey_it_too(limit: str, status: int) -> None:
    gateway = Gateway()
    vectors = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}], "model": "m"}
    gateway.wire.play("openai", Script(pieces=[json.dumps(vectors | {"usage": {"prompt_tokens": 3}}).encode()]))
    path, body = EMBEDDING
    answer = await gateway.ask(path, body=json.dumps(body).encode(), headers={"x-mk-max-cost": limit})
    assert answer.status == status, answer.body
