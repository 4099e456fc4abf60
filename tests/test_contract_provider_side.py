"""What a caller sets really reaches the provider: asserted on the requests the simulators received."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from monkey_coder_server.sandbox.server import BASE_PATHS
from tests.contract_http import Outsider
from tests.opened_accounts import open_accounts
from tools.processes import free_port, server

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]
MODELS = {
    "openai": "gpt-4.1-mini",
    "anthropic": "claude-sonnet-4-5",
    "google": "gemini-2.5-flash",
    "groq": "llama-3.3-70b-versatile",
    "xai": "grok-4.3",
    "perplexity": "sonar-pro",
    "moonshot": "kimi-k2.6",
}
FIXED_TEMPERATURE = {"moonshot"}


@dataclass(frozen=True, slots=True)
class Stage:
    """A gateway whose seven providers are simulators that tell what they were sent."""

    user: Outsider
    simulators: Outsider

    def received(self, *, path: str = "/v1/execute", **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Send one task; the answer's body and the one request a simulator got for it."""
        self.simulators.post("/__sandbox/reset", b"")
        answer = self.user.task(path, **fields)
        assert answer.status == 200, answer.raw
        (request,) = self.simulators.get("/__sandbox/requests").body["requests"]
        return (answer.body if path.endswith("execute") else {}), request


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    port, simulating = free_port(), free_port()
    simulators = f"http://127.0.0.1:{simulating}"
    environment = {"DATA_DIR": str(tmp_path_factory.mktemp("stage")), "LOG_LEVEL": "warning"}
    for provider, path in BASE_PATHS.items():
        environment[f"{provider.upper()}_API_KEY"] = f"key-of-{provider}"
        environment[f"{provider.upper()}_BASE_URL"] = simulators + path
    user = open_accounts(environment, {"a": "50"})["a"]
    serve = ["serve", "--host", "127.0.0.1", "--port", str(port), "--metrics-port", str(free_port())]
    with (
        server(["sandbox", "--port", str(simulating)], {}, simulating, "/__sandbox/health"),
        server(serve, environment, port, "/health"),
    ):
        yield Stage(Outsider(f"http://127.0.0.1:{port}", user.api_key), Outsider(simulators))


def sampling(provider: str, body: dict[str, Any]) -> tuple[float | None, int | None]:
    """Temperature and token limit where each wire format puts them."""
    if provider == "google":
        config = body["generationConfig"]
        return config.get("temperature"), config.get("maxOutputTokens")
    return body.get("temperature"), body.get("max_tokens", body.get("max_completion_tokens"))


@pytest.mark.parametrize("provider", MODELS)
@pytest.mark.parametrize("path", ["/v1/execute", "/v1/execute/stream"])
def test_files_instructions_temperature_and_limit_reach_every_provider(stage: Stage, provider: str, path: str) -> None:
    _, request = stage.received(
        path=path,
        model=f"{provider}/{MODELS[provider]}",
        prompt="PROMPT-MARK",
        files=[{"path": "src/odd name.py", "content": "print('FILE-MARK')\n", "type": "python"}],
        context={"user_id": "u", "temperature": 0.65, "max_tokens": 777},
        persona_config={"persona": "tester", "custom_instructions": "INSTRUCTION-MARK"},
    )
    assert request["provider"] == provider
    text = json.dumps(request["body"])
    for mark in ("PROMPT-MARK", "FILE-MARK", "INSTRUCTION-MARK", "src/odd name.py"):
        assert mark in text
    expected = None if provider in FIXED_TEMPERATURE else 0.65
    assert sampling(provider, request["body"]) == (expected, 777)
    if provider == "google":
        assert MODELS[provider] in request["path"]
        assert ("stream" in request["path"]) == path.endswith("stream")
    else:
        assert request["body"]["model"] == MODELS[provider]
        assert bool(request["body"].get("stream")) == path.endswith("stream")


@pytest.mark.parametrize("asked", [*MODELS, "grok"])
def test_a_preferred_provider_is_the_one_that_is_called(stage: Stage, asked: str) -> None:
    answer, request = stage.received(model=None, preferred_providers=[asked])
    assert request["provider"] == {"grok": "xai"}.get(asked, asked)
    assert answer["persona_routing"]["provider"] == request["provider"]


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        ({"preferred_providers": ["openai"], "model_preferences": {"openai": "gpt-4.1"}}, "gpt-4.1"),
        ({"preferred_providers": ["grok"], "model_preferences": {"grok": "grok-4.3"}}, "grok-4.3"),
        ({"model_preferences": {"anthropic": "claude-haiku-4-5"}}, "claude-haiku-4-5"),
        ({"preferred_providers": ["anthropic"], "model_preferences": {"anthropic": "claude-3-5-sonnet"}},
         "claude-sonnet-4-5"),
        ({"model": "gpt-4.1-nano"}, "gpt-4.1-nano"),
        ({"model": "openai/gpt-4.1-nano", "preferred_providers": None}, "gpt-4.1-nano"),
    ],
    ids=["preference", "grok is xai", "preference alone", "historic name", "bare model", "qualified model"],
)  # fmt: skip
def test_the_wanted_model_is_the_one_that_is_asked(stage: Stage, fields: dict[str, Any], model: str) -> None:
    _, request = stage.received(**{"model": None, **fields})
    assert request["body"]["model"] == model


def test_each_persona_brings_its_own_instructions_and_temperature(stage: Stage) -> None:
    prompts, temperatures = set(), set()
    personas = ["developer", "architect", "reviewer", "security_analyst", "performance_expert", "tester",
                "technical_writer", "custom"]  # fmt: skip
    for persona in personas:
        answer, request = stage.received(persona_config={"persona": persona})
        routing = answer["persona_routing"]
        assert (routing["persona"], routing["decided_by"]) == (persona, "explicit")
        assert routing["temperature"] == request["body"]["temperature"]
        prompts.add(request["body"]["messages"][0]["content"])
        temperatures.add(request["body"]["temperature"])
    assert len(prompts) == len(personas)
    assert len(temperatures) > 2


@pytest.mark.parametrize(
    ("command", "persona"),
    [
        ("/security", "security_analyst"),
        ("/perf", "performance_expert"),
        ("/arch", "architect"),
        ("/docs", "technical_writer"),
        ("/test", "tester"),
        ("/review", "reviewer"),
        ("/dev", "developer"),
    ],
)
def test_a_slash_command_chooses_the_persona_where_none_was_named(stage: Stage, command: str, persona: str) -> None:
    answer, request = stage.received(prompt=f"{command} look at this")
    assert (answer["persona_routing"]["persona"], answer["persona_routing"]["decided_by"]) == (persona, "slash_command")
    assert request["body"]["messages"][-1]["content"] == "look at this"
    listed, _ = stage.received(persona_config={"slash_commands": [command]})
    assert listed["persona_routing"]["persona"] == persona


def test_an_explicit_persona_is_never_overridden(stage: Stage) -> None:
    answer, _ = stage.received(prompt="/security look at this", persona_config={"persona": "technical_writer"})
    assert answer["persona_routing"]["persona"] == "technical_writer"


def test_a_model_with_a_fixed_temperature_is_not_said_to_have_used_another(stage: Stage) -> None:
    answer, request = stage.received(model="moonshot/kimi-k2.6", context={"temperature": 0.9})
    assert "temperature" not in request["body"]
    assert answer["persona_routing"]["temperature"] is None


def test_the_timeout_bounds_the_whole_request(stage: Stage) -> None:
    answer = stage.user.task(
        model="openai/gpt-4.1", prompt="a [[sandbox fault=slow_first_byte delay=3]]", context={"timeout": 1}
    )
    assert (answer.status, answer.body["error_code"]) == (504, "provider_timeout")


def test_no_provider_sees_the_callers_key_or_address(stage: Stage) -> None:
    _, request = stage.received()
    assert stage.user.key not in json.dumps(request)
    assert not {"x-forwarded-for", "x-real-ip", "cookie"} & set(request["headers"])


WRITE = {
    "name": "write_file",
    "description": "Write a file.",
    "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
}


@pytest.mark.parametrize("path", ["/v1/execute", "/v1/execute/stream"])
@pytest.mark.parametrize("model", ["gpt-6.1-sol", "gpt-6-luna", "gpt-5.3-codex"])
def test_a_model_that_takes_tools_in_responses_alone_is_spoken_to_there(stage: Stage, model: str, path: str) -> None:
    prompt = """go [[sandbox tool=write_file args='{"path": "a.py"}']]"""
    answer, request = stage.received(path=path, model=f"openai/{model}", prompt=prompt, tools=[WRITE])
    assert request["path"] == "/openai/v1/responses"
    sent = request["body"]
    assert (sent["store"], sent["include"]) == (False, ["reasoning.encrypted_content"])
    assert (sent["tools"][0]["name"], sent["tools"][0]["type"]) == ("write_file", "function")
    if answer:
        metadata = answer["result"]["metadata"]
        (call,) = metadata["tool_calls"]
        assert (call["name"], json.loads(call["arguments"])) == ("write_file", {"path": "a.py"})
        (entry,) = stage.simulators.get("/__sandbox/tally").body["requests"]
        assert metadata["tokens"]["output"] == entry["usage"]["output"] + entry["usage"]["reasoning"]
        assert metadata["tokens"]["reasoning"] == entry["usage"]["reasoning"] > 0
