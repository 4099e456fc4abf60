"""HS256 access tokens, with everything pinned that a forger could choose.

PyJWT loads all of public-key cryptography: it comes with the first token, and none comes where only keys are used.
"""

from collections.abc import Callable
from hashlib import sha256
from types import ModuleType
from typing import Any

from monkey_coder_server.ports.security import SessionClaims

ALGORITHM = "HS256"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068, section 2.1: the media type of access tokens
ISSUER = "monkey-coder"
AUDIENCE = "monkey-coder-api"
LIFETIME_SECONDS = 900
LEEWAY_SECONDS = 30
SHORTEST_SECRET = 32
"""Bytes; RFC 7518, section 3.2: an HS256 key is at least as long as the hash."""
LONGEST_TOKEN = 2_048
"""Characters; ours have about 450."""
_REQUIRED = ["iss", "aud", "sub", "sid", "acc", "iat", "exp", "jti"]
_HEADERS = frozenset({"alg", "typ", "kid"})
"""All that a token of ours says of itself: what names keys from elsewhere (`jwk`, `jku`, `x5c`) or wants more of a
reader (`crit`) is none."""


class JwtTokens:
    """Issues access tokens with a secret, and reads those of `former` ones, too, until they expire.

    Raises `ValueError` for a secret that is too short.
    """

    lifetime = LIFETIME_SECONDS

    def __init__(self, secret: str, *former: str, new_id: Callable[[str], str]) -> None:
        self._keys = {_key_id(key): key for key in map(_checked, (secret, *former))}
        self._newest = _key_id(secret.encode())
        self._new_id = new_id

    def issue(self, *, user_id: str, account_id: str, session_id: str, now: int) -> tuple[str, int]:
        """A token and when it expires (Unix seconds)."""
        import jwt  # noqa: PLC0415 - heavy

        expires = now + self.lifetime
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "acc": account_id,
            "sid": session_id,
            "iat": now,
            "exp": expires,
            "jti": self._new_id("jti"),
        }
        headers = {"typ": TOKEN_TYPE, "kid": self._newest}
        return jwt.encode(claims, self._keys[self._newest], algorithm=ALGORITHM, headers=headers), expires

    def read(self, token: str, *, now: int) -> SessionClaims | None:
        """The claims of a token that is genuine, ours, begun and not expired; else None."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            return None
        claims = self._genuine(token)
        if claims is None or not _runs(claims, now):
            return None
        return SessionClaims(claims["sub"], str(claims["acc"]), str(claims["sid"]), claims["exp"])

    def _genuine(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that is well-formed and signed by one of our keys; else None."""
        import jwt  # noqa: PLC0415 - heavy

        try:
            return self._decoded(jwt, token)
        except (jwt.InvalidTokenError, RecursionError):
            return None

    def _decoded(self, jwt: ModuleType, token: str) -> dict[str, Any] | None:
        """Only our own names choose the key."""
        header = jwt.get_unverified_header(token)
        key_id = header.get("kid")
        key = self._keys.get(key_id) if isinstance(key_id, str) else None
        if key is None or header.keys() != _HEADERS or header["typ"] != TOKEN_TYPE:
            return None
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
        return claims


def _runs(claims: dict[str, Any], now: int) -> bool:
    """Whether a token has begun and not expired, but for clocks that are a little off."""
    begins, ends = [claims["iat"], claims.get("nbf", claims["iat"])], claims["exp"]
    if not all(isinstance(each, int) for each in (*begins, ends)):
        return False
    return bool(max(begins) - LEEWAY_SECONDS <= now < ends + LEEWAY_SECONDS)


def _checked(secret: str) -> bytes:
    key = secret.encode()
    if len(key) < SHORTEST_SECRET:
        message = f"the token secret has {len(key)} bytes; it needs at least {SHORTEST_SECRET}"
        raise ValueError(message)
    return key


def _key_id(key: bytes) -> str:
    return sha256(b"monkey-coder key id\0" + key).hexdigest()[:12]
