"""Bad input gets the contract's status, its code and one helpful sentence; nothing is held and nobody is called."""

from typing import Any

import pytest

from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway

CASES: list[tuple[dict[str, Any], int, str, str]] = [
    ({"prompt": "  "}, 400, "invalid_request", "prompt"),
    ({"prompt": None}, 400, "invalid_request", "prompt"),
    ({"task_type": "cooking"}, 400, "invalid_request", "code_generation"),
    ({"context": {"timeout": 0}}, 400, "invalid_request", "between 1 and 3600"),
    ({"context": {"timeout": 3601}}, 400, "invalid_request", "timeout"),
    ({"context": {"temperature": 2.1}}, 400, "invalid_request", "between 0 and 2"),
    ({"context": {"temperature": -0.1}}, 400, "invalid_request", "temperature"),
    ({"context": {"max_tokens": 0}}, 400, "invalid_request", "max_tokens"),
    ({"context": {"max_tokens": "many"}}, 400, "invalid_request", "max_tokens"),
    ({"context": "here"}, 400, "invalid_request", "context"),
    ({"persona_config": {"persona": "pirate"}}, 400, "invalid_request", "developer"),
    ({"files": [{"path": "a"}]}, 400, "invalid_request", "content"),
    (
        {"monkey1_config": {"agent_count": 9}},
        400,
        "invalid_request",
        "`monkey1_config.agent_count` must be between 1 and 8",
    ),
    ({"monkey1_config": {"agent_count": 0}}, 400, "invalid_request", "between 1 and 8"),
    ({"orchestration_config": {"max_iterations": 6}}, 400, "invalid_request", "between 1 and 5"),
    ({"monkey1_config": {"coordination_strategy": "telepathic"}}, 400, "invalid_request", "sequential, parallel,"),
    ({"orchestration_config": {"quantum_coherence": 1.5}}, 400, "invalid_request", "quantum_coherence"),
    ({"orchestration_config": {"execution_branches": 0}}, 400, "invalid_request", "execution_branches"),
    ({"orchestration_config": {"collapse_strategy": "magic"}}, 400, "invalid_request", "first_success"),
    ({"max_cost": "lots"}, 400, "invalid_request", "max_cost"),
    ({"max_cost": "-1"}, 400, "invalid_request", "max_cost"),
    ({"task_id": ""}, 400, "invalid_request", "task_id"),
    ({"task_id": "x" * 201}, 400, "invalid_request", "task_id"),
    ({"preferred_providers": ["acme"]}, 400, "invalid_request", "openai"),
    ({"model": "gpt-bigg"}, 404, "model_not_found", "gpt-big"),
    ({"model": "acme/none"}, 404, "model_not_found", "acme/none"),
    ({"model_preferences": {"openai": "nope"}}, 404, "model_not_found", "nope"),
    ({"model": "openai/gpt-unpriced"}, 400, "price_unknown", "price"),
    ({"quote_id": "quote_none"}, 404, "not_found", "quote"),
    ({"model": "openai/gpt-big", "prompt": "word " * 200_000}, 400, "context_too_long", "tokens"),
]


@pytest.mark.parametrize("path", ["/v1/execute", "/v1/execute/stream"])
@pytest.mark.parametrize(("fields", "status", "code", "word"), CASES)
async def test_bad_input(path: str, fields: dict[str, Any], status: int, code: str, word: str) -> None:
    gateway = Gateway()
    answer = await gateway.ask(path, **fields)
    assert (answer.status, answer.json["error_code"]) == (status, code), answer.body
    assert word in answer.json["detail"]
    assert answer.json["detail"] == answer.json["message"]
    assert answer.json["status_code"] == status
    assert answer.json["request_id"]
    assert not gateway.books.events
    assert not gateway.wire.sent


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"task_type": 1}'])
async def test_what_is_no_request_at_all(body: bytes) -> None:
    answer = await Gateway().ask(body=body)
    assert (answer.status, answer.json["error_code"]) == (400, "invalid_request")


async def test_a_model_outside_the_keys_list_is_forbidden() -> None:
    gateway = Gateway()
    gateway.allow("openai/gpt-small")
    answer = await gateway.ask(model="openai/gpt-big")
    assert (answer.status, answer.json["error_code"]) == (403, "model_not_allowed")


async def test_auto_stays_within_the_keys_list() -> None:
    gateway = Gateway()
    gateway.allow("openai/gpt-small")
    gateway.wire.play("openai", wires.openai())
    assert (await gateway.ask()).headers["x-monkey-model"] == "gpt-small"


async def test_a_provider_without_a_key_serves_nothing() -> None:
    gateway = Gateway(keys={"openai": ("sk",)})
    answer = await gateway.ask(model="anthropic/claude-big")
    assert (answer.status, answer.json["error_code"]) == (404, "model_not_found")
    assert "anthropic" in answer.json["message"]


async def test_a_preference_nothing_can_be_had_of_is_dropped_and_said() -> None:
    gateway = Gateway(keys={"anthropic": ("sk",)})
    gateway.wire.play("anthropic", wires.anthropic())
    answer = await gateway.ask(preferred_providers=["openai"])
    assert answer.status == 200
    assert answer.json["persona_routing"]["preferred_providers_not_available"] == ["openai"]


async def test_a_preferred_provider_is_kept_to() -> None:
    gateway = Gateway()
    gateway.wire.play("google", wires.error(500))
    answer = await gateway.ask(preferred_providers=["gemini"])
    assert answer.status == 502
    assert {sent[0] for sent in gateway.wire.sent} == {"google"}


async def test_our_own_rate_limit_says_when_to_come_back() -> None:
    gateway = Gateway(requests_left=1)
    gateway.wire.play("openai", wires.openai())
    first = await gateway.ask(model="openai/gpt-big")
    assert first.headers["x-ratelimit-remaining"] == "0"
    second = await gateway.ask(model="openai/gpt-big")
    assert (second.status, second.json["error_code"]) == (429, "rate_limited")
    assert second.headers["retry-after"] == "7"
    assert second.headers["x-ratelimit-limit"] == "60000"
