"""Reading the audit trail, and proving that it is whole."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from monkey_coder_server.ports.accounts import AuditEntry


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A written entry. Those that stand in the chain have a `sequence`, counted from 1, and two SHA-256 digests."""

    audit_id: int
    entry: AuditEntry
    sequence: int | None
    previous: bytes | None
    digest: bytes | None


@dataclass(frozen=True, slots=True)
class AuditReport:
    """How the chain was found: `head` is the digest of its newest entry, `broken` a sentence for each wrong place.

    `covered` entries are older than the chain and vouched for by its first; `beside` stand outside of it. `noted` is
    whether the digest that was asked for is in the chain; None when none was.
    """

    chained: int
    covered: int
    beside: int
    head: bytes
    broken: tuple[str, ...]
    noted: bool | None

    @property
    def sound(self) -> bool:
        """Whether nothing was changed, taken out or cut off, as far as digests can tell."""
        return not self.broken and self.noted is not False


class AuditLog(Protocol):
    """The trail of one account, or of all for an operator."""

    async def newest(self, account_id: str, *, before: int | None, most: int) -> Sequence[AuditRecord]:
        """Entries of an account, newest first, older than the one of an id."""

    def pages(self, account_id: str | None) -> AsyncIterator[Sequence[AuditRecord]]:
        """Every entry of an account, or of all, oldest first, some at a time."""

    async def verify(self, noted: bytes | None = None) -> AuditReport:
        """Walk the whole chain; `noted` is the digest of an entry that must be in it."""
