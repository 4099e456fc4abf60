"""The table of what the payment processor tells. Times and ids as in `tables`."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, text

from monkey_coder_server.adapters.storage.tables import metadata

_UNHANDLED = text("handled_at IS NULL")

stripe_events = Table(
    "stripe_events",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("object_kind", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("handled_at", BigInteger),
    Column("attempts", BigInteger, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("claimed_until", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_stripe_events_unhandled", "next_at", sqlite_where=_UNHANDLED, postgresql_where=_UNHANDLED),
    Index("ix_stripe_events_object", "object_kind", "object_id", sqlite_where=_UNHANDLED, postgresql_where=_UNHANDLED),
    sqlite_with_rowid=False,
)
"""`note` says what came of an event, or why the last try failed; `claimed_until` is 0 while nobody is at it."""
