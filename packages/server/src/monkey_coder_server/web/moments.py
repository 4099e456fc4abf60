"""Moments as operators write them."""

from datetime import UTC, datetime

from monkey_coder_server.domain.errors import InvalidRequest


def read_moment(field: str, text: str | None) -> datetime | None:
    """A day (from its beginning in UTC) or an ISO time; None for none. Raises `InvalidRequest`."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as wrong:
        message = f"{field} must be a day like 2026-12-01 or an ISO time."
        raise InvalidRequest(message) from wrong
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
