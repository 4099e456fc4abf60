"""The digests of API keys, reckoned once for each key that comes again and again."""

import hmac
from hashlib import blake2b

from monkey_coder_server.domain import api_keys

REMEMBERED = 4096
"""Keys. When so many are known all are forgotten, and those that are in use are known again at their next request."""


class KeyDigests:
    """Digests of keys as they are stored. What it remembers them by is a keyed hash: no key stays in memory."""

    def __init__(self, peppers: api_keys.Peppers) -> None:
        self._peppers = peppers
        self._secret = hmac.digest(peppers.secrets[0], b"names of keys in memory", "sha256")
        self._known: dict[bytes, tuple[bytes, ...]] = {}

    def of(self, text: str) -> tuple[bytes, ...]:
        """Under which the key may be stored, the likeliest first. Raises `InvalidApiKey` for what cannot be a key."""
        if len(text) > api_keys.LONGEST or not text.isascii():
            return self._reckoned(text)
        name = blake2b(text.encode("ascii"), key=self._secret, digest_size=32).digest()
        known = self._known.get(name)
        if known is None:
            known = self._reckoned(text)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[name] = known
        return known

    def _reckoned(self, text: str) -> tuple[bytes, ...]:
        return self._peppers.digests(api_keys.parse(text))
