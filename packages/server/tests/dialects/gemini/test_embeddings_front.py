"""A request for embeddings is read as Google's clients write it, and answered as they read it."""

import json
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.gemini.embeddings_front import GeminiEmbeddingsFront
from monkey_coder_server.domain.catalog import Kind
from monkey_coder_server.domain.conversation import Text
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.stream_events import Computed, FinishReason
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.front import Bill, Envelope, Inbound, Told

ONE, MANY = GeminiEmbeddingsFront(batch=False), GeminiEmbeddingsFront(batch=True)
ENVELOPE = Envelope(headers={}, query={}, path_model="openai/text-embedding-3-small")
TOLD = Told(request_id="req_1", created=1, provider="openai", model="text-embedding-3-small")
BILL = Bill(usage=Usage(uncached_input=7), cost=1_050, receipt_id="rcpt_1", finish=FinishReason.STOP)


def content(*texts: str) -> dict[str, Any]:
    return {"content": {"parts": [{"text": text} for text in texts]}}


def read(front: GeminiEmbeddingsFront, sent: Any) -> Inbound:
    return front.read(json.dumps(sent).encode(), ENVELOPE)


def texts(inbound: Inbound) -> list[list[str]]:
    return [[part.text for part in each.parts if isinstance(part, Text)] for each in inbound.request.messages]


def test_one_content_is_one_input_of_all_its_parts() -> None:
    inbound = read(ONE, {**content("a", "b"), "output_dimensionality": "768", "taskType": "RETRIEVAL_QUERY"})
    assert texts(inbound) == [["a", "b"]]
    assert (inbound.request.dimensions, inbound.lost) == (768, ("taskType",))
    assert (inbound.model, inbound.kind, inbound.stream) == ("openai/text-embedding-3-small", Kind.EMBEDDINGS, False)


def test_each_request_of_a_batch_is_an_input() -> None:
    inbound = read(MANY, {"requests": [{"model": "m", **content("a")}, content("b")]})
    assert texts(inbound) == [["a"], ["b"]]
    assert (inbound.request.dimensions, inbound.lost) == (None, ())


@pytest.mark.parametrize(
    ("front", "sent", "sentence"),
    [
        (ONE, [], "must be a JSON object"),
        (ONE, {}, "`content` holds nothing to embed"),
        (ONE, {"content": "a"}, "`content` must be an object"),
        (ONE, {"content": {"parts": [{"inlineData": {}}]}}, r"`content.parts\[0\]` is no text"),
        (ONE, {**content("a"), "outputDimensionality": 0}, "`outputDimensionality` must be at least 1"),
        (MANY, {}, "`requests` must hold requests"),
        (MANY, {"requests": ["a"]}, r"`requests\[0\]` must be an object"),
        (MANY, {"requests": [content("a"), {}]}, r"`requests\[1\].content` holds nothing"),
        (MANY, {"requests": [content("a"), {**content("b"), "outputDimensionality": 8}]}, "agree on"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(front: GeminiEmbeddingsFront, sent: Any, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        read(front, sent)


@given(st.binary(max_size=40))
def test_any_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        ONE.read(body, ENVELOPE)


def test_another_providers_vectors_are_written_as_google_does() -> None:
    usage = {"promptTokenCount": 7, "cost": 0.00000105}
    one = ONE.write(read(ONE, content("a")), TOLD, [Computed(array("d", [0.5, 0.25]))], BILL)
    assert json.loads(one) == {"embedding": {"values": [0.5, 0.25]}, "usageMetadata": usage}
    many = MANY.write(
        read(MANY, {"requests": [content("a")]}), TOLD, [Computed(array("f", [0.5])), Computed(array("f", [1.0]))], BILL
    )
    assert json.loads(many) == {"embeddings": [{"values": [0.5]}, {"values": [1.0]}], "usageMetadata": usage}
