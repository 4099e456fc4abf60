"""What every dialect reads the same way: lenient JSON, retry hints, statuses. Never raises on a provider's bytes."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.errors import FailureKind

UNREADABLE: Final = object()
"""What `parse_json` gives for bytes that are not JSON (None is JSON's null)."""

MESSAGE_LIMIT = 600
"""Characters of a provider's own words that are kept of a body nobody can read."""

_DECODER = msgspec.json.Decoder()

_KIND_OF_STATUS = {
    400: FailureKind.INVALID_REQUEST,
    401: FailureKind.AUTHENTICATION,
    402: FailureKind.QUOTA,
    403: FailureKind.PERMISSION,
    404: FailureKind.NOT_FOUND,
    408: FailureKind.TIMEOUT,
    413: FailureKind.CONTEXT_TOO_LONG,
    422: FailureKind.INVALID_REQUEST,
    429: FailureKind.RATE_LIMIT,
    503: FailureKind.OVERLOADED,
    504: FailureKind.TIMEOUT,
    529: FailureKind.OVERLOADED,
}


def kind_of_status(status: int) -> FailureKind:
    """What an HTTP status alone says."""
    known = _KIND_OF_STATUS.get(status)
    if known is not None:
        return known
    return FailureKind.INVALID_REQUEST if 400 <= status < 500 else FailureKind.SERVER_ERROR


def parse_json(raw: bytes | str) -> Json:
    """Decode, or give `UNREADABLE`."""
    try:
        return _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return UNREADABLE


def write_json(value: Json) -> bytes:
    """Encode compactly, keys in the order they were put in, so that equal input gives equal bytes."""
    return msgspec.json.encode(value)


def as_object(value: Json) -> dict[str, Json]:
    """The JSON object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    """The JSON array, or an empty one for anything else."""
    return value if isinstance(value, list) else []


def as_text(value: Json) -> str | None:
    """The string, or None for anything else."""
    return value if isinstance(value, str) else None


def as_count(value: Json) -> int | None:
    """A whole number that is not negative; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and value >= 0 else None


def bytes_between(data: str, start: int, end: int) -> int:
    """How many bytes of UTF-8 a part of a text takes."""
    return end - start if data.isascii() else len(data[start:end].encode("utf-8", "surrogatepass"))


def excerpt(body: bytes) -> str:
    """The beginning of a body nobody can read, for an error message."""
    return body.lstrip()[: 4 * MESSAGE_LIMIT].decode("utf-8", "replace")[:MESSAGE_LIMIT].strip()


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """When to come back, from `retry-after-ms` or `retry-after` (RFC 9110 §10.2.3).

    A date is measured against the answer's own `date` header, so no clock is needed.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None or text is None:
        return seconds
    return _seconds_between(headers.get("date"), text)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < float("inf") else None


def _seconds_between(start: str | None, end: str) -> float | None:
    if start is None:
        return None
    try:
        return max(0.0, (parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
