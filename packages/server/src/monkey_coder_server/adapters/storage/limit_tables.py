"""The tables of spending limits, of rates and of granted credit. Times, money and ids as in `tables`."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Table, Text, text

from monkey_coder_server.adapters.storage.tables import metadata

limits = Table(
    "limits",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("holder", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("allowed", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    CheckConstraint("allowed >= 0", "allowed_not_negative"),
    sqlite_with_rowid=False,
)
"""What may be spent beside the caps of keys, which stand with the key. `holder` is as `counting.stored` names it;
`model` is empty for all models; `since` is when the limit was first set."""

rate_rules = Table(
    "rate_rules",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("holder", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("allowed", BigInteger),
    Column("revision", BigInteger, nullable=False),
    CheckConstraint("allowed >= 0", "allowed_not_negative"),
    Index("ix_rate_rules_revision", "revision"),
)
"""Requests, tokens and requests at once, named as in `limits`. A rule that was taken back allows NULL: its row stays,
for its `revision`, which grows with each change, tells snapshots of it."""

counters = Table(
    "counters",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("holder", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("spent", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    CheckConstraint("spent >= 0", "spent_not_negative"),
    CheckConstraint("held >= 0", "held_not_negative"),
    sqlite_with_rowid=False,
)
"""What a limit's holder spent and holds in a `period`: `total`, a UTC day `2026-11-22`, a UTC month `2026-11`.

There is none before the limit's first use in the period; it begins with what the books tell.
"""

grants = Table(
    "grants",
    metadata,
    Column("grant_id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("remaining", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    CheckConstraint("remaining >= 0 AND remaining <= amount", "remaining_within_amount"),
    Index(
        "ix_grants_left_by_order",
        "account_id",
        "priority",
        "expires_at",
        "grant_id",
        sqlite_where=text("remaining > 0"),
        postgresql_where=text("remaining > 0"),
    ),
    Index("ix_grants_account_id", "account_id"),
    Index(
        "ix_grants_left_by_expiry",
        "expires_at",
        sqlite_where=text("remaining > 0"),
        postgresql_where=text("remaining > 0"),
    ),
    sqlite_with_rowid=False,
)
"""Credit as it was given, spent in the order of `priority`, then `expires_at`; what remains sums to the balance.

The id is that of the transaction that booked it. What never expires does so at the last moment that can be kept.
"""
