"""API keys: `mk-<environment>-<30 base62><6 base62 CRC-32>`, so that a mistyped key is refused without a look-up.

The checksum is the CRC-32 of everything before it, as six base62 digits. Only a keyed digest of a key is stored.
"""

import hmac
import re
import zlib
from dataclasses import dataclass, field

from monkey_coder_server.domain.errors import InvalidApiKey

ENVIRONMENTS = ("live", "test", "dev")
KEY_PATTERN = r"mk-(live|test|dev)-[0-9A-Za-z]{36,66}"
"""Published, so that secret scanners can find leaked keys."""

RANDOM_BYTES = 32
RANDOM_DIGITS = 30
CHECKSUM_DIGITS = 6
LONGEST = 80

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KEY = re.compile(KEY_PATTERN, re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key in the right form. Its text never shows in `repr`."""

    environment: str
    text: str = field(repr=False)

    @property
    def display(self) -> str:
        """What may be shown and stored: the first twelve and the last four characters."""
        return f"{self.text[:12]}...{self.text[-4:]}"


def compose(environment: str, random_bytes: bytes) -> ApiKey:
    """A new key from at least 32 random bytes (178 bits of them survive). Raises `ValueError` for wrong arguments."""
    if environment not in ENVIRONMENTS:
        raise ValueError("The environment of a key must be live, test or dev.")
    if len(random_bytes) < RANDOM_BYTES:
        raise ValueError("A key needs at least 32 random bytes.")
    body = f"mk-{environment}-{_base62(int.from_bytes(random_bytes, 'big'), RANDOM_DIGITS)}"
    return ApiKey(environment, body + _checksum(body))


def parse(text: str) -> ApiKey:
    """A key as a caller sent it. Raises `InvalidApiKey` when form or checksum is wrong, before any look-up."""
    text = text.strip()
    match = _KEY.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        raise InvalidApiKey(
            "This is not a Monkey Coder API key. Keys look like mk-live-... and are made with "
            "POST /v1/keys or `monkey keys`."
        )
    body, claimed = text[:-CHECKSUM_DIGITS], text[-CHECKSUM_DIGITS:]
    if not hmac.compare_digest(_checksum(body), claimed):
        raise InvalidApiKey("The API key has a typing error or was cut: its checksum does not fit. Copy it again.")
    return ApiKey(match[1], text)


def digest(pepper: bytes, key: ApiKey) -> bytes:
    """What is stored and looked up: HMAC-SHA256 of the whole key under the pepper."""
    return hmac.digest(pepper, key.text.encode("ascii"), "sha256")


@dataclass(frozen=True, slots=True)
class Peppers:
    """The secrets keys are digested with: new keys with the first, those of the others go on working."""

    secrets: tuple[bytes, ...] = field(repr=False)

    def digests(self, key: ApiKey) -> tuple[bytes, ...]:
        """Under which a key may be stored, the likeliest first."""
        return tuple([digest(secret, key) for secret in self.secrets])

    @property
    def versions(self) -> tuple[str, ...]:
        """A name for each that tells nothing of it; the first is that of new keys."""
        return tuple([hmac.digest(secret, b"version of a pepper", "sha256")[:4].hex() for secret in self.secrets])


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), CHECKSUM_DIGITS)


def _base62(number: int, digits: int) -> str:
    """The last `digits` base62 digits of a number."""
    text = ""
    for _ in range(digits):
        number, digit = divmod(number, len(_ALPHABET))
        text = _ALPHABET[digit] + text
    return text
