"""The Python SDK that users already have runs its seven calls against us without an exception."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, RunningGateway

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]

SDK_PYTHON = ROOT / ".venv-published-sdk" / "bin" / "python"
RESPONSE_KEYS = {
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
}


@pytest.fixture(scope="module")
def answers(gateway: RunningGateway) -> dict[str, Any]:
    assert SDK_PYTHON.exists(), "run `make test`: it makes the environment with the published SDK"
    script = Path(__file__).with_name("published_sdk.py")
    command = [str(SDK_PYTHON), str(script), gateway.base_url, gateway.api_key]
    done = subprocess.run(
        command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def test_health_has_exactly_its_four_keys(answers: dict[str, Any]) -> None:
    assert set(answers["health"]) == {"status", "version", "timestamp", "components"}
    assert answers["health"]["status"] == "healthy"


def test_execute_answers_files_usage_and_cost(answers: dict[str, Any]) -> None:
    executed = answers["execute"]
    assert set(executed) == RESPONSE_KEYS
    assert executed["status"] == "completed"
    assert executed["result"]["artifacts"]
    assert executed["usage"]["tokens_used"] == executed["usage"]["tokens_input"] + executed["usage"]["tokens_output"]
    assert executed["usage"]["cost_estimate"] > 0


def test_the_stream_starts_delivers_and_completes(answers: dict[str, Any]) -> None:
    assert answers["events"][0] == "start"
    assert "delta" in answers["events"]
    assert answers["events"][-1] == "complete"
    assert set(answers["complete"]) == RESPONSE_KEYS


def test_models_and_providers_are_listed(answers: dict[str, Any]) -> None:
    assert set(answers["models"]["models"]) == {
        "openai",
        "anthropic",
        "google",
        "groq",
        "xai",
        "perplexity",
        "moonshot",
    }
    assert set(answers["groq_models"]["models"]) == {"groq"}
    assert answers["providers"]["count"] == 7


def test_usage_counts_what_was_just_served(answers: dict[str, Any]) -> None:
    assert answers["usage"]["total_requests"] >= 2
    assert answers["usage"]["total_tokens"] > 0


def test_routing_is_explained_with_a_decision(answers: dict[str, Any]) -> None:
    decision = answers["debug"]["debug_info"]["routing_decision"]
    assert decision["provider"]
    assert decision["model"]
