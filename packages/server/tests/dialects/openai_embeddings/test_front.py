"""A request for embeddings is read as OpenAI's clients write it, and answered as they read it."""

import json
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.openai_embeddings import EmbeddingsFront
from monkey_coder_server.domain.catalog import Kind
from monkey_coder_server.domain.conversation import Part, Text, Unknown
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.stream_events import Computed, Finished, FinishReason, Opened
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.front import Bill, Envelope, Inbound, Told

FRONT = EmbeddingsFront()
ENVELOPE = Envelope(headers={}, query={})
TOLD = Told(request_id="req_1", created=1, provider="google", model="gemini-embedding-001")
BILL = Bill(usage=Usage(uncached_input=7), cost=1_050, receipt_id="rcpt_1", finish=FinishReason.STOP)


def read(**fields: Any) -> Inbound:
    body = {"model": "text-embedding-3-small", "input": "hello"} | fields
    return FRONT.read(json.dumps({name: value for name, value in body.items() if value is not ...}).encode(), ENVELOPE)


def parts(inbound: Inbound) -> list[Part]:
    return [part for message in inbound.request.messages for part in message.parts]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("hello", [Text("hello")]),
        (["a", "b"], [Text("a"), Text("b")]),
        ([15339, 1917], [Unknown("openai-embeddings", [15339, 1917])]),
        ([[1], [2, 3]], [Unknown("openai-embeddings", [1]), Unknown("openai-embeddings", [2, 3])]),
    ],
)
def test_each_input_is_one_message(sent: Any, expected: list[Part]) -> None:
    inbound = read(input=sent)
    assert parts(inbound) == expected
    assert (inbound.kind, inbound.stream) == (Kind.EMBEDDINGS, False)


def test_what_else_is_said_is_kept() -> None:
    inbound = read(dimensions=256, user="u1", encoding_format="base64", new_field=[1])
    assert (inbound.request.dimensions, inbound.request.user, inbound.form) == (256, "u1", "base64")
    assert (inbound.request.extra, inbound.lost) == ({"new_field": [1]}, ("new_field",))
    source = inbound.request.source
    assert source is not None
    assert json.loads(source.body)["new_field"] == [1]


def test_numbers_are_the_usual_format() -> None:
    assert read().form == read(encoding_format=None).form == "float"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"model": ...}, "`model` must name an embedding model"),
        ({"model": " "}, "`model` must name an embedding model"),
        ({"model": "auto:cheap"}, "vectors of different models cannot be compared"),
        ({"input": ...}, "`input` must be a text"),
        ({"input": []}, "`input` must be a text"),
        ({"input": ""}, r"`input\[0\]` must be a text or a list of token ids, and not empty"),
        ({"input": ["a", ""]}, r"`input\[1\]`"),
        ({"input": ["a", [True]]}, r"`input\[1\]`"),
        ({"input": [[-1]]}, r"`input\[0\]`"),
        ({"input": {"text": "a"}}, "`input` must be a text"),
        ({"encoding_format": "int8"}, "`encoding_format` must be float or base64"),
        ({"dimensions": 0}, "`dimensions` must be a whole number"),
        ({"dimensions": True}, "`dimensions` must be a whole number"),
        ({"user": 7}, "`user` must be a text"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        read(**fields)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        FRONT.read(body, ENVELOPE)


@given(st.lists(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1), min_size=1))
def test_both_encodings_hold_the_same_vectors(numbers: list[list[float]]) -> None:
    events = [Opened(None, "m"), *(Computed(array("d", each)) for each in numbers), Finished(FinishReason.STOP, None)]
    plain = json.loads(FRONT.write(read(), TOLD, events, BILL))
    packed = json.loads(FRONT.write(read(encoding_format="base64"), TOLD, events, BILL))
    unpacked = [_unpacked(datum["embedding"]) for datum in packed["data"]]
    assert [datum["embedding"] for datum in plain["data"]] == unpacked == numbers
    assert [datum["index"] for datum in plain["data"]] == list(range(len(numbers)))


def _unpacked(text: str) -> list[float]:
    """As the official client does it."""
    from base64 import b64decode

    return array("f", b64decode(text)).tolist()


def test_an_answer_says_model_usage_and_cost() -> None:
    written = json.loads(FRONT.write(read(), TOLD, [Computed(array("d", [0.5]))], BILL))
    assert written == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
        "model": "gemini-embedding-001",
        "usage": {"prompt_tokens": 7, "total_tokens": 7, "cost": 0.00000105},
    }


def test_nothing_is_streamed() -> None:
    assert FRONT.content_type(read()) == b"application/json"
    with pytest.raises(TypeError, match="does not stream"):
        FRONT.writer(read(), TOLD, relayed=False)
