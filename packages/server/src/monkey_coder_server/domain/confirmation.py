"""What a person proves anew before it is done, although they are logged in, and who needs a second factor."""

from datetime import datetime, timedelta
from enum import StrEnum

FRESH = timedelta(minutes=5)
"""For so long a proof of every factor counts for what is done after it."""


class Action(StrEnum):
    """What a proof is for; one for the one is none for the other."""

    KEYS = "keys"
    MONEY = "money"
    FACTORS = "factors"
    IDENTITY = "identity"
    ORGANIZATION = "organization"
    OPERATOR = "operator"


class SecondFactors(StrEnum):
    """Whether people may have a second factor, or must."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


def fresh(confirmed_at: datetime | None, now: datetime) -> bool:
    """Whether a person proved only just now that it is them."""
    return confirmed_at is not None and now - FRESH < confirmed_at
