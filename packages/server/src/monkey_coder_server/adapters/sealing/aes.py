"""AES-256-GCM under keys derived from the operator's secret and the purpose (NIST SP 800-38D; RFC 5869)."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12


class AesSealing:
    """`ports.replies.Sealing`. With a purpose only the owner knows, the secret alone opens nothing.

    What `former` secrets sealed is opened, and sealed with `secret` from then on.
    """

    def __init__(self, secret: bytes, *former: bytes) -> None:
        self._secrets = (secret, *former)

    def seal(self, plain: bytes, purpose: bytes) -> bytes:
        """Encrypt under a fresh nonce."""
        nonce = os.urandom(NONCE)
        return nonce + _cipher(self._secrets[0], purpose).encrypt(nonce, plain, None)

    def open(self, sealed: bytes, purpose: bytes) -> bytes | None:
        """The bytes again, None when they cannot be had."""
        for secret in self._secrets:
            try:
                return _cipher(secret, purpose).decrypt(sealed[:NONCE], sealed[NONCE:], None)
            except (InvalidTag, ValueError):
                continue
        return None


def _cipher(secret: bytes, purpose: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=b"monkey-coder kept reply", info=purpose).derive(secret))
