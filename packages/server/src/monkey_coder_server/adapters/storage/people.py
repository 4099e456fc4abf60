"""The tables of people, their keys, quotes, and the audit trail. Times and money as in `tables`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from monkey_coder_server.adapters.storage.tables import metadata

Serial = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only in a column of the exact type INTEGER."""

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.account_id"), nullable=False),
    Column("email", Text, nullable=False),
    Column("email_folded", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("email_verified_at", BigInteger),
    UniqueConstraint("email_folded"),
    Index("ix_users_account_id", "account_id"),
)
"""`roles` is a JSON list. `email_folded` is the casefolded address that must be unique."""

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.user_id"), nullable=False),
    Column("token_digest", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked", Boolean, nullable=False),
    Column("created_at", BigInteger),
    Column("confirmed_at", BigInteger),
    Column("second_factor", Boolean, nullable=False, server_default=false()),
    Column("address", Text, nullable=False, server_default=""),
    Column("agent", Text, nullable=False, server_default=""),
    Column("used_digest", LargeBinary),
    Column("rotated_at", BigInteger),
    Column("impersonator", Text, nullable=False, server_default=""),
    Index("ix_sessions_expires_at", "expires_at"),
    Index("ix_sessions_user_id", "user_id"),
    Index(
        "ix_sessions_impersonator",
        "impersonator",
        sqlite_where=text("impersonator <> ''"),
        postgresql_where=text("impersonator <> ''"),
    ),
)
"""`used_digest` is of the refresh token before the newest one, used up at `rotated_at`."""

organizations = Table(
    "organizations",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.account_id"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("second_factor_required", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("archived_at", BigInteger),
)
"""One that was deleted keeps its row, and so do teams and projects: the books name them."""

memberships = Table(
    "memberships",
    metadata,
    Column("account_id", Text, ForeignKey("organizations.account_id"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.user_id"), primary_key=True),
    Column("role", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_memberships_user_id", "user_id"),
)

operators = Table(
    "operators",
    metadata,
    Column("user_id", Text, ForeignKey("users.user_id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("given_by", Text, nullable=False),
    Column("given_at", BigInteger, nullable=False),
)
"""Who runs the gateway. No account's members read it, whatever they are in the account."""

tickets = Table(
    "tickets",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("details", Text, nullable=False),
    Index("ix_tickets_subject", "purpose", "subject"),
    Index("ix_tickets_expires_at", "expires_at"),
)
"""Single-use tokens by their SHA-256; a used one is deleted."""

tries = Table(
    "tries",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("clear_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Index("ix_tries_clear_at", "clear_at"),
)
"""Tries of what can be guessed or flooded, by the SHA-256 of what they were at; see `domain.throttling.Standing`."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("models", Text),
    Column("cap_day", BigInteger),
    Column("cap_month", BigInteger),
    Column("cap_total", BigInteger),
    Column("rate", BigInteger),
    Column("ip_allow", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("last_used", BigInteger),
    Column("revision", BigInteger, nullable=False),
    Column("project_id", Text),
    Column("collapse", Text),
    Column("weights", Text),
    Column("pepper", Text),
    Column("team_id", Text),
    Column("former_prefix", Text),
    Column("former_digest", LargeBinary),
    Column("former_pepper", Text),
    Column("former_until", BigInteger),
    UniqueConstraint("digest"),
    CheckConstraint("cap_day >= 0", "cap_day_not_negative"),
    CheckConstraint("cap_month >= 0", "cap_month_not_negative"),
    CheckConstraint("cap_total >= 0", "cap_total_not_negative"),
    Index("ix_api_keys_account_id", "account_id"),
    Index("ix_api_keys_revision", "revision"),
)
"""`scopes`, `models` and `ip_allow` are JSON lists, and so is `weights`: of quality, cost and latency, in percent.

`revision` grows with each change, so that snapshots catch up. `former_…` is the secret before the newest.
"""

quotes = Table(
    "quotes",
    metadata,
    Column("quote_id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_quotes_expires_at", "expires_at"),
)
"""`body` is the quoted price rows as JSON; `fingerprint` the SHA-256 of the request body they are for."""

audit = Table(
    "audit",
    metadata,
    Column("audit_id", Serial, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("account_id", Text, nullable=False, server_default=""),
    Column("address", Text, nullable=False, server_default=""),
    Column("agent", Text, nullable=False, server_default=""),
    Column("outcome", Text, nullable=False, server_default="done"),
    Column("on_behalf_of", Text, nullable=False, server_default=""),
    Column("sequence", BigInteger),
    Column("previous", LargeBinary),
    Column("digest", LargeBinary),
    Index("ix_audit_account_id", "account_id", "audit_id"),
    Index("ix_audit_sequence", "sequence", unique=True),
)
"""`sequence`, `previous` and `digest` are an entry's place in the chain; rows of earlier releases have none."""
