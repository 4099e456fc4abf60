"""Months as subscriptions count them, in UTC."""

import calendar
from datetime import UTC, datetime

HOUR, DAY = 3_600, 86_400


def months_later(anchor: int, months: int) -> int:
    """That many months after a moment; a 31st becomes the last day of a shorter month."""
    begun = datetime.fromtimestamp(anchor, UTC)
    year, month = divmod(begun.year * 12 + begun.month - 1 + months, 12)
    day = min(begun.day, calendar.monthrange(year, month + 1)[1])
    return int(begun.replace(year=year, month=month + 1, day=day).timestamp())


def shown(moment: int) -> str:
    """`3 March 2027`, for pages."""
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at.day} {at:%B %Y}"
