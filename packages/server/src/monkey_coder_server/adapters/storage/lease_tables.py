"""The tables of leases, and of endings the books could not take. Units as in `tables`."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, LargeBinary, Table, Text, text

from monkey_coder_server.adapters.storage.tables import metadata

_OPEN = text("state = 'open'")
_RECALLED = text("recalled_at IS NOT NULL")

leases = Table(
    "leases",
    metadata,
    Column("lease_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("wallets.account_id"), nullable=False),
    Column("key_id", Text, nullable=False),
    Column("instance", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("charged", BigInteger, nullable=False),
    Column("returned", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("recalled_at", BigInteger),
    Column("taken_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    CheckConstraint("charged >= 0 AND returned >= 0 AND charged + returned <= amount", "within_amount"),
    CheckConstraint("state = 'open' OR state = 'closed' OR state = 'expired'", "known_state"),
    CheckConstraint("state = 'open' OR charged + returned = amount", "nothing_left_when_not_open"),
    CheckConstraint("state = 'open' OR recalled_at IS NULL", "only_open_is_recalled"),
    Index("ix_leases_open_account", "account_id", "instance", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_leases_open_instance", "instance", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_leases_open_expires_at", "expires_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_leases_recalled", "instance", sqlite_where=_RECALLED, postgresql_where=_RECALLED),
    sqlite_with_rowid=False,
)
"""A slice of a wallet that a process admits requests against by itself.

`amount` = `charged` (shipped charges) + `returned` + what is left, which the wallet and the counters of `day`, `month`
and `total` hold. `closed`: used up or given back; `expired`: taken back from a process that was not heard of.
A charge that came too late adds to `amount` and `charged` at once.
"""

unbooked = Table(
    "unbooked",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ending", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Endings that contradict the books, as JSON of `ports.books.Resolved`, for a person to look at."""
