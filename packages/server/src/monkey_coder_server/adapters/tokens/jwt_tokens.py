"""HS256 access tokens, with everything pinned that a forger could choose."""

from collections.abc import Callable
from hashlib import sha256

import jwt

from monkey_coder_server.ports.security import SessionClaims

ALGORITHM = "HS256"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068, section 2.1: the media type of access tokens
ISSUER = "monkey-coder"
AUDIENCE = "monkey-coder-api"
LIFETIME_SECONDS = 900
LEEWAY_SECONDS = 30
SHORTEST_SECRET = 32
"""Bytes; RFC 7518, section 3.2: an HS256 key is at least as long as the hash."""
_REQUIRED = ["iss", "aud", "sub", "sid", "acc", "iat", "exp", "jti"]


class JwtTokens:
    """Issues and reads access tokens of one secret. Raises `ValueError` for a secret that is too short."""

    lifetime = LIFETIME_SECONDS

    def __init__(self, secret: str, *, new_id: Callable[[str], str]) -> None:
        key = secret.encode()
        if len(key) < SHORTEST_SECRET:
            message = f"the token secret has {len(key)} bytes; it needs at least {SHORTEST_SECRET}"
            raise ValueError(message)
        self._key = key
        self._key_id = sha256(b"monkey-coder key id\0" + key).hexdigest()[:12]
        self._new_id = new_id

    def issue(self, *, user_id: str, account_id: str, session_id: str, now: int) -> tuple[str, int]:
        """A token and when it expires (Unix seconds)."""
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
        headers = {"typ": TOKEN_TYPE, "kid": self._key_id}
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers=headers), expires

    def read(self, token: str, *, now: int) -> SessionClaims | None:
        """The claims of a token that is genuine, ours and not expired; else None."""
        try:
            whole = jwt.decode_complete(
                token,
                self._key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return None
        header, claims = whole["header"], whole["payload"]
        if header.get("typ") != TOKEN_TYPE or header.get("kid") != self._key_id:
            return None
        expires = claims["exp"]
        if not isinstance(expires, int) or now >= expires + LEEWAY_SECONDS:
            return None
        return SessionClaims(claims["sub"], str(claims["acc"]), str(claims["sid"]), expires)
