"""Passwords and session tokens."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SessionClaims:
    """What a valid access token says. `expires` in Unix seconds."""

    user_id: str
    account_id: str
    session_id: str
    expires: int


class SessionTokens(Protocol):
    """Short-lived signed access tokens."""

    lifetime: int
    """Seconds."""

    def issue(self, *, user_id: str, account_id: str, session_id: str, now: int) -> tuple[str, int]:
        """A token and when it expires (Unix seconds)."""

    def read(self, token: str, *, now: int) -> SessionClaims | None:
        """The claims of a token that is genuine, ours and not expired; else None."""


class CommonPasswords(Protocol):
    """Passwords that guessers try first."""

    def hold(self, form: str) -> bool:
        """Whether a form (`domain.password_guessing.forms`) is among them; seldom True for one that is not."""


class Passwords(Protocol):
    """Slow password hashing in a bounded pool."""

    async def hash(self, password: str) -> str:
        """A salted hash. Raises `Unavailable` when too many are waiting."""

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether they match; None (no such user) takes the same time and is False. Raises `Unavailable`."""

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
