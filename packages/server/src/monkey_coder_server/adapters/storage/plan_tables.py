"""The tables of plans and of who is on them. Money and times as in `tables`, fees in cents."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from monkey_coder_server.adapters.storage.tables import metadata

plans = Table(
    "plans",
    metadata,
    Column("plan_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("monthly_fee_cents", BigInteger, nullable=False),
    Column("included_credit", BigInteger, nullable=False),
    Column("included_priority", Integer, nullable=False),
    Column("credit_line", BigInteger, nullable=False),
    Column("trial_credit", BigInteger),
    Column("listed", Boolean, nullable=False),
    Column("offered_from", BigInteger),
    Column("offered_until", BigInteger),
    CheckConstraint("kind = 'prepaid' OR kind = 'subscription' OR kind = 'postpaid'", "known_kind"),
)
"""What the operator wrote; a plan that is retired keeps its row, because histories name it."""

account_plans = Table(
    "account_plans",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.account_id"), primary_key=True),
    Column("starts_at", BigInteger, primary_key=True, autoincrement=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    CheckConstraint("ends_at >= starts_at", "ends_after_it_starts"),
    Index("ix_account_plans_revision", "revision"),
)
"""Spans of an account on a plan, none over another; one that ends as it starts says nothing. `revision` grows with each
change, for snapshots. Where there is no span, the account is on the prepaid plan."""

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("subscription_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.account_id"), nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("period_start", BigInteger, nullable=False),
    Column("period_end", BigInteger, nullable=False),
    Column("ends_with_period", Boolean, nullable=False),
    Column("paid_until", BigInteger),
    Index("ix_subscriptions_account_id", "account_id"),
)
"""Plans paid for each month, as they were last seen at the processor. `paid_until`: what fees were seen for."""
