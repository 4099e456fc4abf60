"""The audit trail of an account (`GET /v1/audit`)."""

import msgspec


class AuditEntry(msgspec.Struct, kw_only=True):
    """Who did what to what; `at` RFC 3339 UTC, `outcome` `done` or `refused`, `on_behalf_of` the user an operator was.

    `sequence` counts all entries of the deployment; `digest` is the SHA-256 of `previous`, the digest of the entry
    before, and of what this one says. Entries of releases before the chain have none of the three.
    """

    id: str
    at: str
    actor: str
    action: str
    target: str
    outcome: str
    details: str
    address: str
    agent: str
    on_behalf_of: str
    sequence: int | None
    previous: str | None
    digest: str | None


class AuditPage(msgspec.Struct):
    """Newest first. `next` is what to send as `before` for the entries that follow; null at the end."""

    entries: list[AuditEntry]
    next: str | None
