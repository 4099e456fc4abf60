"""The tables of promotions and of who redeemed them. Money and times as in `tables`."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from monkey_coder_server.adapters.storage.tables import metadata

promotions = Table(
    "promotions",
    metadata,
    Column("promotion_id", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("code_folded", Text, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("lasts_days", Integer, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger),
    Column("most", BigInteger),
    Column("new_within_days", Integer),
    Column("plans", Text, nullable=False),
    Column("redeemed", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    UniqueConstraint("code_folded"),
    CheckConstraint("amount > 0", "gives_something"),
    CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", "ends_after_it_starts"),
    CheckConstraint("redeemed >= 0 AND (most IS NULL OR redeemed <= most)", "redeemed_within_most"),
)
"""What operators made: of a row only its end and its count ever change. `plans` are ids with spaces between them."""

promotion_redemptions = Table(
    "promotion_redemptions",
    metadata,
    Column("promotion_id", Text, ForeignKey("promotions.promotion_id"), primary_key=True),
    Column("account_id", Text, ForeignKey("wallets.account_id"), primary_key=True),
    Column("grant_id", Text, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("redeemed_by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    UniqueConstraint("grant_id"),
    Index("ix_promotion_redemptions_account_id", "account_id"),
)
"""One row for each account that redeemed a promotion; `grant_id` is the grant's and the transaction's."""
