"""What all dialects read alike."""

import pytest

from monkey_coder_server.dialects.wire import (
    UNREADABLE,
    as_count,
    excerpt,
    kind_of_status,
    parse_json,
    retry_after_seconds,
)
from monkey_coder_server.domain.errors import FailureKind


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon", "date": "Mon, 23 Nov 2026 07:00:00 GMT"}, None),
        ({"retry-after": "Mon, 23 Nov 2026 07:00:30 GMT", "date": "Mon, 23 Nov 2026 07:00:00 GMT"}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 06:00:00 GMT", "date": "Mon, 23 Nov 2026 07:00:00 GMT"}, 0.0),
        ({"retry-after": "Mon, 23 Nov 2026 07:00:30 GMT"}, None),
    ],
)
def test_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds


@pytest.mark.parametrize(
    ("value", "count"), [(3, 3), (0, 0), (3.0, 3), (3.5, None), (-1, None), (True, None), ("3", None), (None, None)]
)
def test_a_count_is_a_whole_number_or_nothing(value: object, count: int | None) -> None:
    assert as_count(value) == count


def test_broken_json_is_told_from_null() -> None:
    assert parse_json(b"null") is None
    assert parse_json(b"") is UNREADABLE
    assert parse_json(b'"\xff"') is UNREADABLE
    assert parse_json("[" * 100_000) is UNREADABLE


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FailureKind.INVALID_REQUEST),
        (418, FailureKind.INVALID_REQUEST),
        (402, FailureKind.QUOTA),
        (500, FailureKind.SERVER_ERROR),
        (529, FailureKind.OVERLOADED),
    ],
)
def test_a_status_alone(status: int, kind: FailureKind) -> None:
    assert kind_of_status(status) is kind


def test_an_excerpt_is_short_text() -> None:
    assert excerpt(b" \xff" + b"a" * 10_000).startswith("\N{REPLACEMENT CHARACTER}a")
    assert len(excerpt(b"a" * 10_000)) == 600
