"""Every recorded embedding reads as the official SDK read it, and can be handed on in either encoding."""

from array import array
from collections import Counter
from importlib import import_module

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects import vectors
from monkey_coder_server.dialects.gemini import GeminiEmbeddings
from monkey_coder_server.dialects.openai_embeddings import OpenAIEmbeddings
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.stream_events import Computed, Event, Failed, Opened, UsageReported
from monkey_coder_server.domain.usage import USAGE_RULES, normalise
from monkey_coder_server.ports.provider import Dialect, Provider
from packages.server.tests.recordings import replay
from packages.server.tests.recordings.replay import Record

EMBEDDINGS = ("openai-embeddings", "gemini-embeddings")
ALL = replay.records(EMBEDDINGS)
ANSWERS = [record for record in ALL if not replay.is_http_error(record)]
ERRORS = [record for record in ALL if replay.is_http_error(record)]


def each(records: list[Record]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("record", records, ids=[record["id"] for record in records])


def dialect_of(record: Record) -> Dialect:
    """The one whose SDK the recording's expectation was made with."""
    if record["api"] == "gemini-embeddings":
        return GeminiEmbeddings(record["provider"])
    return OpenAIEmbeddings(record["provider"])


def spoken_to(record: Record) -> Dialect:
    """The one the gateway asks this provider in: Perplexity's bytes are no floats, as OpenAI's SDK takes them."""
    if record["provider"] != "perplexity":
        return dialect_of(record)
    provider: Provider = import_module("monkey_coder_server.providers.perplexity").PROVIDER
    return provider.dialect_for(record["request"]["body"]["model"], None)


def numbers(events: list[Event]) -> list[list[float]]:
    return [list(event.value) for event in events if isinstance(event, Computed)]


@each(ANSWERS)
def test_vectors_and_usage_are_those_the_official_sdk_reads(record: Record) -> None:
    events = list(dialect_of(record).decode(replay.body_of(record)))
    assert replay.disorder(events) == []
    found, expected = numbers(events), record["expected"]
    assert (len(found), len(found[0])) == (expected["count"], expected["dimensions"])
    assert [round(number, 6) for number in found[0][:3]] == expected["first"]
    assert next(event.model for event in events if isinstance(event, Opened)) == expected["model"]
    reported = next((event.usage for event in events if isinstance(event, UsageReported)), None)
    if expected["usage"] is not None:
        assert reported is not None
        assert (reported.input_tokens, reported.total_tokens) == tuple(expected["usage"].values())
        usage = normalise(USAGE_RULES[record["provider"]], reported)
        assert (usage.total, usage.doubts) == (reported.total_tokens, ())


@each([record for record in ANSWERS if record["provider"] == "google"])
def test_google_meters_its_newer_model_where_its_sdk_does_not_look(record: Record) -> None:
    events = dialect_of(record).decode(replay.body_of(record))
    metered = [event.usage.input_tokens for event in events if isinstance(event, UsageReported)]
    assert bool(metered) == ("gemini-embedding-2" in record["request"]["path"])


@each([record for record in ANSWERS if record["provider"] == "perplexity"])
def test_perplexitys_bytes_are_read_as_the_numbers_they_are(record: Record) -> None:
    events = list(spoken_to(record).decode(replay.body_of(record)))
    length = record["request"]["body"].get("dimensions", 1_024)
    assert {len(vector) for vector in numbers(events)} == {length}
    assert all(number.is_integer() and -128 <= number <= 127 for vector in numbers(events) for number in vector)
    charged = next(event.usage.cost_nano for event in events if isinstance(event, UsageReported))
    assert charged == 4 * record["expected"]["usage"]["input_tokens"], "0.004 USD a million tokens"


@each(ANSWERS)
def test_what_was_read_survives_both_encodings(record: Record) -> None:
    for vector in numbers(list(spoken_to(record).decode(replay.body_of(record)))):
        packed = vectors.from_base64(vectors.to_base64(array("d", vector)))
        assert packed.tolist() == pytest.approx(vector, rel=1e-6, abs=1e-30)
        assert msgspec.json.decode(msgspec.json.encode(vector)) == vector


@each(ERRORS)
def test_an_error_reads_as_the_official_sdk_reads_it(record: Record) -> None:
    response = record["response"]
    headers = {name.lower(): value for name, value in response["headers"].items()}
    failure = dialect_of(record).decode_error(response["status"], headers, replay.body_of(record))
    assert replay.error_differences(record, failure) == []


@each(ANSWERS)
@given(share=st.floats(min_value=0, max_value=1, exclude_max=True))
def test_a_body_cut_short_is_malformed(record: Record, share: float) -> None:
    body = replay.body_of(record).rstrip()
    (event,) = dialect_of(record).decode(body[: int(len(body) * share)])
    assert isinstance(event, Failed)
    assert event.failure.kind is FailureKind.MALFORMED


def test_no_recording_was_left_out() -> None:
    counted = Counter(record["api"] for record in ALL)
    assert counted["openai-embeddings"] >= 8
    assert counted["gemini-embeddings"] >= 5
