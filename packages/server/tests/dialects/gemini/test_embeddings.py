"""Embeddings as Google takes and gives them."""

import json
from array import array
from typing import Any

import pytest

from monkey_coder_server.dialects.gemini import GeminiEmbeddings
from monkey_coder_server.domain.catalog import Kind, ModelCard
from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Source, Text, Unknown
from monkey_coder_server.domain.errors import FailureKind, InvalidRequest
from monkey_coder_server.domain.stream_events import Computed, Event, Failed, Finished, Opened, UsageReported
from monkey_coder_server.domain.usage import ReportedUsage

DIALECT = GeminiEmbeddings("google")
CARD = ModelCard("google", "gemini-embedding-2", "", 8_192, 0, frozenset(), 1, kind=Kind.EMBEDDINGS, inputs=3)
NAME = "models/gemini-embedding-2"


def request(*inputs: str, **fields: Any) -> ModelRequest:
    return ModelRequest(tuple(Message(Role.USER, (Text(text),)) for text in inputs), **fields)


def own(body: Any) -> ModelRequest:
    return ModelRequest((Message(Role.USER, (Text("a"),)),), source=Source(DIALECT.name, json.dumps(body).encode()))


def test_texts_become_a_batch() -> None:
    sent = DIALECT.encode(request("a", "b", dimensions=768, user="u"), card=CARD, key="k", stream=False)
    assert (sent.path, sent.dropped) == ("/v1beta/models/gemini-embedding-2:batchEmbedContents", ("user",))
    assert sent.headers["x-goog-api-key"] == "k"
    assert json.loads(sent.body) == {
        "requests": [
            {"model": NAME, "content": {"parts": [{"text": text}]}, "outputDimensionality": 768} for text in "ab"
        ]
    }


def test_googles_own_requests_go_on_as_they_are_but_for_the_model() -> None:
    single = DIALECT.encode(own({"content": {"parts": [{"text": "a"}]}, "x": 1}), card=CARD, key="k", stream=False)
    assert single.path.endswith(":embedContent")
    assert json.loads(single.body) == {"content": {"parts": [{"text": "a"}]}, "x": 1, "model": NAME}
    batch = DIALECT.encode(own({"requests": [{"model": "old", "taskType": "T"}]}), card=CARD, key="k", stream=False)
    assert batch.path.endswith(":batchEmbedContents")
    assert json.loads(batch.body) == {"requests": [{"model": NAME, "taskType": "T"}]}


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (request(*"abcd"), "holds 4 inputs, but google/gemini-embedding-2 takes 3 at a time"),
        (ModelRequest((Message(Role.USER, (Unknown("openai-embeddings", [1]),)),)), "send google/gemini-embedding-2"),
    ],
)
def test_too_much_and_token_ids_are_refused(request_: ModelRequest, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        DIALECT.encode(request_, card=CARD, key="k", stream=False)


@pytest.mark.parametrize(
    "body",
    [
        {"embeddings": [{"values": [0.5, 0.25]}], "usageMetadata": {"promptTokenCount": 8}},
        {"embedding": {"values": [0.5, 0.25]}, "usageMetadata": {"promptTokenCount": 8}},
    ],
)
def test_one_vector_and_several_are_read_alike(body: Any) -> None:
    events = DIALECT.decode(json.dumps(body).encode())
    assert [type(event) for event in events] == [Opened, Computed, UsageReported, Finished]
    assert events[1] == Computed(array("d", [0.5, 0.25]))
    assert events[2] == UsageReported(ReportedUsage(input_tokens=8, output_tokens=0))


def test_a_model_that_meters_nothing_leaves_the_counting_to_us() -> None:
    events = DIALECT.decode(b'{"embeddings":[{"values":[0.5]}]}')
    assert not any(isinstance(event, UsageReported) for event in events)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"embeddings":[]}', b'{"embedding":{"values":[]}}', b'{"embeddings":1}']
)
def test_an_answer_without_vectors_is_malformed(body: bytes) -> None:
    (event,) = DIALECT.decode(body)
    assert kind(event) is FailureKind.MALFORMED


def kind(event: Event) -> FailureKind:
    assert isinstance(event, Failed)
    return event.failure.kind


def test_errors_are_read_after_a_200_and_before() -> None:
    body = b'{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"m"}}'
    (event,) = DIALECT.decode(body)
    assert kind(event) is FailureKind.RATE_LIMIT
    assert DIALECT.decode_error(404, {}, b"").kind is FailureKind.NOT_FOUND
