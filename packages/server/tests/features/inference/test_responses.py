"""The Responses API at the front door, over every provider: answers, errors, free-form tools, cuts, books."""

import itertools
import json
from typing import Any

import pytest

from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.domain.errors import FailureKind
from packages.server.tests.dialects.openai_responses.answers import frames, read_stream, read_whole, read_with_helper
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import FACTS, Answer, Caller, Gateway
from packages.server.tests.features.inference.world import Script

PATHS = ("/v1/responses", "/openai/v1/responses", "/openai/responses")
CLAUDE, GPT, GEMINI = "anthropic/claude-big", "openai/gpt-big", "google/gemini-big"
WHOLE = {CLAUDE: wires.anthropic, GPT: wires.openai, GEMINI: wires.gemini}
STREAMED = {CLAUDE: wires.anthropic_stream, GPT: wires.openai_stream, GEMINI: wires.gemini_stream}
PATCH = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Edits files.",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: LINE+"},
}
SEARCH = {"type": "web_search"}

each_model = pytest.mark.parametrize("model", WHOLE)


def playing(model: str, *scripts: Script, **options: Any) -> Gateway:
    gateway = Gateway(**options)
    gateway.wire.play(model.partition("/")[0], *scripts)
    return gateway


async def ask(gateway: Gateway, path: str = PATHS[0], *, caller: Caller | None = None, **fields: Any) -> Answer:
    return await gateway.ask(path, body=json.dumps({"input": "hi", **fields}).encode(), caller=caller)


def charged(gateway: Gateway) -> int:
    ((_, charge),) = gateway.books.settled.values()
    return charge.charged


@each_model
@pytest.mark.parametrize("path", PATHS)
async def test_a_whole_answer(model: str, path: str) -> None:
    gateway = playing(model, WHOLE[model]())
    answer = await ask(gateway, path, model=model)
    assert answer.status == 200, answer.body
    response = read_whole(answer.body)
    assert (response.status, response.output_text) == ("completed", wires.TEXT)
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (100, 20)
    assert answer.json["usage"]["cost"] == charged(gateway) / 1e9
    assert (answer.headers["x-monkey-provider"], answer.headers["x-monkey-model"]) == tuple(model.split("/"))
    assert answer.headers["x-monkey-receipt"].startswith("rcpt_")
    assert gateway.notes.records[0].endpoint == "responses"


@each_model
@pytest.mark.parametrize("path", PATHS)
async def test_a_streamed_answer(model: str, path: str) -> None:
    gateway = playing(model, STREAMED[model]())
    answer = await ask(gateway, path, model=model, stream=True)
    assert (answer.status, answer.complete) == (200, True)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert read_with_helper(answer.body).output_text == wires.TEXT
    last = frames(answer.body)[-1]
    assert last["type"] == "response.completed"
    assert last["response"]["usage"]["cost"] == charged(gateway) / 1e9


async def test_auto_finds_a_model() -> None:
    gateway = Gateway()
    for provider, wire in (("anthropic", wires.anthropic), ("openai", wires.openai), ("google", wires.gemini)):
        gateway.wire.play(provider, wire())
    answer = await ask(gateway, model="auto")
    assert read_whole(answer.body).output_text == wires.TEXT


@each_model
async def test_a_stream_cut_by_its_provider_ends_as_incomplete_and_costs_nothing(model: str) -> None:
    script = STREAMED[model]()
    script.pieces = script.pieces[: len(script.pieces) // 2]
    script.fails = FailureKind.CUT_SHORT
    gateway = playing(model, script)
    answer = await ask(gateway, model=model, stream=True)
    assert answer.complete
    read_stream(answer.body)
    last = frames(answer.body)[-1]
    assert (last["type"], last["response"]["incomplete_details"]["reason"]) == (
        "response.incomplete",
        "max_output_tokens",
    )
    assert last["response"]["usage"]["cost"] == 0
    assert not gateway.books.settled
    assert len(gateway.books.voided) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_a_caller_without_credit_is_told_so_as_codex_understands_it(stream: bool) -> None:
    gateway = playing(GPT, wires.openai(), balance=10)
    answer = await ask(gateway, model=GPT, stream=stream)
    error = answer.json["error"]
    assert (answer.status, error["code"]) == (429, "insufficient_quota")
    assert "https://gateway.example/billing" in error["message"]
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("fields", "param"),
    [({"background": True}, "background"), ({"input": None}, "input"), ({"conversation": "conv_1"}, "conversation")],
)
async def test_what_is_not_served_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    gateway = Gateway()
    answer = await ask(gateway, model=GPT, **fields)
    assert (answer.status, answer.json["error"]["param"]) == (400, param)
    assert not gateway.wire.sent


async def test_an_unknown_model_is_not_found() -> None:
    answer = await ask(Gateway(), model="openai/nobody")
    assert (answer.status, answer.json["error"]["code"]) == (404, "model_not_found")


def claude_calls(name: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    written = json.dumps(arguments)
    half = len(written) // 2
    usage = {"input_tokens": 100, "output_tokens": 1}
    return [
        {"type": "message_start", "message": {"id": "msg_1", "type": "message", "model": "c", "usage": usage}},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}},
        },
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}}
            for piece in (written[:half], written[half:])
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 20}},
        {"type": "message_stop"},
    ]


def spoken(events: list[dict[str, Any]]) -> Script:
    pieces = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]
    return Script(pieces=pieces, headers={"content-type": "text/event-stream"})


async def test_a_free_form_tool_works_on_a_model_that_has_none() -> None:
    patch = "*** Begin Patch\n*** Add File: hello.txt\n+hi\n*** End Patch\n"
    gateway = playing(CLAUDE, spoken(claude_calls("apply_patch", {"input": patch})))
    answer = await ask(gateway, model=CLAUDE, stream=True, tools=[PATCH])
    (item,) = frames(answer.body)[-1]["response"]["output"]
    assert (item["type"], item["name"], item["call_id"], item["input"]) == (
        *("custom_tool_call", "apply_patch", "toolu_1"),
        patch,
    )
    (tool,) = gateway.wire.sent[0][2]["tools"]
    assert list(tool["input_schema"]["properties"]) == ["input"]
    assert "start: LINE+" in tool["description"]


async def test_the_call_of_a_free_form_tool_goes_back_as_the_model_wrote_it() -> None:
    gateway = playing(CLAUDE, wires.anthropic())
    history = [
        {"role": "user", "content": "hi"},
        {"type": "custom_tool_call", "call_id": "toolu_1", "name": "apply_patch", "input": "*** Begin"},
        {"type": "custom_tool_call_output", "call_id": "toolu_1", "output": "Success."},
    ]
    await ask(gateway, model=CLAUDE, tools=[PATCH], input=history)
    _, called, result = gateway.wire.sent[0][2]["messages"]
    assert called["content"][0]["input"] == {"input": "*** Begin"}
    assert result["content"][0]["content"] == "Success."


async def test_a_tool_in_a_namespace_is_called_and_answered() -> None:
    gateway = playing(CLAUDE, spoken(claude_calls("agents__spawn", {"task": "x"})))
    spawn = {"type": "function", "name": "spawn", "parameters": {"type": "object"}}
    tools = [{"type": "namespace", "name": "agents", "description": "Agents.", "tools": [spawn]}]
    answer = await ask(gateway, model=CLAUDE, stream=True, tools=tools)
    (item,) = frames(answer.body)[-1]["response"]["output"]
    assert (item["namespace"], item["name"]) == ("agents", "spawn")
    assert [tool["name"] for tool in gateway.wire.sent[0][2]["tools"]] == ["agents__spawn"]


async def test_a_tool_the_model_cannot_run_is_left_out_and_named() -> None:
    gateway = playing(CLAUDE, wires.anthropic())
    answer = await ask(gateway, model=CLAUDE, tools=[SEARCH], text={"verbosity": "low"})
    assert answer.status == 200, answer.body
    assert "tools" not in gateway.wire.sent[0][2]
    assert answer.headers["x-monkey-dropped"] == "tools.web_search, text.verbosity"


async def test_nothing_is_held_for_a_tool_that_will_not_run() -> None:
    """Codex offers a web search with every request: whoever cannot run it need not be paid for it in advance."""
    held = {}
    for name, tools in (("with", [SEARCH]), ("without", [])):
        gateway = playing(CLAUDE, wires.anthropic())
        gateway.wire.before_send = lambda name=name, gateway=gateway: held.update({name: gateway.books.held})  # type: ignore[misc] - bound at once
        await ask(gateway, model=CLAUDE, tools=tools, max_output_tokens=100)
    assert held["without"] < held["with"] < held["without"] * 2


async def test_a_caller_who_insists_on_such_a_tool_is_refused() -> None:
    gateway = playing(CLAUDE, wires.anthropic())
    answer = await ask(gateway, model=CLAUDE, tools=[SEARCH], tool_choice={"type": "web_search"})
    assert (answer.status, "web_search" in answer.json["error"]["message"]) == (400, True)


async def test_a_thought_goes_back_to_the_model_that_had_it() -> None:
    thinking = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}},
        {"type": "content_block_stop", "index": 0},
    ]
    start, *rest = claude_calls("look", {})
    for event in rest:
        if "index" in event:
            event["index"] = 1
    gateway = playing(
        CLAUDE, spoken([start, *thinking, *rest]), wires.anthropic(), capabilities=FACTS | {Capability.REASONING}
    )
    look = {"type": "function", "name": "look", "parameters": {"type": "object"}}
    asked = {"model": CLAUDE, "tools": [look], "reasoning": {"effort": "medium", "summary": "auto"}}
    first = await ask(gateway, stream=True, **asked)
    output = frames(first.body)[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["reasoning", "function_call"]
    result = {"type": "function_call_output", "call_id": "toolu_1", "output": "nothing"}
    await ask(gateway, input=[{"role": "user", "content": "hi"}, *output, result], **asked)
    turn = gateway.wire.sent[1][2]["messages"][1]["content"]
    assert turn[0] == {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    assert turn[1]["input"] == {}


async def test_the_next_turn_begins_with_the_bytes_of_this_one() -> None:
    gateway = playing(GPT, wires.openai())
    items: list[dict[str, Any]] = []
    for number in range(3):
        items.append({"role": "user", "content": f"question {number}"})
        answer = await ask(gateway, model=GPT, input=items, instructions="Be brief.", tools=[PATCH])
        items += answer.json["output"]
    sent = [json.dumps(body, ensure_ascii=False) for _, _, body, _ in gateway.wire.sent]
    for earlier, later in itertools.pairwise(sent):
        assert later.startswith(earlier.removesuffix("]}"))


async def test_tokens_are_counted_at_once_and_free_of_charge() -> None:
    gateway = Gateway()
    for path in PATHS:
        answer = await ask(gateway, f"{path}/input_tokens", model=GPT, input="word " * 300)
        assert answer.json["object"] == "response.input_tokens"
        assert 300 <= answer.json["input_tokens"] <= 600
    assert not gateway.books.events
    assert not gateway.wire.sent
