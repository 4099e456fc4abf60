"""People, their accounts, sessions and API keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.weights import Weights


@dataclass(frozen=True, slots=True)
class User:
    """A person. `password_hash` is an argon2id string and never leaves the accounts feature."""

    user_id: str
    account_id: str
    email: str
    name: str
    password_hash: str
    plan: str
    roles: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A refresh-token family. `token_digest` is of the newest token; using an older one revokes the family."""

    session_id: str
    user_id: str
    token_digest: bytes
    expires_at: datetime
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Caps:
    """Spending caps in nano-dollars; None means none. Day and month are UTC."""

    day: int | None = None
    month: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """An API key without its secret. `models` and `ip_allow` None mean any; `rate` is requests a minute.

    `project_id` names the project whose limits count for the key beside its own, if it is of one. `collapse` is how
    several models are asked for one answer where a request says nothing of it; None for a single one. `weights` count
    for the router where a request names none; None leaves them to the persona.
    """

    key_id: str
    account_id: str
    user_id: str
    name: str
    prefix: str
    digest: bytes
    scopes: frozenset[str]
    created_at: datetime
    models: tuple[str, ...] | None = None
    caps: Caps = Caps()
    rate: int | None = None
    ip_allow: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used: datetime | None = None
    project_id: str | None = None
    collapse: str | None = None
    weights: Weights | None = None


class Accounts(Protocol):
    """Users and sessions. E-mail addresses are compared casefolded."""

    async def create(self, user: User) -> None:
        """Store user and account. Raises `Conflict` when the address is taken."""

    async def by_email(self, email: str) -> User | None:
        """The user of an address."""

    async def by_id(self, user_id: str) -> User | None:
        """The user of an id."""

    async def list_users(self) -> Sequence[User]:
        """All users, oldest first."""

    async def set_password(self, user_id: str, password_hash: str) -> None:
        """Replace the password hash."""

    async def open_session(self, session: Session) -> None:
        """Store a new session."""

    async def session(self, session_id: str) -> Session | None:
        """One session."""

    async def rotate_session(self, session_id: str, *, old: bytes, new: bytes, expires_at: datetime) -> bool:
        """Swap the token digest if `old` is still the newest; False (and the family revoked) when it is not."""

    async def revoke_session(self, session_id: str) -> None:
        """End a session; harmless when ended."""


class Keys(Protocol):
    """API keys. `find` reads an in-memory snapshot: no I/O for a known key, one look for all unknown ones."""

    async def find(self, digest: bytes) -> KeyRecord | None:
        """The key of a digest, also when revoked or expired: the caller judges."""

    async def create(self, record: KeyRecord) -> None:
        """Store a key."""

    async def list(self, account_id: str) -> Sequence[KeyRecord]:
        """An account's keys, oldest first, revoked ones included."""

    async def revoke(self, account_id: str, key_id: str, at: datetime) -> bool:
        """Revoke now; False when there is no such key of this account."""

    def touch(self, key_id: str, at: datetime) -> None:
        """Note a use; written in batches, at most once a minute a key."""


class Audit(Protocol):
    """The append-only record of operator and account actions."""

    async def record(self, *, actor: str, action: str, target: str, details: str, at: datetime) -> None:
        """Append one entry."""
