"""Times as the database keeps them: microseconds since 1970 UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LAST_MOMENT = 2**63 - 1
"""Later than every moment the database can keep."""


def to_micros(moment: datetime) -> int:
    """An aware moment as microseconds; exact."""
    return (moment - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """Microseconds as an aware UTC moment; exact."""
    return EPOCH + micros * MICROSECOND


def optional_to_micros(moment: datetime | None) -> int | None:
    """`to_micros`, None kept."""
    return None if moment is None else to_micros(moment)


def optional_from_micros(micros: int | None) -> datetime | None:
    """`from_micros`, None kept."""
    return None if micros is None else from_micros(micros)
