"""Simulated answers have the keys real answers have: none invented, none of the constant ones missing."""

from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.sandbox import wire_errors
from monkey_coder_server.sandbox.wire_errors import Refused
from packages.server.tests.sandbox.simulating import MODELS, RESPONDING, Simulated, key_paths, recorded_shapes

Shapes = dict[str, dict[str, list[str]]]

NOT_RECORDED = {
    "anthropic stream": {".delta.stop_sequence"},
    "google whole": {".candidates[].finishMessage", ".usageMetadata.serviceTier"},
    "moonshot stream": {".choices[].delta.reasoning_content", ".choices[].usage.completion_tokens_details"},
}
"""Keys the recordings happen not to hold but the provider documents."""
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def tools_of(provider: str) -> dict[str, Any]:
    if provider == "anthropic":
        return {"tools": [{"name": "weather", "input_schema": WEATHER}]}
    if provider == "google":
        return {"tools": [{"functionDeclarations": [{"name": "weather", "parameters": WEATHER}]}]}
    return {"tools": [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]}


def assert_shape(shapes: Shapes, name: str, documents: list[Any]) -> None:
    paths = {path for document in documents for path in key_paths(document)}
    shape = shapes[name]
    missing = set(shape["required"]) - paths
    known = set(shape["allowed"]) | NOT_RECORDED.get(name, set())
    invented = {
        path for path in paths - known if not any(path.startswith(start) for start in NOT_RECORDED.get(name, ()))
    }
    assert not missing, f"{name} lacks {sorted(missing)}"
    assert not invented, f"{name} invents {sorted(invented)}"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("provider", MODELS)
def test_answers_have_the_recorded_shape(shapes: Shapes, simulated: Simulated, provider: str, stream: bool) -> None:
    more = {"stream_options": {"include_usage": True}} if stream and provider in {"openai", "xai"} else {}
    answer = simulated.prompt(provider, "create a REST API for books", stream=stream, **more)
    assert_shape(shapes, f"{provider} {'stream' if stream else 'whole'}", answer.documents)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("provider", [name for name in MODELS if name != "perplexity"])
def test_tool_calls_have_the_recorded_shape(shapes: Shapes, simulated: Simulated, provider: str, stream: bool) -> None:
    answer = simulated.prompt(provider, "use the tool weather", stream=stream, **tools_of(provider))
    assert answer.served.reply.tool_calls
    name = f"{provider} {'stream' if stream else 'whole'}"
    allowed = set(shapes[name]["allowed"])
    if provider == "moonshot":
        # no recording of a Moonshot tool call exists; its documentation gives OpenAI's shape
        allowed |= {path for path in shapes[name.replace("moonshot", "openai")]["allowed"] if ".tool_calls" in path}
        allowed |= NOT_RECORDED.get(name, set()) | {".choices[].usage.completion_tokens_details.reasoning_tokens"}
    paths = {path for document in answer.documents for path in key_paths(document)}
    assert paths <= allowed, sorted(paths - allowed)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("provider", RESPONDING)
def test_responses_have_the_recorded_shape(shapes: Shapes, simulated: Simulated, provider: str, stream: bool) -> None:
    weather = {"type": "function", "name": "weather", "parameters": WEATHER, "strict": False}
    more = {"include": ["reasoning.encrypted_content"], "reasoning": {"summary": "auto"}, "tools": [weather]}
    name = f"{provider} responses {'stream' if stream else 'whole'}"
    told = simulated.respond(provider, "create a REST API for books", stream=stream, **more)
    called = simulated.respond(provider, "use the tool weather", stream=stream, **more)
    assert called.served.reply.tool_calls
    assert_shape(shapes, name, [*told.documents, *called.documents])


@pytest.mark.parametrize("provider", MODELS)
def test_errors_have_the_recorded_shape(shapes: Shapes, provider: str) -> None:
    for kind in ("invalid", "auth", "not_found", "rate_limit", "server"):
        _, body = wire_errors.body(provider, Refused(kind, "no"))
        paths = set(key_paths(body))
        assert paths <= set(shapes[f"{provider} error"]["allowed"]), (kind, paths)
        if kind not in {"not_found", "rate_limit"}:
            continue
        core = {path for path in shapes[f"{provider} error"]["required"] if "request_id" not in path}
        assert core <= paths, (kind, core - paths)


def test_the_kept_shapes_are_those_of_the_recordings(shapes: Shapes, recordings_folder: Path) -> None:
    assert recorded_shapes(recordings_folder) == shapes
