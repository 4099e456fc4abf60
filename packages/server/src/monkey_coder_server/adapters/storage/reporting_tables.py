"""The tables of reports: what providers bill us for, usage summed by day, and what reconciliations found.

As in `tables`, money is BIGINT nano-dollars and times are BIGINT microseconds since 1970 UTC.
"""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, Table, Text

from monkey_coder_server.adapters.storage.tables import metadata

provider_costs = Table(
    "provider_costs",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("transaction_id", Text, primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("request_id", Text, nullable=False),
    Column("provider_request_id", Text),
    Column("model", Text, nullable=False),
    Column("uncached_input", BigInteger, nullable=False),
    Column("cache_read", BigInteger, nullable=False),
    Column("cache_write_5m", BigInteger, nullable=False),
    Column("cache_write_1h", BigInteger, nullable=False),
    Column("output", BigInteger, nullable=False),
    Column("reasoning", BigInteger, nullable=False),
    Column("searches", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("reported_cost", BigInteger),
    Column("estimated", Boolean, nullable=False),
    CheckConstraint("cost >= 0", "cost_not_negative"),
    sqlite_with_rowid=False,
)
"""One row for each answer a provider bills, in the order invoices are compared in: `transaction_id` booked it.

`output` includes `reasoning`; `reported_cost` is the provider's own figure where its answers carry one. The ids of
providers are kept as they came and decide nothing.
"""

reconciliations = Table(
    "reconciliations",
    metadata,
    Column("reconciliation_id", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("first_day", Text, nullable=False),
    Column("last_day", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("booked", BigInteger, nullable=False),
    Column("invoiced", BigInteger, nullable=False),
    Column("unexplained", BigInteger, nullable=False),
    Column("findings", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
    Index("ix_reconciliations_provider_at", "provider", "at"),
)
"""What each comparison with a provider's figures came to: append-only. `report` is its findings as JSON."""

usage_daily = Table(
    "usage_daily",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("day", BigInteger, primary_key=True, autoincrement=False),
    Column("key_id", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("persona", Text, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("provider_cost", BigInteger, nullable=False),
    Column("latency_ms", BigInteger, nullable=False),
    Column("estimated", BigInteger, nullable=False),
    Column("cache_saving", BigInteger, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)
"""Usage of a UTC day (`day`: whole days since 1970) by who and what: sums, and how many requests failed, and so on."""

usage_horizon = Table(
    "usage_horizon",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kept_from", BigInteger, nullable=False),
    CheckConstraint("number = 1", "one_row"),
    sqlite_with_rowid=False,
)
"""Since when single usage rows are kept; earlier ones are only in `usage_daily`. No row: all are kept."""
