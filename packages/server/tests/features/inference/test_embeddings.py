"""Embeddings go the way of every request: planned, held, tried, settled, with the cost in the answer."""

import json
from array import array
from base64 import b64decode
from typing import Any

import pytest

from monkey_coder_server.dialects import vectors
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Answer, Gateway
from packages.server.tests.features.inference.world import Script

PATHS = ("/v1/embeddings", "/openai/v1/embeddings", "/openai/embeddings")
OPENAI, GOOGLE = "openai/embed-small", "google/embed-gem"
VECTORS = [[0.5, -0.25], [1.0, 0.0]]


def openai(*numbers: list[float], tokens: int = 4, packed: bool = True) -> Script:
    written = [vectors.to_base64(array("f", each)) if packed else each for each in numbers or VECTORS]
    data = [{"object": "embedding", "index": place, "embedding": each} for place, each in enumerate(written)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    body = {"object": "list", "data": data, "model": "embed-small", "usage": usage}
    return Script(pieces=[json.dumps(body, indent=1).encode()])


def google(*numbers: list[float], tokens: int | None = 4) -> Script:
    body: dict[str, Any] = {"embeddings": [{"values": each} for each in numbers or VECTORS]}
    if tokens is not None:
        body["usageMetadata"] = {"promptTokenCount": tokens}
    return Script(pieces=[json.dumps(body).encode()])


async def embed(gateway: Gateway, path: str = PATHS[0], **fields: Any) -> Answer:
    return await gateway.ask(path, body=json.dumps({"input": ["a", "b"], **fields}).encode())


@pytest.mark.parametrize("path", PATHS)
async def test_openais_answer_comes_back_as_it_is_with_its_cost(path: str) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", openai())
    answer = await embed(gateway, path, model="embed-small", encoding_format="base64", new=1)
    assert answer.status == 200, answer.body
    assert [array("f", b64decode(each["embedding"])).tolist() for each in answer.json["data"]] == VECTORS
    assert answer.json["usage"] == {"prompt_tokens": 4, "total_tokens": 4, "cost": 8.4e-08}
    assert b'"object": "embedding"' in answer.body, "the provider's own spaces"
    (_, url, sent, headers) = gateway.wire.sent[0]
    assert url == "https://openai.example/embeddings"
    assert sent == {"input": ["a", "b"], "model": "embed-small", "encoding_format": "base64", "new": 1}
    assert headers["authorization"] == "Bearer sk-openai"


async def test_every_figure_of_it_is_in_headers_and_books() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", openai(tokens=500))
    answer = await embed(gateway, model=OPENAI)
    (settlement, charge) = next(iter(gateway.books.settled.values()))
    assert answer.headers["x-monkey-cost"] == "0.0000105"
    assert answer.headers["x-monkey-provider"] == "openai"
    assert answer.headers["x-monkey-model"] == "embed-small"
    assert answer.headers["x-monkey-receipt"] == charge.receipt_id
    assert (settlement.provider_cost, settlement.price) == (10_000, 10_500)
    assert (settlement.price_row, settlement.task_type) == ("openai/embed-small", "embeddings")
    assert (settlement.usage.input, settlement.usage.output, settlement.usage.estimated) == (500, 0, False)
    assert gateway.notes.records[0].endpoint == "embeddings"


async def test_the_hold_is_for_the_input_alone() -> None:
    gateway = Gateway()
    holds: list[int] = []
    gateway.wire.before_send = lambda: holds.append(gateway.books.held)
    gateway.wire.play("openai", openai())
    await embed(gateway, model=OPENAI, input=["x" * 1_000] * 2)
    assert len(holds) == 1
    assert 2_000 * 21 <= holds[0] <= 4_000 * 21


@pytest.mark.parametrize("packed", [True, False])
async def test_googles_vectors_come_in_the_encoding_that_was_asked_for(packed: bool) -> None:
    gateway = Gateway()
    gateway.wire.play("google", google())
    answer = await embed(gateway, model=GOOGLE, encoding_format="base64" if packed else "float", user="u", new=1)
    assert answer.status == 200, answer.body
    got = [each["embedding"] for each in answer.json["data"]]
    assert [array("f", b64decode(each)).tolist() if packed else each for each in got] == VECTORS
    assert answer.json["usage"] == {"prompt_tokens": 4, "total_tokens": 4, "cost": 6.3e-07}
    assert answer.headers["x-monkey-dropped"] == "user, new"
    assert gateway.wire.sent[0][1].endswith("/v1beta/models/embed-gem:batchEmbedContents")


async def test_a_provider_that_counts_nothing_is_billed_by_our_own_count_and_the_receipt_says_so() -> None:
    gateway = Gateway()
    gateway.wire.play("google", google(tokens=None))
    answer = await embed(gateway, model=GOOGLE, input=["a" * 300])
    (settlement, charge) = next(iter(gateway.books.settled.values()))
    assert settlement.usage.estimated
    assert answer.json["usage"]["prompt_tokens"] == settlement.usage.input > 0
    assert charge.charged > 0


async def test_a_failure_is_tried_again_with_the_same_model_and_charged_once() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", Script(status=503, pieces=[b"{}"]), openai())
    answer = await embed(gateway, model=OPENAI)
    assert answer.status == 200
    assert [each[0] for each in gateway.wire.sent] == ["openai", "openai"]
    assert len(gateway.books.settled) == 1


async def test_another_model_never_stands_in() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", Script(status=503, pieces=[b"{}"]))
    answer = await embed(gateway, model=OPENAI)
    assert answer.status == 502
    assert {each[0] for each in gateway.wire.sent} == {"openai"}
    assert answer.json["error"]["type"] == "server_error"
    assert gateway.books.balance == 5_000_000_000


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"model": "openai/gpt-big"}, 400, "a model for chat, not for embeddings"),
        ({"model": "openai/judge"}, 400, "a model for moderation, not for embeddings"),
        ({"model": "embed-unpriced"}, 400, "cannot be billed"),
        ({"model": "embed-none"}, 404, "no model named"),
        ({"model": "auto"}, 400, "vectors of different models cannot be compared"),
        ({"model": GOOGLE, "input": [1, 2]}, 400, "Token ids are only understood by OpenAI's own models"),
        ({"model": OPENAI, "input": ["a"] * 9}, 400, "holds 9 inputs, but openai/embed-small takes 8"),
        ({"model": OPENAI, "input": "x" * 8_192 * 8 * 5}, 400, "The prompt is about"),
    ],
)
async def test_what_cannot_be_served_is_refused_with_a_sentence(
    fields: dict[str, Any], status: int, words: str
) -> None:
    gateway = Gateway()
    answer = await embed(gateway, **fields)
    assert (answer.status, gateway.wire.sent) == (status, [])
    assert words in answer.json["error"]["message"]
    assert gateway.books.open == {}


async def test_an_empty_wallet_is_told_in_openais_words() -> None:
    gateway = Gateway(balance=10)
    answer = await embed(gateway, model=OPENAI)
    assert (answer.status, answer.headers["x-should-retry"]) == (400, "false")
    assert answer.json["error"]["code"] == "insufficient_quota"
    assert "https://gateway.example/billing" in answer.json["error"]["message"]


async def test_an_embedding_model_is_no_model_to_talk_with() -> None:
    gateway = Gateway()
    answer = await gateway.ask(model=OPENAI)
    assert answer.status == 400
    assert "openai/embed-small is a model for embeddings, not for chat" in answer.json["message"]
    gateway.wire.play("openai", wires.openai())
    for name in ("anthropic", "google"):
        gateway.wire.play(name, Script(status=500))
    assert (await gateway.ask(model="auto")).status == 200
    assert "embed" not in json.dumps([sent for _, _, sent, _ in gateway.wire.sent])


def batch(*texts: str) -> bytes:
    requests = [
        {"model": "models/x", "content": {"parts": [{"text": text}]}, "taskType": "CLUSTERING"} for text in texts
    ]
    return json.dumps({"requests": requests}).encode()


@pytest.mark.parametrize("base", ["/v1beta/models", "/v1/models", "/genai/v1beta/models"])
async def test_googles_own_clients_ask_google_in_its_own_words(base: str) -> None:
    gateway = Gateway()
    gateway.wire.play("google", google())
    answer = await gateway.ask(f"{base}/{GOOGLE}:batchEmbedContents", body=batch("a", "b"))
    assert [each["values"] for each in answer.json["embeddings"]] == VECTORS
    assert answer.json["usageMetadata"] == {"promptTokenCount": 4, "cost": 6.3e-07}
    assert [each["taskType"] for each in gateway.wire.sent[0][2]["requests"]] == ["CLUSTERING"] * 2
    assert {each["model"] for each in gateway.wire.sent[0][2]["requests"]} == {"models/embed-gem"}


async def test_googles_own_clients_may_ask_openai() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", openai([0.5, 0.25]))
    one = json.dumps({"content": {"parts": [{"text": "a"}, {"text": "b"}]}, "taskType": "CLUSTERING"}).encode()
    answer = await gateway.ask(f"/v1beta/models/{OPENAI}:embedContent", body=one)
    assert answer.json["embedding"] == {"values": [0.5, 0.25]}
    assert answer.headers["x-monkey-dropped"] == "taskType"
    assert gateway.wire.sent[0][2] == {"model": "embed-small", "input": ["a\nb"], "encoding_format": "base64"}


async def test_a_refusal_is_told_in_googles_words_there() -> None:
    answer = await Gateway().ask("/v1beta/models/openai/gpt-big:embedContent", body=batch("a"))
    assert answer.json["error"]["status"] == "INVALID_ARGUMENT"
