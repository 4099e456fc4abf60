"""The span of time a usage report covers, as its callers write it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monkey_coder_server.domain.errors import InvalidRequest

GRANULARITIES = ("hourly", "daily", "weekly", "monthly")
DEFAULT_DAYS = 30
LONGEST = timedelta(days=732)
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


@dataclass(frozen=True, slots=True)
class Period:
    """start ≤ t < end, UTC."""

    start: datetime
    end: datetime
    granularity: str
    include_details: bool


def read_period(query: Mapping[str, str], now: datetime) -> Period:
    """From snake-case or camel-case query names. A day given as `end` is included. Raises `InvalidRequest`."""
    end = _moment(query, "end_date", "endDate", end_of_day=True) or now + timedelta(seconds=1)
    start = _moment(query, "start_date", "startDate", end_of_day=False) or end - timedelta(days=DEFAULT_DAYS)
    if start >= end:
        raise InvalidRequest("The query parameter `start_date` must lie before `end_date`.")
    if end - start > LONGEST:
        message = f"A usage report covers at most {LONGEST.days} days; ask for a shorter period."
        raise InvalidRequest(message)
    granularity = query.get("granularity") or "daily"
    if granularity not in GRANULARITIES:
        message = f"The query parameter `granularity` must be one of {', '.join(GRANULARITIES)}."
        raise InvalidRequest(message)
    return Period(start, end, granularity, _flag(query.get("include_details", query.get("includeDetails", ""))))


def bucket_of(moment: datetime, granularity: str) -> str:
    """The name of the hour, day, ISO week or month a moment lies in."""
    if granularity == "hourly":
        return moment.strftime("%Y-%m-%dT%H:00:00Z")
    if granularity == "weekly":
        return (moment - timedelta(days=moment.weekday())).date().isoformat()
    if granularity == "monthly":
        return moment.strftime("%Y-%m")
    return moment.date().isoformat()


def _moment(query: Mapping[str, str], snake: str, camel: str, *, end_of_day: bool) -> datetime | None:
    text = (query.get(snake) or query.get(camel) or "").strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as wrong:
        message = f"The query parameter `{snake}` must be a date like 2026-11-23 or an ISO time."
        raise InvalidRequest(message) from wrong
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment + timedelta(days=1) if end_of_day and len(text) == len("2026-11-23") else moment


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise InvalidRequest("The query parameter `include_details` must be true or false.")
    return _FLAGS[text.lower()]
