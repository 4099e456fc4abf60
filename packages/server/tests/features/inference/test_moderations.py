"""Moderation is free by a price row that says so, and stands in the books like everything else."""

import json
from typing import Any

import pytest

from packages.server.tests.features.inference.gateway import Answer, Gateway
from packages.server.tests.features.inference.world import Script

VERDICT = b'{\n "id": "modr-1",\n "model": "judge", "results": [{"flagged": true}]\n}'


async def judge(gateway: Gateway, path: str = "/v1/moderations", **fields: Any) -> Answer:
    return await gateway.ask(path, body=json.dumps({"model": "judge", "input": "hello", **fields}).encode())


@pytest.mark.parametrize("path", ["/v1/moderations", "/openai/v1/moderations", "/openai/moderations"])
async def test_the_verdict_comes_back_byte_for_byte_and_costs_nothing(path: str) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", Script(pieces=[VERDICT]))
    answer = await judge(gateway, path, new={"x": 1})
    assert (answer.status, answer.body) == (200, VERDICT)
    assert answer.headers["x-monkey-cost"] == "0.00"
    assert gateway.wire.sent[0][1:3] == (
        "https://openai.example/moderations",
        {"model": "judge", "input": "hello", "new": {"x": 1}},
    )


async def test_the_books_name_the_free_row() -> None:
    gateway = Gateway(balance=0)
    gateway.wire.play("openai", Script(pieces=[VERDICT]))
    assert (await judge(gateway)).status == 200
    (settlement, charge) = next(iter(gateway.books.settled.values()))
    assert (settlement.price_row, settlement.price, settlement.provider_cost, charge.charged) == (
        "openai/judge",
        0,
        0,
        0,
    )
    assert (settlement.usage.total, settlement.usage.estimated) == (0, False)


async def test_without_a_key_of_openais_there_is_none() -> None:
    gateway = Gateway(keys={"google": ("sk-google",)})
    answer = await judge(gateway)
    assert answer.status == 404
    assert "holds no key for openai" in answer.json["error"]["message"]


async def test_nobody_talks_with_a_judge() -> None:
    gateway = Gateway()
    answer = await gateway.ask(model="openai/judge")
    assert answer.status == 400
    assert "openai/judge is a model for moderation, not for chat" in answer.json["message"]


async def test_a_provider_that_fails_is_told_in_openais_words() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", Script(status=400, pieces=[b'{"error":{"message":"Bad image."}}']))
    answer = await judge(gateway)
    assert answer.status == 400
    assert "Bad image." in answer.json["error"]["message"]
