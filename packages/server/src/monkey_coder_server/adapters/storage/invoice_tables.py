"""The tables of credit lines and invoices. Money in nano-dollars unless a column says cents; times as in `tables`."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from monkey_coder_server.adapters.storage.tables import entries, metadata
from monkey_coder_server.domain.ledger import AccountKind

_UNSENT = text("state = 'draft'")
_OWED = text("state = 'open'")
_EXTENDED = text(f"kind = '{AccountKind.CREDIT_LINE.value}'")

credit_lines = Table(
    "credit_lines",
    metadata,
    Column("account_id", Text, ForeignKey("wallets.account_id"), primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("changes", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    CheckConstraint("amount >= 0", "amount_not_negative"),
)
"""What an account may owe in all. `changes` counts how often that was set, `since` when first."""

invoices = Table(
    "invoices",
    metadata,
    Column("invoice_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("wallets.account_id"), nullable=False),
    Column("period", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("charged", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
    Column("residue", BigInteger, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    Column("paid_at", BigInteger),
    Column("ref", Text, nullable=False),
    Column("hosted_url", Text, nullable=False),
    UniqueConstraint("account_id", "period"),
    CheckConstraint("cents >= 0 AND used >= 0 AND charged >= 0", "nothing_negative"),
    CheckConstraint("residue >= 0 AND residue < 10000000", "residue_below_a_cent"),
    Index("ix_invoices_unsent", "made_at", sqlite_where=_UNSENT, postgresql_where=_UNSENT),
    Index("ix_invoices_owed", "due_at", sqlite_where=_OWED, postgresql_where=_OWED),
)
"""One for each month (`2026-11`, UTC) of an account with a credit line.

`charged` is what its requests of the month cost when it was made, `used` what was used of the line, `residue` what is
less than a cent and left for the next one.
"""

invoice_lines = Table(
    "invoice_lines",
    metadata,
    Column("invoice_id", Text, ForeignKey("invoices.invoice_id"), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("account_id", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("project_id", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("cents", BigInteger, nullable=False),
)
"""What an invoice is made of; the cents sum to its total."""

Index("ix_entries_credit_line", entries.c.owner, sqlite_where=_EXTENDED, postgresql_where=_EXTENDED)
"""What lines have extended is summed by account."""
