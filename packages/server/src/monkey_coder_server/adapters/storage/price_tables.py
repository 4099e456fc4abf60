"""The tables of what is charged. Times as in `tables`."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from monkey_coder_server.adapters.storage.tables import metadata

markups = Table(
    "markups",
    metadata,
    Column("markup_id", Text, primary_key=True),
    Column("basis_points", Integer, nullable=False),
    Column("plan", Text),
    Column("provider", Text),
    Column("model", Text),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger),
    Column("reason", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    CheckConstraint("basis_points >= 0", "basis_points_not_negative"),
    CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", "ends_after_it_starts"),
    Index("ix_markups_revision", "revision"),
)
"""NULL for plan, provider or model: any. Only the end of a row ever changes. `revision` as in `model_rules`."""

price_books = Table(
    "price_books",
    metadata,
    Column("book_id", Text, primary_key=True),
    Column("facts", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
)
"""Append-only: `facts` is the whole book as JSON, so that every receipt's book can be shown."""

price_activations = Table(
    "price_activations",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("starts_at", BigInteger, primary_key=True, autoincrement=False),
    Column("book_id", Text, ForeignKey("price_books.book_id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("activated_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
"""Append-only: the rows of one number are one activation, a book after another; the highest number holds."""
