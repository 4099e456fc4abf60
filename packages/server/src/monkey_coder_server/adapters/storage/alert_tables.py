"""The tables of alerts, webhooks, and what is told by them. Money in nano-dollars, times and ids as in `tables`."""

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
    text,
)

from monkey_coder_server.adapters.storage.tables import metadata

_WAITING = text("state = 'waiting'")

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("wallets.account_id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("percent", Integer, nullable=False),
    Column("mail", Boolean, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("crossed", Text, nullable=False),
    Column("fired_at", BigInteger),
    Column("next_at", BigInteger, nullable=False),
    Index("ix_alerts_account_id", "account_id"),
    Index("ix_alerts_next_at", "next_at"),
)
"""`crossed` is a JSON list of what was crossed at the last look; `next_at` is when the next look is due."""

webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("wallets.account_id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("former_secret", LargeBinary),
    Column("former_until", BigInteger),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_webhooks_account_id", "account_id"),
)
"""`kinds` are parted by spaces; empty for all. Secrets are sealed."""

notices = Table(
    "notices",
    metadata,
    Column("notice_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("wallets.account_id"), nullable=False),
    Column("alert_id", Text, nullable=False),
    Column("crossing", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("alert_id", "crossing"),
)
"""What was told, kept so that it is told once. A test has no alert and is its own crossing."""

notice_deliveries = Table(
    "notice_deliveries",
    metadata,
    Column("notice_id", Text, ForeignKey("notices.notice_id"), primary_key=True),
    Column("target", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("note", Text, nullable=False),
    CheckConstraint("channel = 'mail' OR channel = 'webhook'", "known_channel"),
    CheckConstraint("state = 'waiting' OR state = 'delivered' OR state = 'given_up'", "known_state"),
    CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", "ended_when_not_waiting"),
    Index("ix_notice_deliveries_waiting", "next_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    Index("ix_notice_deliveries_account_id", "account_id", "notice_id"),
)
"""A notice's way to each of its targets; `next_at` is when the next try is due."""
