"""The price before the work, the reasons behind a choice, and what became of an answer."""

from datetime import timedelta
from typing import Any

import pytest

from monkey_coder_server.domain.money import parse_usd
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import PRICES, Gateway


def everything_answers(gateway: Gateway) -> None:
    for provider, script in (("openai", wires.openai()), ("anthropic", wires.anthropic()), ("google", wires.gemini())):
        gateway.wire.play(provider, script)


async def test_a_quote_names_each_route_with_its_expected_and_greatest_price() -> None:
    gateway = Gateway()
    body = (await gateway.ask("/v1/quote")).json
    assert {f"{route['provider']}/{route['model']}" for route in body["routes"]} == set(PRICES)
    for route in body["routes"]:
        assert 0 < parse_usd(route["expected_usd"]) <= parse_usd(route["maximum_usd"])
    assert body["route"] == f"{body['routes'][0]['provider']}/{body['routes'][0]['model']}"
    assert not gateway.books.events
    assert not gateway.wire.sent


async def test_the_quoted_maximum_is_what_is_held_and_the_quoted_price_is_charged() -> None:
    gateway = Gateway()
    everything_answers(gateway)
    quote = (await gateway.ask("/v1/quote", model="openai/gpt-big")).json
    answer = await gateway.ask(model="openai/gpt-big", quote_id=quote["quote_id"])
    assert answer.status == 200, answer.body
    assert answer.json["result"]["metadata"]["held_usd"] == quote["maximum_usd"]
    assert answer.json["result"]["metadata"]["price_book"] == quote["price_book"]


async def test_a_quote_keeps_its_price_when_the_prices_change() -> None:
    gateway = Gateway()
    everything_answers(gateway)
    quote = (await gateway.ask("/v1/quote", model="openai/gpt-big")).json
    stored = gateway.shelf.quotes[quote["quote_id"]]
    halved = stored.body.replace(b"10000000000", b"5000000000").replace(b"30000000000", b"15000000000")
    gateway.shelf.quotes[quote["quote_id"]] = type(stored)(
        stored.quote_id, stored.account_id, stored.fingerprint, halved, stored.expires_at
    )
    await gateway.ask(model="openai/gpt-big", quote_id=quote["quote_id"])
    ((settlement, _),) = gateway.books.settled.values()
    assert settlement.price == (100 * 5_000 + 20 * 15_000) * 105 // 100


async def test_a_quote_is_for_one_body_and_for_a_while() -> None:
    gateway = Gateway()
    everything_answers(gateway)
    quote = (await gateway.ask("/v1/quote", model="openai/gpt-big")).json["quote_id"]
    other = await gateway.ask(model="openai/gpt-big", prompt="something else", quote_id=quote)
    assert (other.status, other.json["error_code"]) == (400, "invalid_request")
    gateway.clock.today += timedelta(hours=1)
    late = await gateway.ask(model="openai/gpt-big", quote_id=quote)
    assert (late.status, late.json["error_code"]) == (404, "not_found")


async def test_debug_has_the_shape_older_clients_read_with_true_numbers() -> None:
    gateway = Gateway()
    body = (await gateway.ask("/v1/router/debug", files=[{"path": "a.py", "content": "x"}])).json
    assert set(body) == {"debug_info", "request_summary", "personas_available", "timestamp"}
    info = body["debug_info"]
    assert set(info) == {
        "routing_decision",
        "scoring_breakdown",
        "metadata",
        "available_models",
        "routing_history_count",
    }
    decision = info["routing_decision"]
    leader = info["metadata"]["candidates"][0]
    assert f"{decision['provider']}/{decision['model']}" == leader["model"] == info["available_models"][0]
    assert decision["confidence"] == leader["success"]
    assert [each["why"] for each in info["metadata"]["excluded"]] == ["no_price"]
    assert body["request_summary"] == {
        "task_type": "code_generation",
        "prompt_length": 17,
        "has_files": True,
        "file_count": 1,
    }
    assert not gateway.wire.sent


async def test_debug_tells_what_was_measured() -> None:
    gateway = Gateway()
    everything_answers(gateway)
    await gateway.ask(model="openai/gpt-big")
    info = (await gateway.ask("/v1/router/debug")).json["debug_info"]
    health = info["metadata"]["health"]["openai/gpt-big"]
    assert health["served"] == 1
    assert health["tokens_per_second"] > 0
    assert info["routing_history_count"] == 1


async def test_debug_tells_how_far_a_model_falls_short_of_what_was_believed() -> None:
    gateway = Gateway()
    everything_answers(gateway)
    assert (await gateway.ask("/v1/router/debug")).json["debug_info"]["metadata"]["change"] == {}
    shortfalls = []
    for number in range(6):
        served = (await gateway.ask(model="openai/gpt-big", context={"max_tokens": 10 + number})).json["execution_id"]
        await gateway.ask("/v1/feedback", body=feedback(request_id=served, outcome="tests_failed"))
        change = (await gateway.ask("/v1/router/debug")).json["debug_info"]["metadata"]["change"]["openai/gpt-big"]
        shortfalls.append(change["shortfall"])
        assert change["limit"] == 4.0
        assert change["given_up"] == 0
        assert change["shortfall_of_all_accounts"] <= change["shortfall"]
    assert shortfalls == sorted(shortfalls)


@pytest.mark.parametrize(("outcome", "score"), [("accepted", 1.0), ("tests_failed", 0.0)])
async def test_feedback_is_counted_for_the_model_that_answered(outcome: str, score: float) -> None:
    gateway = Gateway()
    everything_answers(gateway)
    served = (await gateway.ask(model="openai/gpt-big")).json
    answer = await gateway.ask("/v1/feedback", body=feedback(request_id=served["execution_id"], outcome=outcome))
    assert answer.json["model"] == "openai/gpt-big"
    assert answer.json["reports"] == 1
    assert answer.json["mean_score"] == score


def feedback(**fields: Any) -> bytes:
    import json

    return json.dumps(fields).encode()


async def test_feedback_moves_the_success_the_router_reckons_with() -> None:
    gateway = Gateway()
    everything_answers(gateway)

    async def success() -> float:
        info = (await gateway.ask("/v1/router/debug", context={"max_tokens": 10 + len(gateway.books.settled)})).json
        candidates = info["debug_info"]["metadata"]["candidates"]
        return next(float(each["success"]) for each in candidates if each["model"] == "openai/gpt-big")

    before = await success()
    for _ in range(3):
        served = (await gateway.ask(model="openai/gpt-big")).json["execution_id"]
        await gateway.ask("/v1/feedback", body=feedback(request_id=served, outcome="rejected"))
    assert await success() < before


async def test_feedback_on_anothers_or_no_request_is_not_found() -> None:
    answer = await Gateway().ask("/v1/feedback", body=feedback(request_id="req_none", outcome="accepted"))
    assert (answer.status, answer.json["error_code"]) == (404, "not_found")


async def test_feedback_needs_a_known_outcome_and_a_score_between_0_and_1() -> None:
    gateway = Gateway()
    for fields in ({"outcome": "meh"}, {"outcome": "accepted", "score": 2.0}):
        answer = await gateway.ask("/v1/feedback", body=feedback(request_id="req_1", **fields))
        assert (answer.status, answer.json["error_code"]) == (400, "invalid_request")


async def test_reports_count_as_requests_of_the_callers_rate() -> None:
    gateway = Gateway(requests_left=1)
    everything_answers(gateway)
    served = (await gateway.ask(model="openai/gpt-big")).json
    answer = await gateway.ask("/v1/feedback", body=feedback(request_id=served["execution_id"], outcome="accepted"))
    assert (answer.status, answer.json["error_code"]) == (429, "rate_limited")
