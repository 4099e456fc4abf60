"""The Anthropic dialect at the front door, over every provider: answers, errors, headers, books."""

import asyncio
import json
from typing import Any

import pytest

from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.domain.errors import FailureKind
from packages.server.tests.dialects.anthropic_messages import agents, streams
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import FACTS, Answer, Caller, Gateway
from packages.server.tests.features.inference.world import Script

PATHS = ("/v1/messages", "/anthropic/v1/messages")
COUNT_PATHS = ("/v1/messages/count_tokens", "/anthropic/v1/messages/count_tokens")
CLAUDE, GPT, GEMINI = "anthropic/claude-big", "openai/gpt-big", "google/gemini-big"
PLAIN: dict[str, Any] = {"max_tokens": 500, "messages": [{"role": "user", "content": "hi"}]}
WHOLE = {CLAUDE: wires.anthropic, GPT: wires.openai, GEMINI: wires.gemini}
STREAMED = {CLAUDE: wires.anthropic_stream, GPT: wires.openai_stream, GEMINI: wires.gemini_stream}

each_model = pytest.mark.parametrize("model", WHOLE)


def playing(model: str, *scripts: Script, **options: Any) -> Gateway:
    gateway = Gateway(**options)
    gateway.wire.play(model.partition("/")[0], *scripts)
    return gateway


async def ask(gateway: Gateway, path: str = PATHS[0], *, caller: Caller | None = None, **fields: Any) -> Answer:
    headers = fields.pop("headers", None)
    body = json.dumps({**PLAIN, **fields}).encode()
    return await gateway.ask(path, body=body, headers=headers, caller=caller)


def charged(gateway: Gateway) -> int:
    ((_, charge),) = gateway.books.settled.values()
    return charge.charged


@each_model
@pytest.mark.parametrize("path", PATHS)
async def test_a_whole_message(model: str, path: str) -> None:
    gateway = playing(model, WHOLE[model]())
    answer = await ask(gateway, path, model=model)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    message = answer.json
    assert (message["type"], message["role"], message["stop_reason"]) == ("message", "assistant", "end_turn")
    assert message["content"] == [{"type": "text", "text": wires.TEXT}]
    assert (message["usage"]["input_tokens"], message["usage"]["output_tokens"]) == (100, 20)
    assert message["usage"]["cost"] == charged(gateway) / 1e9
    assert answer.headers["x-monkey-cost"].startswith("0.00")
    assert (answer.headers["x-monkey-provider"], answer.headers["x-monkey-model"]) == tuple(model.split("/"))
    assert answer.headers["x-monkey-receipt"].startswith("rcpt_")
    assert gateway.notes.records[0].endpoint == "messages"


@each_model
@pytest.mark.parametrize("path", PATHS)
async def test_a_streamed_message(model: str, path: str) -> None:
    gateway = playing(model, STREAMED[model]())
    answer = await ask(gateway, path, model=model, stream=True)
    assert (answer.status, answer.complete) == (200, True)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["request-id"] in gateway.books.settled, "where the official SDK looks for it"
    assert streams.disorder(answer.body) == []
    assert streams.fold(answer.body) == [{"type": "text", "text": wires.TEXT}]
    _, last = streams.frames(answer.body)[-2]
    assert last["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert last["usage"]["output_tokens"] == 20
    assert last["usage"]["cost"] == charged(gateway) / 1e9
    assert (answer.headers["x-monkey-provider"], answer.headers["x-monkey-model"]) == tuple(model.split("/"))


async def test_claude_is_asked_in_the_callers_own_words() -> None:
    gateway = playing(CLAUDE, wires.anthropic_stream(), capabilities=FACTS | {Capability.REASONING})
    body = agents.claude_code_next() | {"model": CLAUDE}
    headers = {
        "anthropic-beta": "effort-2025-11-24",
        "anthropic-version": "2023-06-01",
        "authorization": "Bearer mk-test",
        "x-api-key": "mk-test",
        "x-stainless-timeout": "600",
    }
    answer = await gateway.ask(PATHS[0], body=json.dumps(body).encode(), headers=headers)
    assert answer.status == 200, answer.body
    ((_, url, sent, with_headers),) = gateway.wire.sent
    assert url == "https://anthropic.example/v1/messages"
    assert sent["context_management"] == body["context_management"]
    assert sent["system"] == body["system"], "Claude Code's billing line goes to Anthropic"
    assert sent["messages"][2:] == body["messages"][2:], "after the system turn, which this model does not take"
    assert (with_headers["anthropic-beta"], with_headers["x-api-key"]) == ("effort-2025-11-24", "sk-anthropic")
    assert "authorization" not in with_headers


@each_model
async def test_claude_codes_request_is_served_by_any_model(model: str) -> None:
    gateway = playing(model, STREAMED[model]())
    body = json.dumps(agents.claude_code_next() | {"model": model}).encode()
    answer = await gateway.ask(PATHS[0], body=body)
    assert answer.status == 200, answer.body
    assert streams.disorder(answer.body) == []
    sent = json.dumps(gateway.wire.sent[0][2])
    assert ("x-anthropic-billing-header" in sent) == (model == CLAUDE)
    assert "Available agent types" in sent
    assert ("context_management" in answer.headers.get("x-monkey-dropped", "")) == (model != CLAUDE)


async def test_names_of_what_was_dropped_cannot_break_a_header() -> None:
    gateway = playing(GPT, wires.openai())
    odd = {"x\r\nset-cookie: a": 1, "ü" * 200: 2, **{f"field_{number}": number for number in range(99)}}
    answer = await ask(gateway, model=GPT, **odd)
    assert answer.status == 200
    names = answer.headers["x-monkey-dropped"].split(", ")
    assert names[:2] == ["x??set-cookie??a", "?" * 64]
    assert len(names) == 32


async def test_openais_tool_calls_come_as_tool_use_and_go_back_as_calls() -> None:
    calls = [
        {"id": f"call_{number}", "type": "function", "function": {"name": "Write", "arguments": said}}
        for number, said in enumerate(['{"path":"a"}', ""])
    ]
    script = wires.openai("", finish="tool_calls")
    body = json.loads(script.pieces[0])
    body["choices"][0]["message"] = {"role": "assistant", "content": None, "tool_calls": calls}
    gateway = playing(GPT, Script(pieces=[json.dumps(body).encode()]), wires.openai())
    answer = await ask(gateway, model=GPT, tools=[agents.WRITE])
    assert answer.json["stop_reason"] == "tool_use"
    assert answer.json["content"] == [
        {"type": "tool_use", "id": "call_0", "name": "Write", "input": {"path": "a"}},
        {"type": "tool_use", "id": "call_1", "name": "Write", "input": {}},
    ]
    results = [agents.result("ok", "call_0"), agents.result("no", "call_1", is_error=True)]
    turns = [
        *PLAIN["messages"],
        {"role": "assistant", "content": answer.json["content"]},
        {"role": "user", "content": results},
    ]
    assert (await ask(gateway, model=GPT, tools=[agents.WRITE], messages=turns)).status == 200
    sent = gateway.wire.sent[1][2]["messages"]
    assert [call["id"] for call in sent[1]["tool_calls"]] == ["call_0", "call_1"]
    assert [(said["tool_call_id"], said["content"]) for said in sent[2:]] == [("call_0", "ok"), ("call_1", "Error: no")]


async def test_geminis_proof_of_a_call_comes_back_to_gemini_and_never_reaches_claude() -> None:
    script = wires.gemini("")
    body = json.loads(script.pieces[0])
    call = {"functionCall": {"name": "Write", "args": {"path": "a"}}, "thoughtSignature": "c2ln"}
    body["candidates"][0]["content"]["parts"] = [call]
    gateway = playing(GEMINI, Script(pieces=[json.dumps(body).encode()]), wires.gemini())
    gateway.wire.play("anthropic", wires.anthropic())
    answer = await ask(gateway, model=GEMINI, tools=[agents.WRITE])
    said = answer.json["content"]
    assert [block["type"] for block in said] == ["redacted_thinking", "tool_use"]
    turns = [
        *PLAIN["messages"],
        {"role": "assistant", "content": said},
        {"role": "user", "content": [agents.result("ok", said[1]["id"])]},
    ]
    for model in (GEMINI, CLAUDE):
        assert (await ask(gateway, model=model, tools=[agents.WRITE], messages=turns)).status == 200
    (_, back, elsewhere) = (sent[2] for sent in gateway.wire.sent)
    assert back["contents"][1]["parts"][0]["thoughtSignature"] == "c2ln"
    assert elsewhere["messages"][1]["content"] == [said[1]]


async def test_thoughts_come_as_thinking() -> None:
    script = wires.openai_stream("I think.")
    pieces = [piece.replace(b'"content"', b'"reasoning_content"') for piece in script.pieces[:2]]
    answer_only = wires.openai_stream("Hi.").pieces[1:]
    gateway = playing(GPT, Script(pieces=[*pieces, *answer_only]))
    answer = await ask(gateway, model=GPT, stream=True)
    assert streams.disorder(answer.body) == []
    assert streams.fold(answer.body) == [
        {"type": "thinking", "thinking": "I think.", "signature": "mk1.openai."},
        {"type": "text", "text": "Hi."},
    ]


@each_model
async def test_a_stream_cut_by_its_provider_ends_as_one_that_grew_too_long_and_costs_nothing(model: str) -> None:
    script = STREAMED[model]("word " * 100)
    gateway = playing(model, Script(pieces=script.pieces[:-3], fails=FailureKind.CONNECTION))
    answer = await ask(gateway, model=model, stream=True)
    assert answer.complete
    assert streams.disorder(answer.body) == []
    _, last = streams.frames(answer.body)[-2]
    assert last["delta"]["stop_reason"] == "max_tokens"
    assert last["usage"]["cost"] == 0
    assert last["usage"]["output_tokens"] > 50
    assert not gateway.books.settled


@each_model
async def test_an_error_before_the_answer_has_its_status_and_shape(model: str) -> None:
    gateway = playing(model, wires.error(400, message="bad schema"))
    answer = await ask(gateway, model=model, stream=True)
    assert (answer.status, answer.json["type"], answer.json["error"]["type"]) == (
        400,
        "error",
        "invalid_request_error",
    )
    assert "bad schema" in answer.json["error"]["message"]
    assert answer.headers["x-should-retry"] == "false", "it would be refused again"
    assert answer.headers["request-id"] == answer.json["request_id"]
    assert len(gateway.wire.sent) == 1


async def test_an_error_in_mid_stream_is_told_in_the_stream() -> None:
    pieces = [*wires.anthropic_stream("word " * 100).pieces[:5]]
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    gateway = playing(CLAUDE, Script(pieces=[*pieces, error]))
    answer = await ask(gateway, model=CLAUDE, stream=True)
    assert (answer.status, answer.complete) == (200, True)
    name, data = streams.frames(answer.body)[-1]
    assert (name, data["type"], data["error"]["type"]) == ("error", "error", "api_error")
    assert "Overloaded" in data["error"]["message"]
    assert not gateway.books.settled


async def test_a_json_answer_to_a_request_for_a_stream_becomes_a_stream() -> None:
    gateway = playing(CLAUDE, wires.anthropic())
    answer = await ask(gateway, model=CLAUDE, stream=True)
    assert streams.disorder(answer.body) == []
    assert streams.fold(answer.body) == [{"type": "text", "text": wires.TEXT}]


async def test_pings_fill_the_silence_of_a_model_that_thinks() -> None:
    script = wires.openai_stream()
    gateway = playing(GPT, Script(pieces=script.pieces, delay=0.2), keep_alive=0.05)
    answer = await ask(gateway, model=GPT, stream=True)
    names = [name for name, _ in streams.frames(answer.body)]
    assert names[0] == "ping"
    assert next(name for name in names if name != "ping") == "message_start"


async def test_an_error_after_a_long_silence_is_an_event() -> None:
    gateway = playing(GPT, Script(status=400, pieces=wires.error(400).pieces, delay=0.2), keep_alive=0.05)
    answer = await ask(gateway, model=GPT, stream=True)
    assert answer.status == 200
    assert [name for name, _ in streams.frames(answer.body) if name != "ping"] == ["error"]


@pytest.mark.parametrize(
    ("fields", "status", "kind", "words"),
    [
        ({"max_tokens": None}, 400, "invalid_request_error", "`max_tokens` is missing"),
        ({"model": None}, 400, "invalid_request_error", "`model` is missing"),
        ({"model": "claude-none"}, 404, "not_found_error", "claude-none"),
        ({"model": "openai/gpt-unpriced"}, 400, "invalid_request_error", "price"),
        ({"model": CLAUDE, "speed": "fast"}, 400, "invalid_request_error", "`speed`"),
        (
            {"messages": [{"role": "user", "content": "word " * 200_000}]},
            400,
            "invalid_request_error",
            "prompt is too long: 229376 tokens > 200000 maximum",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_bad_requests(fields: dict[str, Any], status: int, kind: str, words: str, stream: bool) -> None:
    answer = await ask(playing(CLAUDE, wires.anthropic()), **{"model": CLAUDE, "stream": stream, **fields})
    assert (answer.status, answer.json["error"]["type"]) == (status, kind)
    assert words in answer.json["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
async def test_without_credit_agents_stop_at_once_and_show_why(stream: bool) -> None:
    answer = await ask(playing(CLAUDE, wires.anthropic(), balance=10), model=CLAUDE, stream=stream)
    assert (answer.status, answer.json["error"]["type"]) == (402, "billing_error")
    assert answer.headers["x-should-retry"] == "false"
    assert "https://gateway.example/billing" in answer.json["error"]["message"]


async def test_our_own_limit_says_when_to_come_back() -> None:
    answer = await ask(playing(CLAUDE, wires.anthropic(), requests_left=0), model=CLAUDE)
    assert (answer.status, answer.json["error"]["type"]) == (429, "rate_limit_error")
    assert answer.headers["retry-after"] == "7"


async def test_a_model_outside_the_keys_list_is_forbidden() -> None:
    gateway = playing(CLAUDE, wires.anthropic())
    gateway.allow(GPT)
    answer = await ask(gateway, model=CLAUDE)
    assert (answer.status, answer.json["error"]["type"]) == (403, "permission_error")


async def test_auto_chooses_a_model() -> None:
    gateway = playing(GPT, wires.openai())
    gateway.allow("openai/gpt-small")
    assert (await ask(gateway, model="auto")).headers["x-monkey-model"] == "gpt-small"


async def test_a_caller_who_hangs_up_is_charged_for_what_came() -> None:
    gateway = playing(CLAUDE, Script(pieces=wires.anthropic_stream("word " * 100).pieces, gap=0.001))
    answer = await ask(gateway, model=CLAUDE, stream=True, caller=Caller(hang_up_after=3))
    assert not answer.complete
    await gateway.settle_down()
    assert charged(gateway) > 0


@pytest.mark.parametrize("path", COUNT_PATHS)
async def test_tokens_are_counted_at_once_and_free_of_charge(path: str) -> None:
    gateway = Gateway()
    body = {"model": "mk-auto", "messages": [{"role": "user", "content": "x" * 300}], "tools": []}
    answer = await gateway.ask(path, body=json.dumps(body).encode())
    assert (answer.status, answer.json) == (200, {"input_tokens": 90})
    longer = await gateway.ask(path, body=json.dumps(body | {"tools": [agents.WRITE]}).encode())
    assert longer.json["input_tokens"] > 90
    assert not gateway.books.events
    assert not gateway.wire.sent


@pytest.mark.parametrize("path", COUNT_PATHS)
async def test_what_cannot_be_counted_is_refused_in_the_dialect(path: str) -> None:
    answer = await Gateway().ask(path, body=b'{"model": "auto", "messages": [1]}')
    assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error")


async def test_many_streams_at_once_do_not_mix() -> None:
    gateway = playing(GPT, *(Script(pieces=wires.openai_stream(f"answer {n}").pieces, gap=0.001) for n in range(20)))
    answers = await asyncio.gather(*(ask(gateway, model=GPT, stream=True) for _ in range(20)))
    texts = {streams.fold(answer.body)[0]["text"] for answer in answers}
    assert texts == {f"answer {n}" for n in range(20)}
