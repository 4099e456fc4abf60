"""Weights of one request or key: they choose the model, are told, and make requests different."""

import json
from dataclasses import replace
from typing import Any

import pytest

from monkey_coder_server.domain.weights import Weights
from packages.server.tests.features.inference.gateway import KEY, PRICES, Answer, Gateway
from packages.server.tests.features.inference.test_quote_debug_feedback import everything_answers

HEADER = "x-mk-weights"
CHEAPEST = min(PRICES, key=lambda name: PRICES[name])
CHEAP, GOOD = {"cost": 1.0}, {"quality": 1.0}
DOORS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/chat/completions", {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}),
    ("/v1/messages", {"model": "auto", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 400}),
    ("/v1/responses", {"model": "auto", "input": "hi"}),
    ("/v1beta/models/auto:generateContent", {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}),
]


def world() -> Gateway:
    gateway = Gateway()
    everything_answers(gateway)
    return gateway


async def debugged(gateway: Gateway, headers: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    body = (await gateway.ask("/v1/router/debug", headers=headers or {}, **fields)).json
    told: dict[str, Any] = body["debug_info"]["metadata"]
    return told


async def test_the_body_decides_and_the_decision_says_so() -> None:
    gateway = world()
    cheap, good = await debugged(gateway, weights=CHEAP), await debugged(gateway, weights=GOOD)
    assert cheap["chosen"] == CHEAPEST != good["chosen"]
    assert cheap["weights"] == {"quality": 0.0, "cost": 100.0, "latency": 0.0}
    assert (cheap["weights_from"], (await debugged(gateway))["weights_from"]) == ("request", "persona")
    assert (await debugged(gateway, model="auto:best", weights=CHEAP))["chosen"] == CHEAPEST
    assert (await debugged(gateway, model="auto:best"))["weights_from"] == "model"


async def test_a_quote_and_the_answer_go_where_the_weights_say_and_tell_them() -> None:
    gateway = world()
    quote = (await gateway.ask("/v1/quote", weights=CHEAP)).json
    assert quote["route"] == CHEAPEST
    answer = await gateway.ask(weights=CHEAP, quote_id=quote["quote_id"])
    told = answer.json["result"]["quantum_collapse_info"]
    assert (told["collapsed_to"], told["weights_from"], told["weights"]["cost"]) == (CHEAPEST, "request", 100.0)
    other = await gateway.ask(weights=GOOD, quote_id=quote["quote_id"])
    assert other.status == 400, "a quote is for one body"


async def test_the_header_says_it_where_the_body_does_not() -> None:
    gateway = world()
    header = {HEADER: " cost = 1 , quality=0"}
    assert (await debugged(gateway, headers=header))["chosen"] == CHEAPEST
    assert (await debugged(gateway, headers=header, weights=GOOD))["chosen"] != CHEAPEST


@pytest.mark.parametrize(("path", "body"), DOORS)
async def test_every_dialect_takes_the_header(path: str, body: dict[str, Any]) -> None:
    gateway = world()
    sent = json.dumps(body).encode()
    cheap = await gateway.ask(path, body=sent, headers={HEADER: "cost=1"})
    good = await gateway.ask(path, body=sent, headers={HEADER: "quality=1"})
    assert _route(cheap) == CHEAPEST != _route(good)


@pytest.mark.parametrize("said", ["", "cost", "cost=", "cost=x", "speed=1", "cost=1,cost=2", "cost=-1", "cost=0",
                                  "cost=nan", "cost=inf", "cost=1;quality=1", "cost=1" + " " * 200])  # fmt: skip
async def test_a_header_of_nonsense_is_refused_in_every_dialect(said: str) -> None:
    gateway = world()
    for path, body in [("/v1/execute", None), *DOORS]:
        sent = None if body is None else json.dumps(body).encode()
        answer = await gateway.ask(path, body=sent, headers={HEADER: said})
        assert answer.status == 400, (path, answer.body)
        assert b"X-MK-Weights" in answer.body
    assert not gateway.wire.sent


async def test_a_key_decides_where_neither_request_nor_model_does() -> None:
    gateway = world()
    gateway.key = replace(KEY, weights=Weights(0, 100, 0))
    told = await debugged(gateway)
    assert (told["chosen"], told["weights_from"]) == (CHEAPEST, "key")
    assert (await debugged(gateway, weights=GOOD))["chosen"] != CHEAPEST
    assert (await debugged(gateway, model="auto:best"))["weights_from"] == "model"


async def test_a_ranking_is_shared_only_among_requests_of_the_same_weights() -> None:
    gateway = world()
    chosen = [(await debugged(gateway, weights=each))["chosen"] for each in (CHEAP, GOOD, CHEAP, {"cost": 7.0})]
    assert chosen[0] == chosen[2] == chosen[3] != chosen[1]


async def test_a_task_under_one_id_is_one_with_the_same_weights_only() -> None:
    gateway = world()
    first = await gateway.ask(task_id="t1", weights=CHEAP)
    again = await gateway.ask(task_id="t1", headers={HEADER: "cost=5"})
    assert again.body == first.body
    assert (await gateway.ask(task_id="t1", weights=GOOD)).status == 422
    assert (await gateway.ask(task_id="t1")).status == 422
    assert len(gateway.books.settled) == 1


@pytest.mark.parametrize(("path", "body"), DOORS)
async def test_an_idempotency_key_is_for_the_same_weights_only(path: str, body: dict[str, Any]) -> None:
    gateway = world()
    sent = json.dumps(body).encode()

    async def ask(weights: str | None) -> Answer:
        said = {} if weights is None else {HEADER: weights}
        return await gateway.ask(path, body=sent, headers={"idempotency-key": "abc", **said})

    assert (await ask("cost=1")).status == 200
    again = await ask("cost=2")
    assert again.headers["idempotent-replayed"] == "true"
    assert {(await ask("cost=1,quality=1")).status, (await ask(None)).status} == {422}


async def test_a_repeat_within_a_session_with_other_weights_is_another_request() -> None:
    gateway = world()
    path, body = DOORS[0]
    sent = json.dumps(body).encode()
    session = {"x-session-id": "s1", "x-stainless-retry-count": "1"}
    for weights in ("cost=1", "cost=1", "quality=1"):
        answer = await gateway.ask(path, body=sent, headers={**session, HEADER: weights})
        assert answer.status == 200
    assert len(gateway.wire.sent) == 2


def _route(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    return f"{answer.headers['x-monkey-provider']}/{answer.headers['x-monkey-model']}"
