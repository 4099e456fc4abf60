from datetime import UTC, datetime

import pytest

from monkey_coder_protocol.queries import UsageQuery
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.billing.period import bucket_of, read_period
from monkey_coder_server.web.query import read_query

NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)


def asked(query: dict[str, str]) -> tuple[datetime, datetime]:
    return read_period(read_query(UsageQuery, query.items()), NOW)


def test_nothing_said_means_the_last_thirty_days() -> None:
    start, end = asked({})
    assert (end - start).days == 30
    assert start < NOW < end


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "2026-11-01", "end_date": "2026-11-02"},
        {"startDate": "2026-11-01", "endDate": "2026-11-02"},
    ],
)
def test_both_spellings_are_read_and_the_last_day_counts_whole(query: dict[str, str]) -> None:
    start, end = asked(query)
    assert start == datetime(2026, 11, 1, tzinfo=UTC)
    assert end == datetime(2026, 11, 3, tzinfo=UTC)


def test_times_with_zones_are_read_as_they_are() -> None:
    start, end = asked({"start_date": "2026-11-01T10:00:00+02:00", "end_date": "2026-11-01T10:00:00Z"})
    assert start == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert end == datetime(2026, 11, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(("text", "wanted"), [("True", True), ("False", False), ("true", True), ("0", False)])
def test_flags_are_read_as_python_and_javascript_write_them(text: str, wanted: bool) -> None:
    assert read_query(UsageQuery, [("include_details", text)]).include_details is wanted


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "yesterday"},
        {"end_date": "2026-13-01"},
        {"start_date": "2026-11-02", "end_date": "2026-10-01"},
        {"start_date": "1990-01-01"},
        {"start_date": "0001-01-01T00:00:00+14:00"},
        {"end_date": "9999-12-31"},
        {"granularity": "yearly"},
        {"include_details": "maybe"},
    ],
)
def test_what_cannot_be_read_is_named(query: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        asked(query)
    assert (
        any(f"`{name}`" in refused.value.message for name in [*query, "start_date"]) or "days" in refused.value.message
    )


def test_moments_fall_into_the_hour_day_week_and_month_they_lie_in() -> None:
    buckets = [bucket_of(NOW, granularity) for granularity in ("hourly", "daily", "weekly", "monthly")]
    assert buckets == ["2026-11-23T15:00:00Z", "2026-11-23", "2026-11-23", "2026-11"]
    assert bucket_of(datetime(2026, 11, 22, tzinfo=UTC), "weekly") == "2026-11-16"
