"""The tables of automatic top-ups. Amounts are cents, times as in `tables`."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, text

from monkey_coder_server.adapters.storage.tables import metadata

top_ups = Table(
    "top_ups",
    metadata,
    Column("account_id", Text, ForeignKey("wallets.account_id"), primary_key=True),
    Column("threshold", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("monthly_maximum", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("under_way", Boolean, nullable=False),
    Column("strikes", Integer, nullable=False),
    Column("month", Text, nullable=False),
    Column("charged", BigInteger, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("last_failure", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", BigInteger, nullable=False),
    CheckConstraint("state = 'on' OR state = 'off' OR state = 'removed'", "known_state"),
    CheckConstraint("charged >= 0", "charged_not_negative"),
)
"""One row an account that ever had a rule: it is what its payments take turns by."""

top_up_charges = Table(
    "top_up_charges",
    metadata,
    Column("account_id", Text, ForeignKey("top_ups.account_id"), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("cents", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    CheckConstraint("state = 'open' OR state = 'succeeded' OR state = 'failed'", "known_state"),
    Index(
        "ix_top_up_charges_open",
        "next_at",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)
"""Payments begun. `next_at`: when the end of an open one is to be asked for next."""
