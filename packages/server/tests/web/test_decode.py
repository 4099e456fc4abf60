from typing import Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.web.decode import decode


class Inner(msgspec.Struct):
    path: str


class Body(msgspec.Struct):
    prompt: str
    count: int | None = None
    ratio: float | None = None
    status: Literal["calm", "brisk"] = "calm"
    files: list[Inner] | None = None


DECODER = msgspec.json.Decoder(Body)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The body is empty; send a JSON object."),
        (b"{", "The body is not valid JSON (it breaks off); send one JSON object."),
        (b"[]", "The body must be an object, but a list was sent."),
        (b"{}", "The field `prompt` is missing; it is required."),
        (b'{"prompt": 1}', "The field `prompt` must be text, but a whole number was sent."),
        (b'{"prompt": "a", "count": "x"}', "The field `count` must be a whole number or null, but text was sent."),
        (b'{"prompt": "a", "ratio": []}', "The field `ratio` must be a number or null, but a list was sent."),
        (
            b'{"prompt": "a", "files": [{"path": true}]}',
            "The field `files[0].path` must be text, but true or false was sent.",
        ),
        (b'{"prompt": "a", "files": [{}]}', "The field `files[0].path` is missing; it is required."),
        (b'{"prompt": "a", "status": "odd"}', "The field `status` cannot be 'odd'; it must be one of calm, brisk."),
        (b'\xef\xbb\xbf{"prompt": "a"}', "The body begins with a byte order mark; send plain UTF-8 without one."),
        (b'{"prompt": "\xff"}', "The body is not valid UTF-8; send JSON encoded as UTF-8."),
        (b'{"x": ' + b"[" * 100_000, "The JSON is nested too deeply; send a flatter object."),
    ],
)
def test_each_mistake_gets_one_sentence_that_names_the_field(body: bytes, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode(body, DECODER)
    assert refused.value.message == sentence


def test_a_repeated_key_counts_by_its_last_value() -> None:
    assert decode(b'{"prompt": "a", "prompt": "b"}', DECODER).prompt == "b"


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_no_bytes_escape_as_another_error(body: bytes) -> None:
    try:
        decoded: object = decode(body, DECODER)
    except InvalidRequest as refused:
        decoded = refused.message
    assert isinstance(decoded, Body | str)
