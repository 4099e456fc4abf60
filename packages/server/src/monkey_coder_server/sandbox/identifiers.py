"""Ids and thinking signatures: drawn from the seed, so that a run can be repeated."""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import blake2b

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_NONCE_BYTES = 16
_MARK = b"\x12\xa9\x01\x0a"


class Identifiers:
    """The id source of one running sandbox: the same seed and the same order of requests give the same ids."""

    def __init__(self, seed: int) -> None:
        self._key = blake2b(str(seed).encode(), digest_size=32).digest()
        self.serial = 0

    def draw(self) -> int:
        """A fresh 256-bit number."""
        self.serial += 1
        digest = blake2b(self.serial.to_bytes(8, "big"), key=self._key, digest_size=32).digest()
        return int.from_bytes(digest, "big")

    def signature(self, nonce: int, thinking: str) -> str:
        """Sign a thinking passage the way a provider would: opaque to the caller, checked on replay."""
        nonce_bytes = (nonce % (1 << 128)).to_bytes(_NONCE_BYTES, "big")
        mac = blake2b(nonce_bytes + thinking.encode(), key=self._key, digest_size=48).digest()
        return b64encode(_MARK + nonce_bytes + mac).decode()

    def issued(self, signature: str, thinking: str) -> bool:
        """Whether this sandbox (or one with the same seed) signed exactly this passage, in either base64 alphabet."""
        signature = signature.replace("-", "+").replace("_", "/")
        try:
            raw = b64decode(signature, validate=True)
        except (Base64Error, ValueError):
            return False
        nonce = int.from_bytes(raw[len(_MARK) : len(_MARK) + _NONCE_BYTES], "big")
        return hmac.compare_digest(self.signature(nonce, thinking), signature)


def base62(number: int, length: int) -> str:
    """That many base62 characters of a number."""
    characters: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        characters.append(_BASE62[digit])
    return "".join(characters)


def hexadecimal(number: int, length: int) -> str:
    """That many lower-case hex characters of a number."""
    return f"{number % (1 << 4 * length):0{length}x}"


def uuid(number: int) -> str:
    """A number in the shape of a UUID."""
    text = hexadecimal(number, 32)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
