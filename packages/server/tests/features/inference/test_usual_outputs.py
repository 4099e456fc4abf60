"""What answers of a kind really took is what they are expected to take, and to cost, when models are ranked."""

from typing import Any

import pytest

from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.test_quote_debug_feedback import everything_answers


async def ranked(gateway: Gateway, number: int, **fields: Any) -> dict[str, dict[str, Any]]:
    """The candidates by name; another `number` is another ranking."""
    asked = {"context": {"max_tokens": 10_000 + number}} | fields
    info = (await gateway.ask("/v1/router/debug", **asked)).json["debug_info"]
    return {each["model"]: each for each in info["metadata"]["candidates"]}


async def test_a_model_that_answers_at_length_is_expected_to_and_to_cost_more() -> None:
    gateway = Gateway(balance=10**12)
    everything_answers(gateway)
    before = await ranked(gateway, 0)
    assert {each["output_from"] for each in before.values()} == {"prior"}
    gateway.wire.play("anthropic", wires.anthropic(output=6_000))
    for number in range(6):
        await gateway.ask(model="anthropic/claude-big", context={"max_tokens": 9_000 + number})
        await gateway.ask(model="openai/gpt-big", context={"max_tokens": 9_000 + number})
    after = await ranked(gateway, 1)
    long, short = after["anthropic/claude-big"], after["openai/gpt-big"]
    assert (long["expected_output_tokens"], long["output_from"]) == (6_000, "seen")
    assert short["expected_output_tokens"] == 20
    assert float(long["expected_cost_usd"]) > 3 * float(before["anthropic/claude-big"]["expected_cost_usd"])
    assert float(short["expected_cost_usd"]) < float(before["openai/gpt-big"]["expected_cost_usd"]) / 3


async def test_a_model_that_was_not_asked_is_expected_to_take_what_others_did() -> None:
    gateway = Gateway(balance=10**12)
    everything_answers(gateway)
    for number in range(6):
        await gateway.ask(model="openai/gpt-big", context={"max_tokens": 9_000 + number})
    after = await ranked(gateway, 1)
    assert {each["expected_output_tokens"] for each in after.values()} == {20}


async def test_another_kind_of_work_and_the_callers_limit_are_kept_to() -> None:
    gateway = Gateway(balance=10**12)
    everything_answers(gateway)
    gateway.wire.play("openai", wires.openai(output=6_000))
    for number in range(6):
        await gateway.ask(model="openai/gpt-big", context={"max_tokens": 9_000 + number})
    other = await ranked(gateway, 1, task_type="testing")
    assert other["openai/gpt-big"]["output_from"] == "prior"
    limited = await ranked(gateway, 0, context={"max_tokens": 500})
    assert limited["openai/gpt-big"]["expected_output_tokens"] == 500


async def test_longer_answers_of_a_measured_model_are_expected_to_take_longer() -> None:
    gateway = Gateway(balance=10**12)
    for name in ("openai/gpt-big", "anthropic/claude-big"):
        gateway.health.succeeded(name, first_byte_ms=300, total_ms=2_300, now=0.0, output_tokens=100, stream=True)
    short = (await ranked(gateway, 0, context={"max_tokens": 10}))["openai/gpt-big"]
    long = (await ranked(gateway, 0, context={"max_tokens": 1_010}))["openai/gpt-big"]
    assert (short["latency_from"], long["latency_from"]) == ("measured", "measured")
    seconds_more = (long["expected_latency_ms"] - short["expected_latency_ms"]) / 1_000
    assert 1_000 / seconds_more == pytest.approx(53.0, rel=0.02)
