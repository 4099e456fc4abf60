"""Embeddings are asked for as their caller wrote it where that is OpenAI's way, else packed."""

import json
from array import array
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects import vectors
from monkey_coder_server.dialects.openai_embeddings import EmbeddingsFront, OpenAIEmbeddings
from monkey_coder_server.domain.catalog import Kind, ModelCard
from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Text
from monkey_coder_server.domain.errors import FailureKind, InvalidRequest
from monkey_coder_server.domain.stream_events import Computed, Event, Failed, Finished, Opened, UsageReported
from monkey_coder_server.domain.usage import ReportedUsage
from monkey_coder_server.ports.front import Envelope

OPENAI = OpenAIEmbeddings("openai", fixed_length=frozenset({"ada"}))
PERPLEXITY = OpenAIEmbeddings("perplexity", path="/v1/embeddings", int8=True)
CARD = ModelCard("openai", "embed-large", "", 8_192, 0, frozenset(), 1, kind=Kind.EMBEDDINGS, inputs=3)


def asked(**fields: Any) -> ModelRequest:
    body = json.dumps({"model": "openai/embed-large", "input": ["a", "b"], **fields}).encode()
    return EmbeddingsFront().read(body, Envelope(headers={}, query={})).request


def elsewhere(*texts: str, **fields: Any) -> ModelRequest:
    """A request of another dialect."""
    return ModelRequest(tuple(Message(Role.USER, (Text(text),)) for text in texts), **fields)


def answer(*embeddings: Any, **fields: Any) -> bytes:
    data = [{"object": "embedding", "index": index, "embedding": each} for index, each in enumerate(embeddings)]
    return json.dumps({"object": "list", "data": data, "model": "m", **fields}).encode()


def test_a_request_in_openais_own_format_goes_on_as_it_is_but_for_its_model() -> None:
    sent = OPENAI.encode(asked(encoding_format="float", new=1, dimensions=5), card=CARD, key="k", stream=False)
    assert (sent.path, sent.headers["authorization"], sent.dropped) == ("/embeddings", "Bearer k", ())
    assert json.loads(sent.body) == {
        "model": "embed-large",
        "input": ["a", "b"],
        "encoding_format": "float",
        "new": 1,
        "dimensions": 5,
    }


def test_a_request_of_another_format_is_asked_packed() -> None:
    request = elsewhere("a", "b", dimensions=5, user="u")
    assert json.loads(OPENAI.encode(request, card=CARD, key="k", stream=False).body) == {
        "model": "embed-large",
        "input": ["a", "b"],
        "encoding_format": "base64",
        "dimensions": 5,
        "user": "u",
    }


def test_perplexity_is_asked_for_bytes_and_told_no_user() -> None:
    sent = PERPLEXITY.encode(asked(user="u"), card=CARD, key="k", stream=False)
    assert (sent.path, sent.dropped) == ("/v1/embeddings", ("user",))
    assert json.loads(sent.body) == {"model": "embed-large", "input": ["a", "b"], "encoding_format": "base64_int8"}
    assert PERPLEXITY.name != OPENAI.name


@pytest.mark.parametrize(
    ("dialect", "request_", "card", "sentence"),
    [
        (OPENAI, elsewhere("a", dimensions=5), replace(CARD, model="ada"), "leave `dimensions` out"),
        (OPENAI, elsewhere(*"abcd"), CARD, "holds 4 inputs, but openai/embed-large takes 3"),
        (PERPLEXITY, asked(input=[1, 2]), CARD, "Token ids are only understood by OpenAI's own models"),
    ],
)
def test_what_a_model_does_not_take_is_refused_with_a_sentence(
    dialect: OpenAIEmbeddings, request_: ModelRequest, card: ModelCard, sentence: str
) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        dialect.encode(request_, card=card, key="k", stream=False)


def test_an_answer_that_could_not_be_read_is_not_asked_for() -> None:
    large = OpenAIEmbeddings("openai", lengths={"embed-large": 3_072})
    card = replace(CARD, inputs=2_048)
    many = asked(input=["a"] * 400)
    with pytest.raises(InvalidRequest, match=r"400 vectors of 3072 numbers .* or ask for `encoding_format` base64"):
        large.encode(many, card=card, key="k", stream=False)
    assert large.encode(asked(input=["a"] * 400, encoding_format="base64"), card=card, key="k", stream=False).body
    assert large.encode(asked(input=["a"] * 400, dimensions=256), card=card, key="k", stream=False).body
    with pytest.raises(InvalidRequest, match=r"send fewer inputs\.$"):
        large.encode(elsewhere(*["a"] * 2_048), card=card, key="k", stream=False)


@given(st.lists(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1), min_size=1))
def test_packed_and_plain_answers_hold_the_same_vectors(numbers: list[list[float]]) -> None:
    plain = values(OPENAI.decode(answer(*numbers)))
    packed = values(OPENAI.decode(answer(*(vectors.to_base64(array("f", each)) for each in numbers))))
    assert packed == plain == numbers


def values(events: Any) -> list[Any]:
    return [event.value.tolist() for event in events if isinstance(event, Computed)]


def test_vectors_come_in_the_order_of_their_inputs() -> None:
    body = json.loads(answer([1.0], [2.0], [3.0]))
    body["data"].reverse()
    assert values(OPENAI.decode(json.dumps(body).encode())) == [[1.0], [2.0], [3.0]]
    for datum in body["data"]:
        datum["index"] = 0
    assert values(OPENAI.decode(json.dumps(body).encode())) == [[3.0], [2.0], [1.0]]


def test_only_the_input_is_metered() -> None:
    events = OPENAI.decode(answer([1.0], usage={"prompt_tokens": 4, "total_tokens": 4}))
    reported = ReportedUsage(input_tokens=4, output_tokens=0, total_tokens=4)
    assert [type(event) for event in events] == [Opened, Computed, UsageReported, Finished]
    assert events[2] == UsageReported(reported)


def test_perplexitys_own_charge_is_kept_to_the_nano_dollar() -> None:
    body = answer(
        b64encode(b"\x01\xff").decode(),
        usage={"prompt_tokens": 7, "total_tokens": 7, "cost": {"total_cost": 0.000000028}},
    )
    events = PERPLEXITY.decode(body)
    assert values(events) == [[1.0, -1.0]]
    assert events[2] == UsageReported(ReportedUsage(input_tokens=7, output_tokens=0, total_tokens=7, cost_nano=28))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"data":[]}',
        answer("AAAA"),
        answer("%%%"),
        answer([]),
        answer([1e300]),
        answer(["x"]),
        answer(None),
        b'{"data":[{"embedding":[1.0' + b"0" * 10_000,
    ],
)
def test_an_answer_without_usable_vectors_is_malformed(body: bytes) -> None:
    (event,) = OPENAI.decode(body)
    assert kind(event) is FailureKind.MALFORMED


def kind(event: Event) -> FailureKind:
    assert isinstance(event, Failed)
    return event.failure.kind


def test_errors_are_read_after_a_200_and_before() -> None:
    body = b'{"error":{"message":"Slow down","code":"rate_limit_exceeded"}}'
    (event,) = OPENAI.decode(body)
    assert kind(event) is FailureKind.RATE_LIMIT
    assert OPENAI.decode_error(404, {}, b'{"error":{"message":"no","code":"model_not_found"}}').kind == "not_found"


def test_nothing_is_streamed() -> None:
    with pytest.raises(TypeError, match="does not stream"):
        OPENAI.decoder()
