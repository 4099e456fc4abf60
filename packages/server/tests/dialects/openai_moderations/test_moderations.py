"""Moderation is passed on and back untouched; only its end and its errors are read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.openai_moderations import ModerationsFront, OpenAIModerations
from monkey_coder_server.domain.catalog import Kind, ModelCard
from monkey_coder_server.domain.conversation import Image, ModelRequest, Part, Text
from monkey_coder_server.domain.errors import FailureKind, InvalidRequest
from monkey_coder_server.domain.stream_events import Computed, Failed, Finished, FinishReason, Opened, UsageReported
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.front import Bill, Envelope, Inbound, Told

FRONT = ModerationsFront()
DIALECT = OpenAIModerations("openai")
CARD = ModelCard("openai", "omni-moderation-latest", "", 8_192, 0, frozenset(), 1, kind=Kind.MODERATION)
BILL = Bill(usage=Usage(), cost=0, receipt_id="rcpt_1", finish=FinishReason.STOP)
ANSWER = b'{ "id": "modr-1", "model": "omni-moderation-latest", "results": [ {"flagged": false, "new": 1} ] }'


def read(sent: Any, **fields: Any) -> Inbound:
    return FRONT.read(json.dumps({"input": sent, **fields}).encode(), Envelope(headers={}, query={}))


@pytest.mark.parametrize(
    ("sent", "parts"),
    [
        ("hi", (Text("hi"),)),
        (["a", "b"], (Text("a"), Text("b"))),
        (
            [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://x/y.png"}}],
            (Text("a"), Image(url="https://x/y.png")),
        ),
    ],
)
def test_every_form_of_input_is_read(sent: Any, parts: tuple[Part, ...]) -> None:
    inbound = read(sent)
    assert [part for message in inbound.request.messages for part in message.parts] == list(parts)
    assert (inbound.model, inbound.kind, inbound.stream) == ("omni-moderation-latest", Kind.MODERATION, False)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"[]", "must be a JSON object"),
        (b"{}", "`input` must be a text"),
        (b'{"input":[1]}', "`input` must be a text"),
        (b'{"input":[{"image_url":"x"}]}', "`input` must be a text"),
        (b'{"input":"a","model":1}', "`model` must be a model's name"),
    ],
)
def test_a_wrong_body_is_refused_with_a_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        FRONT.read(body, Envelope(headers={}, query={}))


def test_a_request_goes_on_as_it_is_with_the_model_named() -> None:
    sent = DIALECT.encode(read("hi", new=[1]).request, card=CARD, key="k", stream=False)
    assert (sent.path, sent.headers["authorization"]) == ("/moderations", "Bearer k")
    assert json.loads(sent.body) == {"input": "hi", "new": [1], "model": "omni-moderation-latest"}


@pytest.mark.parametrize("request_", [ModelRequest(()), read("x").request])
def test_only_openais_own_format_is_sent(request_: ModelRequest) -> None:
    if request_.source is None:
        with pytest.raises(InvalidRequest, match="POST /v1/moderations"):
            DIALECT.encode(request_, card=CARD, key="k", stream=False)
    else:
        assert DIALECT.encode(request_, card=CARD, key="k", stream=False).body


def test_an_answer_meters_nothing_and_comes_back_byte_for_byte() -> None:
    events = DIALECT.decode(ANSWER)
    assert [type(event) for event in events] == [Opened, Computed, UsageReported, Finished]
    assert FRONT.relay(read("hi"), ANSWER, BILL) is ANSWER
    told = Told(request_id="req_7", created=1, provider="openai", model="omni-moderation-latest")
    written = json.loads(FRONT.write(read("hi"), told, events, BILL))
    assert written == {**json.loads(ANSWER), "id": "modr-7"}


@given(st.one_of(st.binary(max_size=60), st.sampled_from([b"", b'{"results":[]}', ANSWER[:-20]])))
def test_what_is_no_verdict_is_malformed(body: bytes) -> None:
    (event,) = DIALECT.decode(body)
    assert isinstance(event, Failed)
    assert event.failure.kind is FailureKind.MALFORMED


def test_an_error_after_a_200_is_read() -> None:
    (event,) = DIALECT.decode(b'{"error":{"message":"m","code":"invalid_api_key"}}')
    assert isinstance(event, Failed)
    assert event.failure.kind is FailureKind.AUTHENTICATION
    assert DIALECT.decode_error(429, {}, b"").kind is FailureKind.RATE_LIMIT
