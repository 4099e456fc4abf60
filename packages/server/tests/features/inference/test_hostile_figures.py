"""Figures and texts nobody sane sends: refused in one sentence or served, never a crash, never an open hold."""

import json
from typing import Any

import pytest

from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway

MODEL = "openai/gpt-big"
ASKED = {"task_type": "custom", "prompt": "hello", "model": MODEL}
LITERALS = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "-1e400",
    "-1",
    "0",
    "1" + "0" * 30,
    "1" + "0" * 400,
    "1" + "0" * 5000,
    "-0.5",
]
NUMBERS = ["timeout", "max_tokens", "temperature"]
SHARES = ["agent_count", "max_iterations", "execution_branches", "consensus_threshold", "quantum_coherence"]
COSTS = ["1e-400", "Infinity", "NaN", "-1", "-0", "1" + "0" * 30, "0x10", "1_000", "", "٣", "1.0000000001", "9" * 400]


def body(**fields: Any) -> str:
    return json.dumps({**ASKED, **fields})


@pytest.mark.parametrize("path", ["/v1/execute", "/v1/execute/stream", "/v1/quote", "/v1/router/debug"])
@pytest.mark.parametrize("literal", LITERALS)
@pytest.mark.parametrize("field", NUMBERS)
async def test_no_number_of_the_context_breaks_anything(path: str, field: str, literal: str) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai_stream() if path.endswith("stream") else wires.openai())
    text = body(context={field: "@"}).replace('"@"', literal)
    answer = await gateway.ask(path, body=text.encode())
    harmless = field == "temperature" and literal == "0"
    assert answer.status == (200 if harmless else 400), answer.body
    assert not gateway.notes.defects
    assert not gateway.books.open


@pytest.mark.parametrize("literal", LITERALS)
@pytest.mark.parametrize("field", SHARES)
async def test_no_number_of_an_orchestration_breaks_anything(field: str, literal: str) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    text = body(quantum_config={field: "@"}).replace('"@"', literal)
    answer = await gateway.ask(body=text.encode())
    harmless = literal == "0" and field in {"consensus_threshold", "quantum_coherence"}
    assert answer.status == (200 if harmless else 400), answer.body
    assert not gateway.notes.defects


@pytest.mark.parametrize("literal", LITERALS)
async def test_no_score_breaks_anything(literal: str) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    served = await gateway.ask(model=MODEL)
    report = {"request_id": served.json["result"]["metadata"]["request_id"], "outcome": "accepted", "score": "@"}
    answer = await gateway.ask("/v1/feedback", body=json.dumps(report).replace('"@"', literal).encode())
    assert answer.status == (200 if literal == "0" else 400), answer.body


@pytest.mark.parametrize("amount", COSTS)
async def test_only_plain_decimal_amounts_are_a_max_cost(amount: str) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    answer = await gateway.ask(model=MODEL, max_cost=amount)
    assert answer.status == 400, answer.body
    assert answer.json["error_code"] == "invalid_request"
    assert not gateway.books.events


@pytest.mark.parametrize("path", ["/v1/execute", "/v1/execute/stream"])
@pytest.mark.parametrize("field", ["prompt", "task_id", "file", "instructions"])
async def test_half_a_surrogate_pair_is_refused_or_served(path: str, field: str) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai_stream() if path.endswith("stream") else wires.openai())
    half: dict[str, Any] = {
        "prompt": {"prompt": "half a pair: \ud800"},
        "task_id": {"task_id": "t\ud800"},
        "file": {"files": [{"path": "a\ud800", "content": "\udfff"}]},
        "instructions": {"persona_config": {"custom_instructions": "\ud800"}},
    }[field]
    answer = await gateway.ask(path, body=body(**half).encode())
    assert answer.status in {200, 400}
    assert not gateway.notes.defects
    assert not gateway.books.open


@pytest.mark.parametrize("path", ["/v1/execute", "/v1/execute/stream"])
async def test_half_a_surrogate_pair_in_an_answer_leaves_no_hold_open(path: str) -> None:
    gateway = Gateway()
    text = "half a pair: \ud800 and on " * 3
    gateway.wire.play("openai", wires.openai_stream(text) if path.endswith("stream") else wires.openai(text))
    await gateway.ask(path, model=MODEL)
    assert not gateway.books.open
    assert not gateway.notes.defects
