"""What the native API promises its published clients, as far as the structs decide it."""

import json
from typing import Any

import msgspec
import pytest

from monkey_coder_protocol import auth, billing, catalog, errors, events, execute, version

FULL_REQUEST = {
    "task_id": None,
    "task_type": "code_generation",
    "prompt": "x",
    "files": None,
    "context": {
        "user_id": "u",
        "session_id": None,
        "workspace_id": None,
        "environment": "production",
        "timeout": 300,
        "max_tokens": 4096,
        "temperature": 0.1,
    },
    "persona_config": {
        "persona": "developer",
        "slash_commands": [],
        "context_window": 32768,
        "use_markdown_spec": True,
        "custom_instructions": None,
    },
    "monkey1_config": None,
    "orchestration_config": None,
    "preferred_providers": None,
    "model_preferences": None,
}


def test_the_python_sdk_body_with_its_nulls_is_accepted() -> None:
    request = msgspec.json.decode(json.dumps(FULL_REQUEST), type=execute.ExecuteRequest)
    assert request.context is not None
    assert request.context.timeout == 300
    assert request.files is None


@pytest.mark.parametrize("name", [key for key in FULL_REQUEST if key not in {"task_type", "prompt"}])
def test_every_optional_field_may_be_null_or_missing(name: str) -> None:
    for body in (FULL_REQUEST | {name: None}, {key: value for key, value in FULL_REQUEST.items() if key != name}):
        msgspec.json.decode(json.dumps(body), type=execute.ExecuteRequest)


def test_unknown_fields_are_ignored() -> None:
    body = FULL_REQUEST | {"model_config": {"a": 1}, "context": {"user_id": "u", "later": True}}
    assert msgspec.json.decode(json.dumps(body), type=execute.ExecuteRequest).prompt == "x"


@pytest.mark.parametrize("name", ["task_type", "prompt"])
def test_the_required_fields_are_required(name: str) -> None:
    body = {key: value for key, value in FULL_REQUEST.items() if key != name}
    with pytest.raises(msgspec.ValidationError, match=name):
        msgspec.json.decode(json.dumps(body), type=execute.ExecuteRequest)


def test_a_response_has_exactly_the_twelve_keys() -> None:
    response = execute.ExecuteResponse(execution_id="e", task_id="t", status="failed", error="no")
    assert list(encoded(response)) == [
        "execution_id",
        "task_id",
        "status",
        "result",
        "error",
        "created_at",
        "completed_at",
        "usage",
        "execution_time",
        "persona_routing",
        "monkey1_orchestration",
        "orchestration_execution",
    ]


def test_health_has_exactly_four_keys() -> None:
    assert list(encoded(catalog.Health("healthy", "1", "now", {}))) == ["status", "version", "timestamp", "components"]


def test_an_event_leaves_out_what_it_does_not_say() -> None:
    progress = events.StreamProgress(step="routed")
    assert encoded(events.StreamEvent(type="progress", progress=progress)) == {
        "type": "progress",
        "progress": {"step": "routed"},
    }
    assert encoded(events.StreamEvent(type="start", data={"task_id": "t"})) == {
        "type": "start",
        "data": {"task_id": "t"},
    }


def test_an_error_body_names_its_sentence_twice_and_leaves_out_missing_money() -> None:
    body = errors.ErrorBody(
        detail="No.", message="No.", error_code=errors.ErrorCode.FORBIDDEN, status_code=403, request_id="r"
    )
    assert encoded(body) == {
        "detail": "No.",
        "message": "No.",
        "error_code": "forbidden",
        "status_code": 403,
        "request_id": "r",
    }


def test_a_login_without_a_key_has_no_such_field() -> None:
    assert encoded(auth.TokenResponse(access_token="a", refresh_token="r")) == {
        "access_token": "a",
        "refresh_token": "r",
    }


def test_feedback_knows_four_outcomes() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"request_id": "r", "outcome": "great"}', type=billing.Feedback)


def test_default_dictionaries_are_not_shared() -> None:
    first, second = execute.ExecutionResult(result="a"), execute.ExecutionResult(result="b")
    first.metadata["x"] = 1
    assert second.metadata == {}


def test_the_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version as installed

    assert installed("monkey-coder-protocol") == version.VERSION


def encoded(value: msgspec.Struct) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(msgspec.json.encode(value))
    return decoded
