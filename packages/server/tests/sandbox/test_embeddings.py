"""Simulated embeddings and moderations: recorded shapes, the providers' limits and sentences, usage and tally."""

import json
import struct
from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from math import fsum
from typing import Any

import pytest
from aiohttp import ClientSession

from monkey_coder_server.sandbox.server import RunningSandbox
from packages.server.tests.recordings import replay
from packages.server.tests.sandbox.simulating import key_paths

pytestmark = pytest.mark.system
JSON = {"content-type": "application/json"}
Post = Callable[..., Any]
OPENAI, GOOGLE = "text-embedding-3-small", "gemini-embedding-2"
PATHS = {
    "openai": "/embeddings",
    "perplexity": "/v1/embeddings",
    "moderations": "/moderations",
    "single": f"/v1beta/models/{GOOGLE}:embedContent",
    "batch": f"/v1beta/models/{GOOGLE}:batchEmbedContents",
}
BASES = {"moderations": "openai", "single": "google", "batch": "google"}


@pytest.fixture
def post(client: ClientSession, sandbox: RunningSandbox) -> Post:
    async def send(to: str, body: Any, *, path: str = "") -> tuple[int, Any]:
        base = sandbox.base_urls[BASES.get(to, to)]
        sent = BytesIO(json.dumps(body).encode())
        async with client.post(base + (path or PATHS[to]), data=sent, headers=JSON) as response:
            return response.status, await response.json()

    return send


def batch(*texts: str, model: str = GOOGLE, **more: Any) -> dict[str, Any]:
    requests = [{"model": f"models/{model}", "content": {"parts": [{"text": text}]}, **more} for text in texts]
    return {"requests": requests}


def recorded(provider: str) -> set[str]:
    """Every key of this provider's recorded embeddings."""
    found = [
        record
        for record in replay.records(("openai-embeddings", "gemini-embeddings"))
        if record["provider"] == provider
    ]
    bodies = [json.loads(record["response"]["body"]) for record in found if not replay.is_http_error(record)]
    return {path for body in bodies for path in key_paths(body)}


@pytest.mark.parametrize(
    ("provider", "to", "body"),
    [
        ("openai", "openai", {"model": OPENAI, "input": ["a", "b"]}),
        ("openai", "openai", {"model": OPENAI, "input": "a", "encoding_format": "base64"}),
        ("perplexity", "perplexity", {"model": "pplx-embed-v1-0.6b", "input": ["a"]}),
        ("google", "batch", batch("a", "b")),
    ],
)
async def test_an_answer_has_exactly_the_recorded_keys(post: Post, provider: str, to: str, body: Any) -> None:
    status, answer = await post(to, body)
    assert status == 200
    assert set(key_paths(answer)) == recorded(provider)


async def test_vectors_depend_on_the_text_alone_and_have_length_one(post: Post) -> None:
    _, answer = await post("openai", {"model": OPENAI, "input": ["a", "b", "a"], "dimensions": 64})
    first, second, third = (each["embedding"] for each in answer["data"])
    assert first == third != second
    assert fsum(number * number for number in first) == pytest.approx(1.0, rel=1e-5)
    _, packed = await post("openai", {"model": OPENAI, "input": "a", "dimensions": 64, "encoding_format": "base64"})
    assert list(struct.unpack("<64f", b64decode(packed["data"][0]["embedding"]))) == first
    _, single = await post("single", {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 64})
    assert single["embedding"]["values"] == first


async def test_perplexity_gives_bytes_and_names_its_cost(post: Post) -> None:
    _, answer = await post("perplexity", {"model": "pplx-embed-v1-0.6b", "input": ["abcd" * 7], "dimensions": 128})
    assert len(b64decode(answer["data"][0]["embedding"])) == 128
    assert answer["usage"] == {
        "prompt_tokens": 7,
        "total_tokens": 7,
        "cost": {"input_cost": 2.8e-08, "total_cost": 2.8e-08, "currency": "USD"},
    }


@pytest.mark.parametrize(
    ("to", "body", "tokens", "nanos"),
    [
        ("openai", {"model": OPENAI, "input": ["abcd" * 50, [1, 2]]}, 52, 1_040),
        ("perplexity", {"model": "pplx-embed-v1-4b", "input": ["abcd" * 50]}, 50, 1_500),
        ("batch", batch("abcd" * 50, "abcd"), 51, 10_200),
        ("moderations", {"input": "abcd" * 50}, 0, 0),
    ],
)
async def test_the_tally_holds_the_input_and_its_price(  # noqa: PLR0917 - what is asked and what is booked
    post: Post, sandbox: RunningSandbox, to: str, body: Any, tokens: int, nanos: int
) -> None:
    await post(to, body)
    (entry,) = sandbox.tally.entries
    assert (entry.outcome, entry.usage.prompt, entry.usage.output, entry.cost_nanos) == ("served", tokens, 0, nanos)


async def test_googles_older_model_meters_nothing_and_bills_all_the_same(post: Post, sandbox: RunningSandbox) -> None:
    model = "gemini-embedding-001"
    _, answer = await post("batch", batch("abcd", model=model), path=f"/v1beta/models/{model}:batchEmbedContents")
    assert "usageMetadata" not in answer
    assert sandbox.tally.cost_nanos("google") == 150


@pytest.mark.parametrize(
    ("to", "body", "words"),
    [
        ("openai", {"model": OPENAI}, "'$.input' is invalid"),
        ("openai", {"model": OPENAI, "input": [""]}, "'$.input' is invalid"),
        ("openai", {"model": OPENAI, "input": ["a"] * 2_049}, "maximum length 2048"),
        ("openai", {"model": OPENAI, "input": "abcd" * 8_193}, "maximum context length is 8192 tokens"),
        ("openai", {"model": OPENAI, "input": ["abcd" * 8_000] * 38}, "max 300000 tokens per request"),
        ("openai", {"model": OPENAI, "input": "a", "dimensions": 1_537}, "less than or equal to 1536"),
        ("openai", {"model": "text-embedding-ada-002", "input": "a", "dimensions": 8}, "specifying dimensions"),
        ("openai", {"model": OPENAI, "input": "a", "encoding_format": "int8"}, "Supported values are: float, base64"),
        ("perplexity", {"model": "pplx-embed-v1-4b", "input": [1]}, "valid string"),
        ("batch", {"requests": []}, "requests is not specified"),
        ("batch", batch(*["a"] * 101), "at most 100 requests can be in one batch"),
        ("batch", batch("a", model="other"), "model must be models/gemini-embedding-2"),
        ("batch", {"requests": ["a"]}, "Invalid value"),
        ("single", {"content": {"parts": []}}, "contents is not specified"),
        ("single", {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 0}, "output_dimensionality"),
        ("moderations", {}, "Invalid value for 'input'"),
        ("moderations", {"input": [{"type": "image_url", "image_url": "x"}]}, "Invalid value for 'input'"),
        ("moderations", {"input": [{"type": "sound"}]}, "Invalid value for 'input'"),
    ],
)
async def test_what_a_provider_would_refuse_is_refused(post: Post, to: str, body: Any, words: str) -> None:
    status, answer = await post(to, body)
    assert status == 400
    assert words in answer["error"]["message"]


@pytest.mark.parametrize(
    ("to", "body", "path", "words"),
    [
        ("openai", {"model": "gpt-5", "input": "a"}, "", "does not exist"),
        ("moderations", {"model": "gpt-5", "input": "a"}, "", "does not exist"),
        ("batch", batch("a"), "/v1beta/models/none:batchEmbedContents", "is not supported for embedContent"),
    ],
)
async def test_a_model_for_other_work_is_not_found(post: Post, to: str, body: Any, path: str, words: str) -> None:
    status, answer = await post(to, body, path=path)
    assert status == 404
    assert words in answer["error"]["message"]


async def test_a_text_may_steer_what_happens_to_it(post: Post) -> None:
    status, _ = await post("openai", {"model": OPENAI, "input": "[[sandbox fault=429]] a"})
    assert status == 429
    status, answer = await post("openai", {"model": OPENAI, "input": "[[sandbox fault=no_usage]] a"})
    assert (status, "usage" in answer) == (200, False)


@pytest.mark.parametrize(
    ("sent", "flagged", "types"),
    [
        ("good morning", [False], ["text"]),
        (["good", "I will kill it"], [False, True], ["text"]),
        (
            [{"type": "text", "text": "a bomb"}, {"type": "image_url", "image_url": {"url": "https://x/y.png"}}],
            [True],
            ["text", "image"],
        ),
    ],
)
async def test_moderation_judges_each_text_or_all_parts_together(
    post: Post, sent: Any, flagged: list[bool], types: list[str]
) -> None:
    _, answer = await post("moderations", {"input": sent})
    assert [result["flagged"] for result in answer["results"]] == flagged
    assert answer["id"].startswith("modr-")
    assert answer["model"] == "omni-moderation-latest"
    assert answer["results"][0]["category_applied_input_types"]["violence"] == types


async def test_such_models_are_listed_but_not_to_talk_with(client: ClientSession, sandbox: RunningSandbox) -> None:
    async with client.get(f"{sandbox.base_urls['openai']}/models") as response:
        ids = {each["id"] for each in (await response.json())["data"]}
    assert {OPENAI, "omni-moderation-latest", "gpt-5"} <= ids
    async with client.get(f"{sandbox.base_urls['google']}/v1beta/models") as response:
        models = {each["name"]: each for each in (await response.json())["models"]}
    assert "embedContent" in models[f"models/{GOOGLE}"]["supportedGenerationMethods"]
    chat = {"model": OPENAI, "messages": [{"role": "user", "content": "hi"}]}
    async with client.post(f"{sandbox.base_urls['openai']}/chat/completions", json=chat) as response:
        assert response.status == 404
