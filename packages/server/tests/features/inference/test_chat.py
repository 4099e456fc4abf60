"""OpenAI's chat completions at the front door, over every provider: answers, errors, headers, books."""

import asyncio
import json
from typing import Any

import openai
import pytest

from monkey_coder_server.domain.errors import FailureKind
from packages.server.tests.dialects.openai_chat.answering import chunks, client
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Answer, Caller, Gateway
from packages.server.tests.features.inference.world import Script

PREFIXES = ("/v1", "/openai/v1", "/openai")
GPT, CLAUDE, GEMINI = "openai/gpt-big", "anthropic/claude-big", "google/gemini-big"
WHOLE = {GPT: wires.openai, CLAUDE: wires.anthropic, GEMINI: wires.gemini}
STREAMED = {GPT: wires.openai_stream, CLAUDE: wires.anthropic_stream, GEMINI: wires.gemini_stream}
SAID: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}
ASKING = {"stream": True, "stream_options": {"include_usage": True}}

each_model = pytest.mark.parametrize("model", WHOLE)


def playing(model: str, *scripts: Script, **options: Any) -> Gateway:
    gateway = Gateway(**options)
    gateway.wire.play(model.partition("/")[0], *scripts)
    return gateway


async def ask(gateway: Gateway, path: str = "/v1/chat/completions", **fields: Any) -> Answer:
    caller: Caller | None = fields.pop("caller", None)
    headers = fields.pop("headers", None)
    return await gateway.ask(path, body=json.dumps({**SAID, **fields}).encode(), caller=caller, headers=headers)


def charged(gateway: Gateway) -> float:
    ((_, charge),) = gateway.books.settled.values()
    return charge.charged / 1e9


def text_of(answer: Answer) -> str:
    pieces = [each["choices"][0] for each in chunks(answer.body) if each["choices"]]
    return "".join(piece["delta"].get("content") or "" for piece in pieces)


@each_model
@pytest.mark.parametrize("prefix", PREFIXES)
async def test_a_whole_answer(model: str, prefix: str) -> None:
    gateway = playing(model, WHOLE[model]())
    answer = await ask(gateway, f"{prefix}/chat/completions", model=model)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    (choice,) = answer.json["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (wires.TEXT, "stop")
    usage = answer.json["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["cost"]) == (100, 20, charged(gateway))
    assert (answer.headers["x-monkey-provider"], answer.headers["x-monkey-model"]) == tuple(model.split("/"))
    assert float(answer.headers["x-monkey-cost"]) == charged(gateway)
    assert answer.headers["x-monkey-receipt"].startswith("rcpt_")
    assert gateway.notes.records[0].endpoint == "chat"


@each_model
async def test_a_streamed_answer(model: str) -> None:
    gateway = playing(model, STREAMED[model]())
    answer = await ask(gateway, model=model, **ASKING)
    assert (answer.status, answer.complete) == (200, True)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert text_of(answer) == wires.TEXT
    *_, last, report = chunks(answer.body)
    assert last["choices"][0]["finish_reason"] == "stop"
    assert report["choices"] == []
    assert (report["usage"]["prompt_tokens"], report["usage"]["completion_tokens"]) == (100, 20)
    assert report["usage"]["cost"] == charged(gateway)
    assert (answer.headers["x-monkey-provider"], answer.headers["x-monkey-model"]) == tuple(model.split("/"))


@each_model
async def test_usage_is_asked_for_and_hidden_from_a_caller_who_did_not_ask(model: str) -> None:
    gateway = playing(model, STREAMED[model]())
    answer = await ask(gateway, model=model, stream=True, temperature=0)
    assert all(each["choices"] for each in chunks(answer.body))
    ((settlement, _),) = gateway.books.settled.values()
    assert (settlement.usage.input, settlement.usage.output) == (100, 20)
    sent = gateway.wire.sent[0][2]
    assert model != GPT or sent["stream_options"] == {"include_usage": True}


async def test_the_same_dialect_is_passed_on_untouched() -> None:
    script = wires.openai_stream()
    gateway = playing(GPT, script)
    unknown = {"new": {"deep": [1]}, "metadata": {"a": "b"}}
    answer = await ask(gateway, model=GPT, max_tokens=50, **ASKING, **unknown)
    assert b"".join(script.pieces[:-2]) == answer.body[: sum(map(len, script.pieces[:-2]))]
    assert gateway.wire.sent[0][2] == {**SAID, "model": "gpt-big", "max_tokens": 50, **ASKING, **unknown}
    assert "x-monkey-dropped" not in answer.headers
    whole = playing(GPT, wires.openai())
    assert (await ask(whole, model=GPT)).json["id"] == "chatcmpl-1"


async def test_what_a_translation_loses_is_named() -> None:
    gateway = playing(CLAUDE, wires.anthropic())
    answer = await ask(gateway, model=CLAUDE, logprobs=True, new=1)
    assert answer.headers["x-monkey-dropped"] == "logprobs, new"


async def test_auto_needs_no_name() -> None:
    gateway = playing(GPT, wires.openai())
    for provider, script in ("anthropic", wires.anthropic()), ("google", wires.gemini()):
        gateway.wire.play(provider, script)
    for fields in ({}, {"model": "auto"}, {"model": "auto:cheap"}):
        answer = await ask(gateway, **fields)
        assert answer.json["choices"][0]["message"]["content"] == wires.TEXT


@each_model
async def test_a_stream_cut_upstream_ends_complete_and_free_of_charge(model: str) -> None:
    script = STREAMED[model]()
    script.pieces, script.fails = script.pieces[:4], FailureKind.CONNECTION
    gateway = playing(model, script)
    answer = await ask(gateway, model=model, **ASKING)
    assert (answer.status, answer.complete) == (200, True)
    said = text_of(answer)
    assert said
    assert wires.TEXT.startswith(said)
    *_, last, report = chunks(answer.body)
    assert last["choices"][0]["finish_reason"] == "length"
    assert report["usage"]["cost"] == 0
    assert report["usage"]["completion_tokens"] > 0
    assert len(gateway.books.voided) == 1


@each_model
async def test_an_error_in_mid_stream_is_told_in_the_stream(model: str) -> None:
    script = STREAMED[model]()
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded", "code": 503}}
    script.pieces = [*script.pieces[:4], b"event: error\ndata: " + json.dumps(error).encode() + b"\n\n"]
    gateway = playing(model, script)
    answer = await ask(gateway, model=model, stream=True)
    reading = client(200, answer.body, {"content-type": "text/event-stream"})
    with pytest.raises(openai.APIError, match="Overloaded"):
        list(reading.chat.completions.create(model="m", messages=SAID["messages"], stream=True))
    assert b"[DONE]" not in answer.body


@each_model
@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_that_fails_before_it_speaks_is_an_http_error(model: str, stream: bool) -> None:
    gateway = playing(model, wires.error(500))
    answer = await ask(gateway, model=model, stream=stream)
    assert (answer.status, answer.json["error"]["code"], answer.json["error"]["type"]) == (
        502,
        "provider_error",
        "server_error",
    )


@pytest.mark.parametrize(
    ("fields", "options", "status", "code", "raised"),
    [
        ({"messages": []}, {}, 400, "invalid_request", openai.BadRequestError),
        ({"model": "gpt-nonsense"}, {}, 404, "model_not_found", openai.NotFoundError),
        ({"model": "openai/gpt-unpriced"}, {}, 400, "price_unknown", openai.BadRequestError),
        ({}, {"balance": 1}, 400, "insufficient_quota", openai.BadRequestError),
        ({}, {"cap": 1}, 400, "budget_exceeded", openai.BadRequestError),
        ({}, {"requests_left": 0}, 429, "rate_limit_exceeded", openai.RateLimitError),
    ],
)
async def test_refusals_are_those_the_official_sdk_knows(
    fields: dict[str, Any], options: dict[str, Any], status: int, code: str, raised: type[openai.APIStatusError]
) -> None:
    gateway = playing(GPT, wires.openai(), **options)
    answer = await ask(gateway, **{"model": GPT, **fields})
    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    with pytest.raises(raised) as caught:
        client(status, answer.body, answer.headers).chat.completions.create(model="m", messages=SAID["messages"])
    assert caught.value.code == code


async def test_a_wrong_field_is_named() -> None:
    answer = await ask(Gateway(), messages=[{"role": "user", "content": 7}])
    assert answer.json["error"]["param"] == "messages[0].content"


async def test_a_model_the_key_may_not_use_is_forbidden() -> None:
    gateway = playing(GPT, wires.openai())
    gateway.allow(CLAUDE)
    answer = await ask(gateway, model=GPT)
    assert (answer.status, answer.json["error"]["code"]) == (403, "model_not_allowed")


async def test_money_errors_stop_an_sdk_at_once_and_say_where_to_top_up() -> None:
    answer = await ask(playing(GPT, wires.openai(), balance=1), model=GPT)
    assert answer.headers["x-should-retry"] == "false"
    assert "https://gateway.example/billing" in answer.json["error"]["message"]


async def test_a_silence_is_filled_with_comments() -> None:
    script = wires.openai_stream()
    script.gap = 0.02
    gateway = playing(GPT, script, keep_alive=0.005)
    answer = await ask(gateway, model=GPT, **ASKING)
    assert b": keep-alive\n\n" in answer.body
    reading = client(200, answer.body, {"content-type": "text/event-stream"})
    read = list(reading.chat.completions.create(model="m", messages=SAID["messages"], stream=True))
    assert "".join(each.choices[0].delta.content or "" for each in read if each.choices) == wires.TEXT


@each_model
async def test_a_caller_who_hangs_up_pays_for_what_was_said(model: str) -> None:
    gateway = playing(model, STREAMED[model]())
    await ask(gateway, model=model, stream=True, caller=Caller(hang_up_after=2))
    await asyncio.sleep(0.05)
    await gateway.settle_down()
    assert charged(gateway) > 0


@each_model
async def test_callers_of_functions_are_served_by_any_model(model: str) -> None:
    gateway = playing(model, WHOLE[model]())
    answer = await ask(gateway, model=model, functions=[{"name": "f", "parameters": {"type": "object"}}])
    assert answer.status == 200, answer.body
    sent = json.dumps(gateway.wire.sent[0][2])
    assert '"tools"' in sent
    assert '"functions"' not in sent


@each_model
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("stream", [False, True])
async def test_completions_of_old(model: str, prefix: str, stream: bool) -> None:
    gateway = playing(model, (STREAMED if stream else WHOLE)[model]())
    body = json.dumps({"model": model, "prompt": "hi", "stream": stream}).encode()
    answer = await gateway.ask(f"{prefix}/completions", body=body)
    assert answer.status == 200, answer.body
    said = chunks(answer.body) if stream else [answer.json]
    assert "".join(each["choices"][0]["text"] for each in said) == wires.TEXT
    assert said[-1]["choices"][0]["finish_reason"] == "stop"
    assert gateway.notes.records[0].endpoint == "completions"
    refused = await gateway.ask(f"{prefix}/completions", body=b'{"prompt": ["a", "b"]}')
    assert (refused.status, refused.json["error"]["param"]) == (400, "prompt")
