"""Functions a caller offers reach the model in its provider's words; its calls come back beside the answer."""

import json
from typing import Any

import pytest

from monkey_coder_server.domain.catalog import Capability
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import FACTS, Gateway
from packages.server.tests.features.inference.world import Script

MODEL = "openai/gpt-big"
SCHEMA = {
    "type": "object",
    "properties": {"path": {"type": "string"}},
    "required": ["path"],
    "additionalProperties": False,
}
WRITE = {"name": "write_file", "description": "Write a file.", "parameters": SCHEMA, "strict": True}
SHAPED = {"type": "function", "function": WRITE}
CALL = {"id": "call_1", "type": "function", "function": {"name": "write_file", "arguments": '{"path": "a.py"}'}}


def calling() -> Script:
    script = wires.openai("x", finish="tool_calls")
    body = json.loads(script.pieces[0])
    body["choices"][0]["message"] = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    return Script(pieces=[json.dumps(body).encode()])


def calling_stream() -> Script:
    script = wires.openai_stream("x", finish="tool_calls")
    delta = json.dumps({"tool_calls": [{"index": 0, **CALL}]}).encode()
    script.pieces[1] = script.pieces[1].replace(b'{"content": "x"}', delta)
    return script


@pytest.mark.parametrize("tool", [WRITE, SHAPED], ids=["bare", "shaped"])
async def test_an_offered_function_reaches_the_model(tool: dict[str, Any]) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    answer = await gateway.ask(model=MODEL, tools=[tool], tool_choice={"name": "write_file"})
    sent = gateway.wire.sent[0][2]
    assert sent["tools"] == [SHAPED]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "write_file"}}
    assert "tool_calls" not in answer.json["result"]["metadata"]


async def test_the_models_calls_are_told_beside_the_answer() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", calling())
    whole = (await gateway.ask(model=MODEL, tools=[SHAPED])).json
    gateway.wire.play("openai", calling_stream())
    streamed = (await gateway.stream(model=MODEL, tools=[SHAPED])).frames[-1]["data"]
    for body in (whole, streamed):
        assert body["result"]["metadata"]["tool_calls"] == [
            {"id": "call_1", "name": "write_file", "arguments": '{"path": "a.py"}'}
        ]
        assert body["result"]["metadata"]["finish_reason"] == "tool_calls"
        assert body["result"]["result"] == ""
    assert len(gateway.books.settled) == 2


async def test_a_function_without_parameters_takes_an_empty_object() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    await gateway.ask(model=MODEL, tools=[{"name": "run"}], tool_choice="required")
    sent = gateway.wire.sent[0][2]
    assert sent["tools"][0]["function"]["parameters"] == {"type": "object", "properties": {}}
    assert sent["tool_choice"] == "required"


async def test_other_tools_under_the_same_id_are_another_request() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    assert (await gateway.ask(model=MODEL, task_id="t1", tools=[WRITE])).status == 200
    again = await gateway.ask(model=MODEL, task_id="t1", tools=[WRITE])
    other = await gateway.ask(model=MODEL, task_id="t1", tools=[{**WRITE, "strict": False}])
    assert again.status == 200
    assert other.json["error_code"] == "idempotency_conflict"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "1 to 64 letters"),
        ({"tools": [{"name": "1st"}]}, "1 to 64 letters"),
        ({"tools": [{"name": "run\n"}]}, "1 to 64 letters"),
        ({"tools": [WRITE, SHAPED]}, "twice"),
        ({"tools": [{"name": f"t{n}"} for n in range(129)]}, "at most 128"),
        ({"tools": [WRITE], "tool_choice": "any"}, "tool_choice"),
        ({"tools": [WRITE], "tool_choice": {"name": "read_file"}}, "not among"),
        ({"tools": [WRITE], "tool_choice": {"type": "function"}}, "not among"),
        ({"tool_choice": "required"}, "nothing to call"),
    ],
)
async def test_what_is_no_tool_is_refused_in_a_sentence(fields: dict[str, Any], words: str) -> None:
    gateway = Gateway()
    answer = await gateway.ask(model=MODEL, **fields)
    assert (answer.status, answer.json["error_code"]) == (400, "invalid_request")
    assert words in answer.json["message"]
    assert not gateway.wire.sent


async def test_a_model_that_takes_no_tools_is_not_asked() -> None:
    gateway = Gateway(capabilities=FACTS - {Capability.TOOLS})
    answer = await gateway.ask(model=MODEL, tools=[WRITE])
    assert answer.json["error_code"] == "invalid_request"
    assert "tools" in answer.json["message"]
    assert not gateway.wire.sent
