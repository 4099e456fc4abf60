"""Recovery codes: 120 random bits in 24 letters and digits, stored as keyed digests."""

import base64
import hmac
import secrets
from collections.abc import Sequence

HOW_MANY = 10
RANDOM_BYTES = 15
GROUP = 6


def new_recovery_codes() -> tuple[str, ...]:
    """A set of them, to be shown once."""
    return tuple(_code() for _ in range(HOW_MANY))


def recovery_digests(peppers: Sequence[bytes], code: str) -> tuple[bytes, ...]:
    """What a code may be stored as: by the first pepper what is made now, by the others what was made before."""
    return tuple(hmac.digest(pepper, b"recovery code\0" + code.encode(), "sha256") for pepper in peppers)


def _code() -> str:
    letters = base64.b32encode(secrets.token_bytes(RANDOM_BYTES)).decode().lower()
    return "-".join(letters[start : start + GROUP] for start in range(0, len(letters), GROUP))
