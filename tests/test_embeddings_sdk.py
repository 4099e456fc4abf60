"""The official SDKs ask for embeddings and moderations, and read their own types and errors."""

import json
from collections.abc import Iterator
from decimal import Decimal
from math import sqrt

import openai
import pytest
from google import genai
from google.genai import errors, types

from tests.conftest import RunningGateway
from tests.contract_http import Outsider

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]

LENGTHS = {
    "text-embedding-3-small": 1_536,
    "openai/text-embedding-3-large": 3_072,
    "text-embedding-ada-002": 1_536,
    "gemini-embedding-001": 3_072,
    "google/gemini-embedding-2": 3_072,
    "pplx-embed-v1-0.6b": 1_024,
    "perplexity/pplx-embed-v1-4b": 2_560,
}
TEXTS = ["Ruby", "A programmer's best friend", "Ruby"]


@pytest.fixture(params=["/v1", "/openai/v1"])
def client(gateway: RunningGateway, request: pytest.FixtureRequest) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=gateway.base_url + request.param, api_key=gateway.api_key, max_retries=0) as made:
        yield made


@pytest.mark.parametrize("model", LENGTHS)
def test_every_model_gives_the_sdk_its_vectors(client: openai.OpenAI, model: str) -> None:
    answer = client.embeddings.create(model=model, input=TEXTS)
    assert [datum.index for datum in answer.data] == [0, 1, 2]
    assert {len(datum.embedding) for datum in answer.data} == {LENGTHS[model]}
    first, second, third = (datum.embedding for datum in answer.data)
    assert _cosine(first, third) == pytest.approx(1.0)
    assert abs(_cosine(first, second)) < 0.2
    assert answer.usage.prompt_tokens > 0


def _cosine(one: list[float], other: list[float]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / sqrt(sum(a * a for a in one) * sum(b * b for b in other))


@pytest.mark.parametrize("model", ["text-embedding-3-small", "gemini-embedding-2", "pplx-embed-v1-0.6b"])
def test_plain_numbers_are_the_packed_ones(client: openai.OpenAI, model: str) -> None:
    packed = client.embeddings.create(model=model, input="hello", dimensions=256)
    plain = client.embeddings.create(model=model, input="hello", dimensions=256, encoding_format="float")
    assert plain.data[0].embedding == pytest.approx(packed.data[0].embedding, rel=1e-6)
    assert len(plain.data[0].embedding) == 256


def test_the_cost_is_in_the_usage_in_the_headers_and_in_the_receipt(
    client: openai.OpenAI, gateway: RunningGateway
) -> None:
    raw = client.embeddings.with_raw_response.create(model="text-embedding-3-small", input="abcd" * 100)
    answer = raw.parse()
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (100, 100)
    cost = Decimal(raw.headers["x-monkey-cost"])
    assert cost > 0
    assert answer.usage.model_extra is not None
    assert Decimal(repr(answer.usage.model_extra["cost"])) == cost
    receipt = Outsider(gateway.base_url, gateway.api_key).get(f"/v1/billing/receipts/{raw.headers['x-monkey-receipt']}")
    assert receipt.status == 200
    signed = json.loads(receipt.body["body"])
    assert Decimal(signed["charge_usd"]) == cost
    assert (signed["model"], signed["tokens"]["uncached_input"]) == ("text-embedding-3-small", 100)


def test_token_ids_reach_openais_own_models(client: openai.OpenAI) -> None:
    assert client.embeddings.create(model="text-embedding-3-small", input=[[15339, 1917], [1]]).usage.prompt_tokens == 3
    with pytest.raises(openai.BadRequestError, match="Token ids are only understood by OpenAI's own models"):
        client.embeddings.create(model="gemini-embedding-001", input=[15339, 1917])


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        ("gpt-5", openai.BadRequestError, "a model for chat, not for embeddings"),
        ("auto", openai.BadRequestError, "vectors of different models cannot be compared"),
        ("text-embedding-9", openai.NotFoundError, "There is no model named"),
        ("text-embedding-ada-002", openai.BadRequestError, "leave `dimensions` out"),
    ],
)
def test_what_is_refused_is_a_typed_error_with_a_sentence(
    client: openai.OpenAI, model: str, error: type[openai.APIError], words: str
) -> None:
    with pytest.raises(error, match=words):
        client.embeddings.create(model=model, input="hello", dimensions=8)


def test_a_providers_failure_is_a_typed_error_too(client: openai.OpenAI, gateway: RunningGateway) -> None:
    with pytest.raises(openai.BadRequestError, match="could not serve the request"):
        client.embeddings.create(model="text-embedding-3-small", input="[[sandbox fault=400]] hello")
    with pytest.raises(openai.InternalServerError, match="could not serve the request"):
        client.embeddings.create(model="text-embedding-3-small", input="[[sandbox fault=500]] hello")
    with openai.OpenAI(base_url=f"{gateway.base_url}/v1", api_key="mk-wrong", max_retries=0) as stranger:
        with pytest.raises(openai.AuthenticationError):
            stranger.embeddings.create(model="text-embedding-3-small", input="hello")
        with pytest.raises(openai.AuthenticationError):
            stranger.moderations.create(input="hello")


def test_moderation_is_openais_verdict_and_free(client: openai.OpenAI) -> None:
    raw = client.moderations.with_raw_response.create(input=["good morning", "I will kill you"])
    answer = raw.parse()
    assert [result.flagged for result in answer.results] == [False, True]
    assert answer.results[1].categories.violence
    assert answer.model == "omni-moderation-latest"
    assert raw.headers["x-monkey-cost"] == "0.00"


def test_both_kinds_of_model_are_listed_with_their_prices(gateway: RunningGateway) -> None:
    listed = Outsider(gateway.base_url, gateway.api_key).get("/v1/models").body["data"]
    models = {each["id"]: each for each in listed}
    assert models["openai/text-embedding-3-small"]["capabilities"] == ["embeddings"]
    assert Decimal(models["openai/text-embedding-3-small"]["input_price_usd_per_mtok"]) >= Decimal("0.02")
    assert models["openai/omni-moderation-latest"]["capabilities"] == ["moderation"]
    assert models["openai/omni-moderation-latest"]["input_price_usd_per_mtok"] == "0.00"


@pytest.fixture(params=["v1", "v1beta"])
def google(gateway: RunningGateway, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=gateway.base_url, api_version=request.param)
    client = genai.Client(api_key=gateway.api_key, http_options=options)
    yield client
    client.close()


@pytest.mark.parametrize("model", ["gemini-embedding-001", "openai/text-embedding-3-small", "pplx-embed-v1-0.6b"])
def test_googles_sdk_reads_anybodys_vectors(google: genai.Client, model: str) -> None:
    answer = google.models.embed_content(model=model, contents=TEXTS, config={"output_dimensionality": 128})
    assert answer.embeddings is not None
    vectors = [embedding.values or [] for embedding in answer.embeddings]
    assert {len(vector) for vector in vectors} == {128}
    assert len(vectors) == 3
    assert _cosine(vectors[0], vectors[2]) == pytest.approx(1.0)
    assert answer.usage_metadata is not None
    assert answer.usage_metadata.prompt_token_count


def test_googles_sdk_raises_its_own_error(google: genai.Client) -> None:
    with pytest.raises(errors.ClientError, match="a model for chat, not for embeddings"):
        google.models.embed_content(model="gemini-2.5-flash", contents="hello")
