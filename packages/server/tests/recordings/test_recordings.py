"""Every recorded answer of the three upstream dialects reads as the official SDK read it, however it is cut."""

import re
from collections import Counter

import pytest

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.stream_events import Failed
from monkey_coder_server.domain.usage import normalise
from packages.server.tests.recordings import replay
from packages.server.tests.recordings.replay import Record

ALL = replay.records()
ANSWERS = [record for record in ALL if not replay.is_http_error(record)]
STREAMS = [record for record in ANSWERS if record["stream"]]
WHOLE = [record for record in ANSWERS if not record["stream"]]
ERRORS = [record for record in ALL if replay.is_http_error(record)]
SHORT_STREAMS = [record for record in STREAMS if len(record["response"]["body"]) < 6_000]

ENDED = re.compile(rb"""finish_?[rR]eason":\s*"|"message_stop"|event: error|"error":""")
"""What tells in a stream that its end, or an error, has been said."""

KEPT_HERE = {"openai-chat": 549, "anthropic-messages": 271, "gemini-generate": 270}
"""How many recordings stand in `data/`; a folder named by MONKEY_CODER_DATA may only hold more."""


def each(records: list[Record]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("record", records, ids=[record["id"] for record in records])


@each(ANSWERS)
def test_an_answer_reads_as_the_official_sdk_reads_it(record: Record) -> None:
    events = replay.read(record)
    assert replay.disorder(events) == []
    answer = replay.fold(events)
    assert replay.differences(record, answer) == []
    if record["expected"]["kind"] == "stream_error":
        assert replay.error_differences(record, answer.failure) == []


@each(STREAMS)
def test_a_stream_reads_the_same_however_it_is_cut(record: Record) -> None:
    body = replay.body_of(record)
    whole = replay.fold(replay.read(record))
    for seed, largest in enumerate((7, 64, 1_400)):
        events = replay.read(record, replay.cut(body, seed, largest=largest))
        assert replay.disorder(events) == []
        assert replay.fold(events) == whole


@each(SHORT_STREAMS)
def test_a_stream_reads_the_same_byte_by_byte(record: Record) -> None:
    body = replay.body_of(record)
    pieces = [body[index : index + 1] for index in range(len(body))]
    assert replay.fold(replay.read(record, pieces)) == replay.fold(replay.read(record))


@each(STREAMS)
def test_a_stream_that_stops_in_the_middle_is_never_taken_for_a_whole_answer(record: Record) -> None:
    body = replay.body_of(record)
    for share in (0, 1, 3, 5):
        begun = body[: len(body) * share // 10]
        if not ENDED.search(begun):
            last = replay.read(record, [begun])[-1]
            assert isinstance(last, Failed)
            assert last.failure.kind is FailureKind.CUT_SHORT


@each(WHOLE)
def test_a_body_cut_short_is_malformed(record: Record) -> None:
    body = replay.body_of(record).rstrip()
    dialect = replay.dialect_of(record["provider"])
    for size in (0, len(body) // 3, len(body) - 1):
        last = dialect.decode(body[:size])[-1]
        assert isinstance(last, Failed)
        assert last.failure.kind is FailureKind.MALFORMED


@each(ERRORS)
def test_an_error_reads_as_the_official_sdk_reads_it(record: Record) -> None:
    assert replay.error_differences(record, replay.failure_of(record)) == []


def test_no_recording_was_left_out() -> None:
    counted = Counter(record["api"] for record in ALL)
    assert {api: count for api, count in KEPT_HERE.items() if counted[api] < count} == {}
    assert len(ANSWERS) + len(ERRORS) == len(ALL)
    print(f"{len(ALL)} recordings checked: {dict(counted)}")  # noqa: T201 - shown by `pytest -rP`


@each([record for record in ANSWERS if (record["expected"].get("usage") or {}).get("total_tokens") is not None])
def test_every_reported_token_falls_into_exactly_one_bucket(record: Record) -> None:
    reported = replay.fold(replay.read(record)).usage
    assert reported is not None
    usage = normalise(replay.usage_rule_of(record["provider"]), reported)
    assert usage.total == record["expected"]["usage"]["total_tokens"], usage
    assert usage.doubts == ()
