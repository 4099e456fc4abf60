"""The Gemini API over any provider: asked as its clients ask, answered as they read, held and billed as ever."""

import json
from typing import Any

import pytest

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.prompt_tokens import prompt_size
from monkey_coder_server.domain.tokenizers import calibration
from packages.server.tests.dialects.gemini.reading import inbound, records, turn
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Answer, Gateway
from packages.server.tests.features.inference.world import Script

BASES = ("/v1beta/models", "/v1/models", "/genai/v1beta/models", "/genai/v1/models", "/v1beta", "/genai/v1beta")
GOOGLE, OPENAI, CLAUDE = "google/gemini-big", "openai/gpt-big", "anthropic/claude-big"
WHOLE = {OPENAI: wires.openai, CLAUDE: wires.anthropic, GOOGLE: wires.gemini}
STREAMED = {OPENAI: wires.openai_stream, CLAUDE: wires.anthropic_stream, GOOGLE: wires.gemini_stream}
FULL_PRICE = {
    OPENAI: (100 * 10_000 + 20 * 30_000) * 105 // 100,
    CLAUDE: (100 * 3_000 + 20 * 15_000) * 105 // 100,
    GOOGLE: (100 * 2_000 + 20 * 12_000) * 105 // 100,
}
each_model = pytest.mark.parametrize("model", [GOOGLE, OPENAI, CLAUDE])


async def ask(
    gateway: Gateway, model: str, verb: str = "generateContent", *, base: str = BASES[0], **fields: Any
) -> Answer:
    body = {"contents": [turn("user", {"text": "Write an API."})], **fields}
    return await gateway.ask(f"{base}/{model}:{verb}", body=json.dumps(body).encode())


def text_of(answers: list[dict[str, Any]]) -> str:
    candidates = [answer["candidates"][0] for answer in answers]
    return "".join(part.get("text", "") for each in candidates for part in each["content"]["parts"])


def provider_of(model: str) -> str:
    return model.partition("/")[0]


@each_model
@pytest.mark.parametrize("base", BASES)
async def test_a_whole_answer_of_any_model_under_any_base(model: str, base: str) -> None:
    gateway = Gateway()
    gateway.wire.play(provider_of(model), WHOLE[model]())
    answer = await ask(gateway, model, base=base)
    assert answer.status == 200, answer.body
    assert text_of([answer.json]) == wires.TEXT
    assert answer.json["candidates"][0]["finishReason"] == "STOP"
    usage = answer.json["usageMetadata"]
    counts = [usage[name] for name in ("promptTokenCount", "candidatesTokenCount", "totalTokenCount")]
    assert counts == [100, 20, 120]
    assert usage["cost"] * 1_000_000_000 == pytest.approx(FULL_PRICE[model])
    assert float(answer.headers["x-monkey-cost"]) == usage["cost"]
    assert gateway.notes.records[0].endpoint == "gemini"


@each_model
@pytest.mark.parametrize("query", ["?alt=sse", ""])
async def test_a_stream_of_any_model_as_events_or_as_an_array(model: str, query: str) -> None:
    gateway = Gateway(keep_alive=0.01)
    script = STREAMED[model]()
    script.gap = 0.02
    gateway.wire.play(provider_of(model), script)
    answer = await ask(gateway, model, f"streamGenerateContent{query}")
    assert answer.status == 200, answer.body
    assert answer.complete
    assert answer.headers["content-type"] == ("text/event-stream" if query else "application/json; charset=UTF-8")
    answers = records(answer.body) if query else json.loads(answer.body)
    assert len(answers) > 5
    assert text_of(answers) == wires.TEXT
    assert [each["candidates"][0].get("finishReason") for each in answers[:-1]] == [None] * (len(answers) - 1)
    assert answers[-1]["candidates"][0]["finishReason"] == "STOP"
    assert answers[-1]["usageMetadata"]["totalTokenCount"] == 120
    assert answers[-1]["usageMetadata"]["cost"] * 1_000_000_000 == pytest.approx(FULL_PRICE[model])


async def test_google_gets_what_its_caller_wrote_and_always_sends_events() -> None:
    gateway = Gateway()
    gateway.wire.play("google", wires.gemini_stream())
    fields = {"safetySettings": [{"category": "X"}], "generationConfig": {"maxOutputTokens": 90_000, "new": {}}}
    answer = await ask(gateway, GOOGLE, "streamGenerateContent", **fields)
    (_, url, sent, headers) = gateway.wire.sent[0]
    assert url == "https://google.example/v1beta/models/gemini-big:streamGenerateContent?alt=sse"
    assert headers["x-goog-api-key"] == "sk-google"
    assert sent == {
        "contents": [turn("user", {"text": "Write an API."})],
        "safetySettings": [{"category": "X"}],
        "generationConfig": {"maxOutputTokens": 32_000, "new": {}},
    }
    assert "x-monkey-dropped" not in answer.headers
    assert json.loads(answer.body)[0]["responseId"] == "resp-1", "Google's own record"


async def test_what_another_provider_cannot_be_told_is_named() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    answer = await ask(gateway, OPENAI, safetySettings=[], tools=[{"googleSearch": {}}])
    assert answer.headers["x-monkey-dropped"] == "tools.google_search, safetySettings"


@pytest.mark.parametrize("name", ["auto", "auto:cheap", "models/auto", "gpt-small", "models/openai/gpt-small"])
async def test_names_of_models(name: str) -> None:
    gateway = Gateway()
    for model, script in WHOLE.items():
        gateway.wire.play(provider_of(model), script())
    answer = await ask(gateway, name)
    assert answer.status == 200, answer.body
    assert answer.json["modelVersion"]


async def test_a_tool_loop_over_another_provider() -> None:
    gateway = Gateway()
    call = {"index": 0, "id": "call_x", "type": "function", "function": {"name": "now", "arguments": '{"zone":"UTC"}'}}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunks = [
        {
            **chunk,
            "choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}, "finish_reason": None}],
        },
        {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
    ]
    gateway.wire.play("openai", Script(pieces=[f"data: {json.dumps(each)}\n\n".encode() for each in chunks]))
    tools = [{"functionDeclarations": [{"name": "now", "parameters": {"type": "OBJECT", "properties": {}}}]}]
    first = records((await ask(gateway, OPENAI, "streamGenerateContent?alt=sse", tools=tools)).body)
    part = first[0]["candidates"][0]["content"]["parts"][0]
    assert part == {"functionCall": {"id": "call_x", "name": "now", "args": {"zone": "UTC"}}}
    assert first[-1]["candidates"][0]["finishReason"] == "STOP"
    gateway.wire.play("openai", wires.openai("It is noon."))
    returned = {"functionResponse": {"id": "call_x", "name": "now", "response": {"output": "12:00"}}}
    history = [turn("user", {"text": "?"}), turn("model", part), turn("user", returned)]
    answer = await gateway.ask(
        f"/v1beta/models/{OPENAI}:generateContent", body=json.dumps({"contents": history, "tools": tools}).encode()
    )
    assert text_of([answer.json]) == "It is noon."
    asked, result = gateway.wire.sent[-1][2]["messages"][1:]
    assert asked["tool_calls"][0]["id"] == result["tool_call_id"] == "call_x"
    assert result["content"] == "12:00"


@each_model
@pytest.mark.parametrize("fails", [None, FailureKind.CONNECTION])
async def test_a_stream_that_breaks_off_ends_with_a_last_record_and_costs_nothing(
    model: str, fails: FailureKind | None
) -> None:
    gateway = Gateway()
    script = STREAMED[model]("word " * 40)
    gateway.wire.play(provider_of(model), Script(pieces=script.pieces[:5], fails=fails))
    answer = await ask(gateway, model, "streamGenerateContent?alt=sse")
    assert answer.complete, "Gemini's clients fail on a connection that is aborted"
    *said, last = records(answer.body)
    assert text_of(said).startswith("word ")
    assert last["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert last["usageMetadata"]["cost"] == 0
    await gateway.settle_down()
    assert gateway.books.balance == 5_000_000_000


async def test_an_error_in_the_middle_is_told_in_the_stream() -> None:
    gateway = Gateway()
    script = wires.gemini_stream("word " * 40)
    broken = b'data: {"error":{"code":500,"message":"Boom.","status":"INTERNAL"}}\r\n\r\n'
    gateway.wire.play("google", Script(pieces=[*script.pieces[:4], broken]))
    answer = await ask(gateway, GOOGLE, "streamGenerateContent?alt=sse")
    assert answer.complete
    *_, last, error = records(answer.body)
    assert last["candidates"][0]["finishReason"] == "OTHER"
    assert (error["error"]["code"], error["error"]["status"]) == (502, "UNAVAILABLE")


@pytest.mark.parametrize(
    ("model", "fields", "status", "word"),
    [
        ("nobody/knows", {}, 404, "NOT_FOUND"),
        ("openai/gpt-unpriced", {}, 400, "INVALID_ARGUMENT"),
        (OPENAI, {"generationConfig": {"candidateCount": 4}}, 400, "INVALID_ARGUMENT"),
        (OPENAI, {"contents": []}, 400, "INVALID_ARGUMENT"),
    ],
)
async def test_refusals(model: str, fields: Any, status: int, word: str) -> None:
    gateway = Gateway()
    for verb in ("generateContent", "streamGenerateContent?alt=sse"):
        answer = await ask(gateway, model, verb, **fields)
        error = answer.json["error"]
        assert (answer.status, error["code"], error["status"]) == (status, status, word)
        assert error["details"][0]["metadata"]["request_id"].startswith("req_")
    assert not gateway.wire.sent


async def test_a_wallet_that_is_empty_stops_an_agent_at_once() -> None:
    gateway = Gateway(balance=1)
    answer = await ask(gateway, OPENAI, "streamGenerateContent?alt=sse")
    assert answer.status == 402
    assert answer.headers["x-should-retry"] == "false"
    assert "https://gateway.example/billing" in answer.json["error"]["message"]


async def test_our_own_limit_says_when_to_come_back() -> None:
    answer = await ask(Gateway(requests_left=0), OPENAI)
    assert (answer.status, answer.json["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert answer.headers["retry-after"] == "7"
    assert answer.json["error"]["details"][1]["retryDelay"] == "7.000s"


@pytest.mark.parametrize(("theirs", "ours", "word"), [(400, 400, "INVALID_ARGUMENT"), (404, 502, "UNAVAILABLE")])
async def test_what_a_provider_would_refuse_again_stops_a_client_that_repeats_errors_of_the_server(
    theirs: int, ours: int, word: str
) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.error(theirs))
    answer = await ask(gateway, OPENAI)
    assert (answer.status, answer.json["error"]["code"], answer.json["error"]["status"]) == (ours, ours, word)


@pytest.mark.parametrize("wrapped", [True, False])
async def test_tokens_are_counted_at_once_and_for_nothing(wrapped: bool) -> None:
    gateway = Gateway()
    body: dict[str, Any] = {"contents": [turn("user", {"text": "word " * 100})]}
    sent = {"generateContentRequest": {"model": "models/x", **body}} if wrapped else body
    answer = await gateway.ask("/v1/models/gemini-big:countTokens", body=json.dumps(sent).encode())
    by = calibration("google", "gemini-big")
    assert answer.json == {"totalTokens": prompt_size(inbound(sent).request).expected_by(by)}
    assert answer.json["totalTokens"] > 90
    assert not gateway.books.events
