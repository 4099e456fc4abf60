"""People, their accounts, sessions and API keys."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.weights import Weights

SERVICE_ACCOUNT = "service"
"""Among the roles of a user who is no person and cannot log in."""


@dataclass(frozen=True, slots=True)
class User:
    """A person. `password_hash` is an argon2id string and never leaves the accounts feature.

    It is empty for who has no password. `plan` is what earlier releases read; see `ports.plans`.
    `email_verified_at` None: nobody proved yet that mail to the address is read.
    """

    user_id: str
    account_id: str
    email: str
    name: str
    password_hash: str
    plan: str
    roles: tuple[str, ...]
    created_at: datetime
    email_verified_at: datetime | None = None

    @property
    def is_service(self) -> bool:
        """Whether it is a service account of an organization."""
        return SERVICE_ACCOUNT in self.roles


@dataclass(frozen=True, slots=True)
class Session:
    """A refresh-token family. `token_digest` is of the newest token; using an older one revokes the family.

    `used_digest` is of the token before it, used up at `rotated_at`: a client whose two requests race uses it again
    within seconds. `confirmed_at` is when the person last proved with every factor they have that it is them, and
    `second_factor` whether there was one among them. `address` and `agent` are those of the log-in. `impersonator` is
    the operator who acts as the person in it; empty for the person's own.
    """

    session_id: str
    user_id: str
    token_digest: bytes
    expires_at: datetime
    revoked: bool = False
    created_at: datetime | None = None
    confirmed_at: datetime | None = None
    second_factor: bool = False
    address: str = ""
    agent: str = ""
    used_digest: bytes | None = None
    rotated_at: datetime | None = None
    impersonator: str = ""


@dataclass(frozen=True, slots=True)
class Rotation:
    """One turn of a session: `old` is the digest that came, `new` that of the token that follows on it.

    A turn made after the request `came` may be asked for again: of a client's two racing requests the second gets the
    same token. Who comes later with a used one has stolen it, or was stolen from.
    """

    old: bytes
    new: bytes
    came: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Caps:
    """Spending caps in nano-dollars; None means none. Day and month are UTC."""

    day: int | None = None
    month: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class FormerSecret:
    """What a key's secret was before its last rotation, and until when it is good beside the new one."""

    prefix: str
    digest: bytes
    pepper: str
    until: datetime


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """An API key without its secret. `models` and `ip_allow` None mean any; `rate` is requests a minute.

    `project_id` names the project whose limits count for the key beside its own, if it is of one, and `team_id` the
    team of that project. `collapse` is how several models are asked for one answer where a request says nothing of it;
    None for a single one. `weights` count for the router where a request names none; None leaves them to the persona.
    `pepper` is the version of the secret it was digested with; empty for keys of earlier releases. `former` is the
    secret before the newest; both are the same key, so whatever it may spend they spend together.
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
    pepper: str = ""
    team_id: str | None = None
    former: FormerSecret | None = None

    @property
    def by_former(self) -> bool:
        """Whether this is the key as its former secret finds it."""
        return self.former is not None and self.former.digest == self.digest

    def replaced(self, at: datetime) -> bool:
        """Whether it was found by a former secret that has ended."""
        return self.former is not None and self.former.digest == self.digest and self.former.until <= at

    def formerly(self) -> "KeyRecord | None":
        """The key as its former secret finds it: it ends with that."""
        former = self.former
        if former is None:
            return None
        ends = former.until if self.expires_at is None else min(former.until, self.expires_at)
        return replace(self, prefix=former.prefix, digest=former.digest, pepper=former.pepper, expires_at=ends)


class Accounts(Protocol):
    """Users. E-mail addresses are compared casefolded."""

    async def create(self, user: User) -> None:
        """Store user and account. Raises `Conflict` when the address is taken."""

    async def by_email(self, email: str) -> User | None:
        """The user of an address."""

    async def by_id(self, user_id: str) -> User | None:
        """The user of an id."""

    async def of_account(self, account_id: str) -> Sequence[User]:
        """Whose account it is, oldest first; of an organization its service accounts."""

    async def list_users(self) -> Sequence[User]:
        """All users, oldest first."""

    async def set_password(self, user_id: str, password_hash: str) -> None:
        """Replace the password hash. Raises `NotFound`."""

    async def set_email(self, user_id: str, email: str, *, verified_at: datetime) -> None:
        """Replace, or only confirm, a person's address. Raises `NotFound`, and `Conflict` when the address is taken."""


class Sessions(Protocol):
    """Refresh-token families."""

    async def open(self, session: Session) -> None:
        """Store a new session."""

    async def find(self, session_id: str) -> Session | None:
        """One session."""

    async def of_user(self, user_id: str, at: datetime) -> Sequence[Session]:
        """A person's sessions that have not ended, newest first."""

    async def seen_from(self, email: str, address: str, since: datetime) -> bool:
        """Whether the person of an e-mail address has logged in from a network address since then."""

    async def rotate(self, session_id: str, turn: Rotation) -> bool:
        """Swap the token digest; False, and the family revoked, when the old token was used up before it came."""

    async def confirm(self, session_id: str, at: datetime, *, second_factor: bool) -> None:
        """Note that the person has just proved again that it is them."""

    async def revoke(self, session_id: str) -> None:
        """End a session; harmless when ended."""

    async def revoke_all(self, user_id: str, *, but: str = "") -> int:
        """End every session of a person, but for one; how many that were.

        Those in which they act for others as an operator end as well.
        """


class Keys(Protocol):
    """API keys. `find` reads an in-memory snapshot: no I/O for a known key, one look for all unknown ones."""

    async def find(self, *digests: bytes) -> KeyRecord | None:
        """The key of any of these digests, also when revoked or expired: the caller judges."""

    async def create(self, record: KeyRecord, *, most: int | None = None) -> None:
        """Store a key. Raises `Conflict` when its account has `most` in use, however many are made at once."""

    async def list(self, account_id: str) -> Sequence[KeyRecord]:
        """An account's keys, oldest first, revoked ones included."""

    async def change(self, account_id: str, key_id: str, edit: Callable[[KeyRecord], KeyRecord]) -> KeyRecord | None:
        """Store what `edit` makes of a key's name, secrets, models, caps, rate, addresses and expiry; None without it.

        What others change meanwhile is kept: `edit` sees it, and may run again.
        """

    async def revoke(self, account_id: str, key_id: str, at: datetime) -> bool:
        """Revoke now; False when there is no such key of this account."""

    def touch(self, key_id: str, at: datetime) -> None:
        """Note a use; written in batches, at most once a minute a key."""


DONE = "done"
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what, when and from where. `account_id` is whose members may read it; empty: operators only.

    `outcome` is `done` or `refused`. `on_behalf_of` is the user an operator acted as. Never a secret, a prompt or an
    answer in `details`.
    """

    actor: str
    action: str
    target: str
    at: datetime
    account_id: str = ""
    details: str = ""
    address: str = ""
    agent: str = ""
    outcome: str = DONE
    on_behalf_of: str = ""


class Audit(Protocol):
    """The append-only record of operator and account actions."""

    async def record(self, entry: AuditEntry) -> None:
        """Append one entry, durable on return; of refusals the first of a kind, the others are counted."""
