"""What we write on Stripe's objects to know them again, and how keys of calls are given."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from monkey_coder_server.domain.payments import Purpose

if TYPE_CHECKING:
    import stripe
    from stripe import CardError, InvalidRequestError

CURRENCY = "usd"
PAGE = 100
"""The most objects Stripe sends at once."""
ACCOUNT, PURPOSE, REFERENCE, ORDER, INVOICE, LINE = (
    "account_id", "purpose", "reference", "order", "invoice_id", "line"
)  # fmt: skip


def written(account_id: str, purpose: Purpose, reference: str) -> dict[str, str]:
    """The metadata of a payment of ours."""
    return {ACCOUNT: account_id, PURPOSE: purpose.value, REFERENCE: reference}


def under(key: str, step: str = "") -> "stripe.RequestOptions":
    """The options of a call that changes something; of a step where one key of ours is of several calls."""
    return {"idempotency_key": f"{key}:{step}" if step else key}


def purpose_of(metadata: Mapping[str, str]) -> Purpose | None:
    """What a payment is for, if that is written on it in a word that is known."""
    word = metadata.get(PURPOSE, "")
    return Purpose(word) if word in set(Purpose) else None


def moment(seconds: int) -> datetime:
    """A time of Stripe's."""
    return datetime.fromtimestamp(seconds, UTC)


def seconds(at: datetime) -> int:
    """A time as Stripe takes it."""
    return int(at.timestamp())


def refusal() -> "type[InvalidRequestError]":
    """What the SDK raises for a request Stripe refuses. The SDK is loaded by whoever calls it, not by this file."""
    from stripe import InvalidRequestError  # noqa: PLC0415 - heavy

    return InvalidRequestError


def decline() -> "type[CardError]":
    """What it raises for a card that is declined."""
    from stripe import CardError  # noqa: PLC0415 - heavy

    return CardError
