"""Every recorded answer of the upstream dialects reads as the official SDK read it, however it is cut."""

import re
from collections import Counter
from datetime import UTC, datetime

import pytest

from monkey_coder_server.adapters.prices.genai import load_price_book
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.pricing import own_cost_difference
from monkey_coder_server.domain.stream_events import Event, Failed
from monkey_coder_server.domain.usage import normalise
from monkey_coder_server.providers.xai import PROVIDER as XAI
from packages.server.tests.recordings import replay
from packages.server.tests.recordings.replay import Record

ALL = replay.records()
ANSWERS = [record for record in ALL if not replay.is_http_error(record)]
STREAMS = [record for record in ANSWERS if record["stream"]]
ERRORS = [record for record in ALL if replay.is_http_error(record)]

BYTE_BY_BYTE_UP_TO = 6_000
"""Bytes: longer streams are only cut at random places."""

ENDED = re.compile(
    rb"""finish_?[rR]eason":\s*"|"message_stop"|"response.(completed|incomplete)"|event: error|"error":\s*[^n\s]"""
)
"""What tells in a stream that its end, or an error, has been said."""

KEPT_HERE = {"openai-chat": 549, "openai-responses": 337, "anthropic-messages": 271, "gemini-generate": 270}
"""How many recordings stand in `data/`; a folder named by MONKEY_CODER_DATA may only hold more."""

each_provider = pytest.mark.parametrize("provider", sorted({record["provider"] for record in ALL}))


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


@each(ERRORS)
def test_an_error_reads_as_the_official_sdk_reads_it(record: Record) -> None:
    assert replay.error_differences(record, replay.failure_of(record)) == []


@each(STREAMS)
def test_a_stream_reads_the_same_however_it_is_cut(record: Record) -> None:
    body = replay.body_of(record)
    whole = replay.fold(replay.read(record))
    for seed, largest in enumerate((7, 64, 1_400)):
        events = replay.read(record, replay.cut(body, seed, largest=largest))
        assert replay.disorder(events) == []
        assert replay.fold(events) == whole
    if len(body) <= BYTE_BY_BYTE_UP_TO:
        single = [body[index : index + 1] for index in range(len(body))]
        assert replay.fold(replay.read(record, single)) == whole


@each_provider
def test_a_stream_that_stops_in_the_middle_is_never_taken_for_a_whole_answer(provider: str) -> None:
    for record in STREAMS:
        body = replay.body_of(record)
        for share in (0, 1, 3, 5):
            begun = body[: len(body) * share // 10]
            if record["provider"] == provider and not ENDED.search(begun):
                assert _failure(replay.read(record, [begun])) is FailureKind.CUT_SHORT, record["id"]


@each_provider
def test_a_whole_body_cut_short_is_malformed(provider: str) -> None:
    for record in ANSWERS:
        dialect = replay.dialect_of(record["provider"], record["api"])
        body = replay.body_of(record).rstrip()
        for size in (0, len(body) // 3, len(body) - 1):
            if record["provider"] == provider and not record["stream"]:
                assert _failure(list(dialect.decode(body[:size]))) is FailureKind.MALFORMED, record["id"]


def _failure(events: list[Event]) -> FailureKind | None:
    last = events[-1]
    return last.failure.kind if isinstance(last, Failed) else None


@each_provider
def test_every_reported_token_falls_into_exactly_one_bucket(provider: str) -> None:
    counted = 0
    for record in ANSWERS:
        total = (record["expected"]["usage"] or {}).get("total_tokens")
        if record["provider"] == provider and total is not None:
            reported = replay.fold(replay.read(record)).usage
            assert reported is not None
            usage = normalise(replay.usage_rule_of(record), reported)
            assert (usage.total, usage.doubts) == (total, ()), record["id"]
            counted += 1
    assert counted or provider == "anthropic", "only Anthropic reports no total"


def test_xais_own_cost_is_ours_to_the_nano_dollar() -> None:
    """`cost_in_usd_ticks` of answers without a tool of xAI's, beside our price of their tokens: only to be compared."""
    book = load_price_book([XAI], datetime(2026, 11, 1, tzinfo=UTC))
    compared = 0
    for record in ANSWERS:
        if record["provider"] != "xai" or record["api"] != "openai-responses":
            continue
        answer = replay.fold(replay.read(record))
        if answer.usage is None or answer.server_items:
            continue
        usage = normalise(replay.usage_rule_of(record), answer.usage)
        assert own_cost_difference(book.row("xai", "grok-4.3"), usage) == 0, record["id"]
        compared += 1
    assert compared >= 50


def test_no_recording_was_left_out() -> None:
    counted = Counter(record["api"] for record in ALL)
    assert {api: count for api, count in KEPT_HERE.items() if counted[api] < count} == {}
    assert len(ANSWERS) + len(ERRORS) == len(ALL)
    print(f"{len(ALL)} recordings checked: {dict(counted)}")  # noqa: T201 - shown by `pytest -rP`
