"""How a webhook is signed and tried again: version 1 of https://github.com/standard-webhooks/standard-webhooks."""

import base64
import hmac
from collections.abc import Sequence
from datetime import timedelta

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret's text begins with
SECRET_BYTES = 32
BOTH_SIGN = timedelta(hours=24)
"""For so long a webhook is signed with the secret before, too."""
PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""What comes between one try and the next: ten tries in about three days."""
JITTER = 0.2
"""The longest pause is by so much longer, so that what failed together is not tried together."""


def secret_text(secret: bytes) -> str:
    """A secret as its owner is told it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signed_headers(message_id: str, timestamp: int, body: bytes, *, secrets: Sequence[bytes]) -> dict[str, str]:
    """The headers of one try, signed with each secret, the newest first; `timestamp` in seconds since 1970."""
    content = f"{message_id}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(each, content, "sha256")).decode() for each in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join([f"v1,{each}" for each in signatures]),
    }


def pause_after(tries: int, chance: float) -> timedelta | None:
    """How long to wait after so many tries (1 and more); `chance` from 0 to 1 makes it longer. None: give up."""
    return PAUSES[tries - 1] * (1 + JITTER * chance) if tries <= len(PAUSES) else None
