"""The span of time a usage report covers, as its callers write it."""

from datetime import UTC, datetime, timedelta

from monkey_coder_protocol.queries import PeriodQuery
from monkey_coder_server.domain.errors import InvalidRequest

DEFAULT_DAYS = 30
LONGEST = timedelta(days=732)
FIRST_YEAR, LAST_YEAR = 1971, 2999


def read_period(query: PeriodQuery, now: datetime) -> tuple[datetime, datetime]:
    """Start and end (start ≤ t < end, UTC). A day given as `end_date` is included. Raises `InvalidRequest`."""
    end = _moment("end_date", query.end_date, end_of_day=True) or now + timedelta(seconds=1)
    start = _moment("start_date", query.start_date, end_of_day=False) or end - timedelta(days=DEFAULT_DAYS)
    return checked_span(start, end)


def checked_span(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """A span that a report covers. Raises `InvalidRequest`."""
    if start >= end:
        raise InvalidRequest("The query parameter `start_date` must lie before `end_date`.")
    if end - start > LONGEST:
        message = f"A usage report covers at most {LONGEST.days} days; ask for a shorter period."
        raise InvalidRequest(message)
    return start, end


def bucket_of(moment: datetime, granularity: str) -> str:
    """The name of the hour, day, ISO week or month a moment lies in."""
    if granularity == "hourly":
        return moment.strftime("%Y-%m-%dT%H:00:00Z")
    if granularity == "weekly":
        return (moment - timedelta(days=moment.weekday())).date().isoformat()
    if granularity == "monthly":
        return moment.strftime("%Y-%m")
    return moment.date().isoformat()


def _moment(name: str, text: str, *, end_of_day: bool) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as wrong:
        message = f"The query parameter `{name}` must be a date like 2026-11-23 or an ISO time."
        raise InvalidRequest(message) from wrong
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        message = f"The query parameter `{name}` must lie in the years {FIRST_YEAR} to {LAST_YEAR}."
        raise InvalidRequest(message)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment + timedelta(days=1) if end_of_day and len(text) == len("2026-11-23") else moment
