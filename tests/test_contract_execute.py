"""`POST /v1/execute` and what stands around it, spoken to by raw HTTP."""

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import RunningGateway
from tests.contract_http import RESPONSE_KEYS, TASK, Outsider

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]
EVERY_FIELD_NULL = {
    "task_id": None,
    "files": None,
    "context": {"user_id": "u", "session_id": None, "workspace_id": None, "environment": None,
                "timeout": None, "max_tokens": None, "temperature": None},
    "persona_config": {"persona": "developer", "slash_commands": None, "context_window": None,
                       "use_markdown_spec": None, "custom_instructions": None},
    "monkey1_config": None,
    "orchestration_config": None,
    "quantum_config": None,
    "preferred_providers": None,
    "model_preferences": None,
    "model_config": None,
    "max_cost": None,
    "quote_id": None,
}  # fmt: skip


@pytest.fixture
def user(gateway: RunningGateway) -> Outsider:
    return Outsider(gateway.base_url, gateway.api_key)


@pytest.mark.parametrize("path", ["/v1/execute", "/api/v1/execute"])
def test_the_answer_has_exactly_its_twelve_keys_and_plain_numbers(user: Outsider, path: str) -> None:
    answer = user.task(path)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.body
    assert set(body) == RESPONSE_KEYS
    assert body["status"] == "completed"
    assert body["error"] is None
    assert isinstance(body["result"]["result"], str)
    assert set(body["result"]) == {
        "result", "metadata", "artifacts", "confidence_score", "quantum_collapse_info"
    }  # fmt: skip
    usage = body["usage"]
    assert set(usage) == {
        "tokens_used", "tokens_input", "tokens_output", "provider_breakdown", "cost_estimate", "execution_time"
    }  # fmt: skip
    assert usage["tokens_used"] == usage["tokens_input"] + usage["tokens_output"]
    assert usage["provider_breakdown"] == {"openai": usage["tokens_used"]}
    assert isinstance(usage["cost_estimate"], float)
    assert isinstance(usage["execution_time"], float)
    assert isinstance(body["execution_time"], float)
    for dictionary in ("persona_routing", "monkey1_orchestration", "orchestration_execution"):
        assert isinstance(body[dictionary], dict)


def test_every_inference_reply_says_who_answered_and_for_how_much(user: Outsider) -> None:
    answer = user.task()
    said = {name: value for name, value in answer.headers.items() if name.startswith("x-")}
    metadata = answer.body["result"]["metadata"]
    assert said["x-request-id"] == answer.body["execution_id"] == metadata["request_id"]
    assert (said["x-monkey-provider"], said["x-monkey-model"]) == ("openai", "gpt-4.1-mini")
    assert said["x-monkey-cost"] == metadata["cost_usd"]
    assert said["x-monkey-receipt"] == metadata["receipt_id"]
    assert said["x-monkey-cache"] == "bypass"
    assert int(said["x-ratelimit-limit"]) > int(said["x-ratelimit-remaining"]) >= 0
    assert said["x-ratelimit-reset"].isdigit()
    receipt = user.get(f"/v1/billing/receipts/{metadata['receipt_id']}")
    assert receipt.status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"context": {"user_id": "u"}, "persona_config": {"persona": "developer"}},
        {"context": None, "persona_config": None},
        EVERY_FIELD_NULL,
        {"later": {"a": 1}, "context": {"user_id": "u", "x": 1}, "persona_config": {"persona": "tester", "y": [1]}},
        {"model_config": {"whatever": 1}, "files": [], "preferred_providers": [], "model_preferences": {}},
        {"task_type": "chat"},
        {"monkey1_config": {"agent_count": 3}, "orchestration_config": {"collapse_strategy": "weighted_average"}},
    ],
    ids=["bare", "minimal", "null objects", "all null", "unknown fields", "empty", "chat", "orchestration"],
)
def test_short_forms_nulls_and_unknown_fields_are_accepted(user: Outsider, fields: dict[str, Any]) -> None:
    answer = user.task(**fields)
    assert answer.status == 200, answer.raw


def test_the_same_task_id_is_answered_again_and_charged_once(user: Outsider) -> None:
    first = user.task(task_id="contract-once")
    again = user.task("/api/v1/execute", task_id="contract-once")
    assert again.raw == first.raw
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["x-monkey-receipt"] == first.headers["x-monkey-receipt"]
    assert again.headers["x-monkey-cache"] == "bypass"
    other = user.task(task_id="contract-once", prompt="something else")
    assert (other.status, other.body["error_code"]) == (422, "idempotency_conflict")


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "Bearer {key}"}, {"x-api-key": "{key}"}, {"x-goog-api-key": "{key}"}],
    ids=["bearer", "anthropic", "google"],
)
def test_the_key_is_read_from_each_sdks_header(gateway: RunningGateway, headers: dict[str, str]) -> None:
    sent = {name: value.format(key=gateway.api_key) for name, value in headers.items()}
    stranger = Outsider(gateway.base_url)
    assert stranger.post("/v1/execute", TASK, headers=sent).status == 200


def test_the_key_is_read_from_the_query_and_two_different_ones_are_refused(gateway: RunningGateway) -> None:
    stranger = Outsider(gateway.base_url)
    assert stranger.post(f"/v1/execute?key={gateway.api_key}", TASK).status == 200
    mistyped = gateway.api_key[:-1] + ("A" if gateway.api_key[-1] != "A" else "B")
    two = stranger.post(f"/v1/execute?key={mistyped}", TASK, headers={"x-api-key": gateway.api_key})
    assert (two.status, two.body["error_code"]) == (401, "invalid_api_key")
    assert two.headers["x-should-retry"] == "false"
    assert next(iter(two.body)) == "detail"
    assert isinstance(two.body["detail"], str)


@pytest.mark.parametrize("path", ["/health", "/api/health", "/healthz", "/v1/health", "/api/v1/health"])
def test_health_has_exactly_four_keys_everywhere(gateway: RunningGateway, path: str) -> None:
    answer = Outsider(gateway.base_url).get(path)
    assert answer.status == 200
    assert set(answer.body) == {"status", "version", "timestamp", "components"}
    assert all(isinstance(word, str) for word in answer.body["components"].values())


def test_the_root_and_readiness_ask_for_no_key(gateway: RunningGateway) -> None:
    stranger = Outsider(gateway.base_url)
    head = stranger.send("HEAD", "/")
    assert (head.status, head.raw) == (200, b"")
    assert stranger.get("/health/ready").status == 200
    assert stranger.get("/metrics").status == 404
    metrics = Outsider(gateway.metrics_url).get("/metrics")
    assert metrics.status == 200
    assert metrics.headers["content-type"].startswith("text/plain")


def test_a_websocket_is_told_to_speak_http(gateway: RunningGateway) -> None:
    handshake = (
        "GET /v1/responses HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    port = urlsplit(gateway.base_url).port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=10) as connection:
        connection.sendall(handshake.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 426 ")


def test_models_serve_their_readers_in_one_body(user: Outsider) -> None:
    listed = user.get("/v1/models").body
    assert listed["object"] == "list"
    named = [model for model in listed["data"] if not model["id"].startswith("auto")]
    assert listed["count"] == len(named) == sum(len(ids) for ids in listed["models"].values())
    assert {"auto", "auto:cheap", "auto:fast", "auto:best"} < {model["id"] for model in listed["data"]}
    assert set(listed["models"]) == {"openai", "anthropic", "google", "groq", "xai", "perplexity", "moonshot"}
    for model in named:
        assert model["object"] == "model"
        assert model["id"] == f"{model['provider']}/{model['id'].partition('/')[2]}"
        assert isinstance(model["created"], int)
        assert model["owned_by"]
    for asked in ("grok", "xai"):
        some = user.get(f"/api/v1/models?provider={asked}").body
        assert (set(some["models"]), some["provider_filter"]) == ({"xai"}, "xai")
    one = user.get("/v1/models/openai/gpt-4.1-mini").body
    assert (one["id"], one["object"]) == ("openai/gpt-4.1-mini", "model")


def test_providers_capabilities_and_routing_have_their_known_fields(user: Outsider) -> None:
    providers = user.get("/v1/providers").body
    assert (providers["count"], providers["status"]) == (7, "active")
    assert {"name", "type", "initialized"} <= set(providers["providers"]["xai"])
    capabilities = user.get("/api/v1/capabilities").body
    assert {"system_info", "environment_configuration", "persona_validation", "orchestration", "providers",
            "features", "recent_enhancements"} <= set(capabilities)  # fmt: skip
    debug = user.task("/v1/router/debug", model="auto").body
    assert set(debug) == {"debug_info", "request_summary", "personas_available", "timestamp"}
    assert {"provider", "model", "persona", "confidence", "reasoning"} == set(debug["debug_info"]["routing_decision"])
    assert debug["request_summary"]["prompt_length"] == len(str(TASK["prompt"]))


def test_a_quote_locks_what_the_same_task_then_costs_at_most(user: Outsider) -> None:
    quote = user.task("/v1/quote").body
    done = user.task(quote_id=quote["quote_id"])
    assert done.status == 200
    assert float(done.headers["x-monkey-cost"]) <= float(quote["maximum_usd"])
    foreign = user.task(quote_id=quote["quote_id"], prompt="another thing")
    assert (foreign.status, foreign.body["error_code"]) == (400, "invalid_request")
    assert user.post("/v1/feedback", {"request_id": done.body["execution_id"], "outcome": "accepted"}).status == 200
