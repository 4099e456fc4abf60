"""The audit log as a chain: every entry holds the SHA-256 of the one before, so that none can be changed unnoticed."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

FIRST_PREVIOUS = bytes(32)
"""What stands for the entry before the first."""
Told = Sequence[str | int]
"""What an entry says, in the order of `ports.accounts.AuditEntry`; its moment in microseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Link:
    """An entry with its place in the chain; without one it was written by a release before the chain, or beside it."""

    audit_id: int
    told: Told
    sequence: int | None = None
    previous: bytes | None = None
    digest: bytes | None = None


def digest(previous: bytes, told: Told) -> bytes:
    """The SHA-256 of the entry before and, as a compact JSON array in UTF-8, of what this one says."""
    text = json.dumps(list(told), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(previous + text.encode()).digest()


@dataclass(slots=True)
class Walk:
    """Reads entries in the order of their ids and says where the chain is broken.

    `covered` is how many entries without a place the first chained one vouches for: those of before the chain. Later
    ones without a place are `beside`: an earlier release wrote them while both ran, and nothing vouches for them.
    """

    covered: int
    chained: int = 0
    beside: int = 0
    head: bytes = field(default=FIRST_PREVIOUS)
    _sequence: int = 0

    def take(self, link: Link) -> str:
        """What is wrong with the next entry; empty when nothing is."""
        if link.sequence is None or link.previous is None or link.digest is None:
            self._take_loose(link)
            return ""
        wrong = self._wrong(link.sequence, link.previous, link.digest, link.told)
        self.chained += 1
        self._sequence, self.head = link.sequence, link.digest
        return wrong and f"entry {link.sequence} {wrong}"

    def _take_loose(self, link: Link) -> None:
        if self.chained or self._sequence == self.covered:
            self.beside += 1
            return
        self._sequence += 1
        self.head = digest(self.head, link.told)

    def _wrong(self, sequence: int, previous: bytes, claimed: bytes, told: Told) -> str:
        if sequence != self._sequence + 1:
            return f"follows on {self._sequence}: entries between them are missing"
        if previous != self.head:
            return "does not hold the digest of what stands before it: that was changed"
        return "" if digest(previous, told) == claimed else "says other than its digest: it was changed"
