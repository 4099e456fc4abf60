"""Provider costs answer by answer, usage summed by day, what reconciliations found, and how far back rows are kept.

Costs booked before this revision are taken from the entries; how their tokens fell into buckets was not kept, so they
are called estimated.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("provider_costs", "reconciliations", "usage_daily", "usage_horizon")


def upgrade() -> None:
    """Make the tables and fill them from the books."""
    _create_provider_costs()
    _create_reconciliations()
    _create_usage_daily()
    op.create_table(
        "usage_horizon",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kept_from", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("number = 1", name=op.f("ck_usage_horizon_one_row")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_usage_horizon")),
        sqlite_with_rowid=False,
    )
    _fill_provider_costs()
    _fill_usage_daily()


def downgrade() -> None:
    """Drop the tables with what they hold."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_provider_costs() -> None:
    buckets = ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning", "searches")
    op.create_table(
        "provider_costs",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("provider_request_id", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        *[sa.Column(name, sa.BigInteger(), nullable=False) for name in buckets],
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("reported_cost", sa.BigInteger(), nullable=True),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.CheckConstraint("cost >= 0", name=op.f("ck_provider_costs_cost_not_negative")),
        sa.PrimaryKeyConstraint("provider", "at", "transaction_id", "line", name=op.f("pk_provider_costs")),
        sqlite_with_rowid=False,
    )


def _create_reconciliations() -> None:
    figures = ("booked", "invoiced", "unexplained", "findings")
    op.create_table(
        "reconciliations",
        sa.Column("reconciliation_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Text(), nullable=False),
        sa.Column("last_day", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        *[sa.Column(name, sa.BigInteger(), nullable=False) for name in figures],
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("reconciliation_id", name=op.f("pk_reconciliations")),
    )
    op.create_index("ix_reconciliations_provider_at", "reconciliations", ["provider", "at"], unique=False)
    _guard("reconciliations")


def _guard(table: str) -> None:
    """Let nobody change or delete what stands in a table."""
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    for action, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{action.lower()} BEFORE {action} ON {table} "
            f"FOR EACH {each} EXECUTE FUNCTION refuse_to_change_history()"
        )


def _create_usage_daily() -> None:
    counted = ("requests", "failed", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
    summed = (*counted, "price", "provider_cost", "latency_ms", "estimated")
    op.create_table(
        "usage_daily",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("day", sa.BigInteger(), autoincrement=False, nullable=False),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("key_id", "provider", "model", "persona")],
        *[sa.Column(name, sa.BigInteger(), nullable=False) for name in summed],
        sa.PrimaryKeyConstraint(
            "account_id", "day", "key_id", "provider", "model", "persona", name=op.f("pk_usage_daily")
        ),
        sqlite_with_rowid=False,
    )


def _fill_provider_costs() -> None:
    op.execute("""
        INSERT INTO provider_costs (provider, at, transaction_id, line, request_id, model, uncached_input, cache_read,
            cache_write_5m, cache_write_1h, output, reasoning, searches, cost, estimated)
        SELECT e.owner, t.at, t.transaction_id, e.line, t.request_id, COALESCE(u.model, ''),
            COALESCE(u.input_tokens - u.cached_tokens, 0), COALESCE(u.cached_tokens, 0), 0, 0,
            COALESCE(u.output_tokens, 0), COALESCE(u.reasoning_tokens, 0), 0, e.amount, TRUE
        FROM entries e JOIN transactions t ON t.transaction_id = e.transaction_id
        LEFT JOIN holds h ON h.request_id = t.request_id
        LEFT JOIN usage u ON u.account_id = h.account_id AND u.at = h.resolved_at AND u.request_id = h.request_id
            AND u.provider = e.owner
        WHERE e.kind = 'provider_payable'
    """)


def _fill_usage_daily() -> None:
    op.execute("""
        INSERT INTO usage_daily (account_id, day, key_id, provider, model, persona, requests, failed, input_tokens,
            cached_tokens, output_tokens, reasoning_tokens, price, provider_cost, latency_ms, estimated)
        SELECT account_id, at / 86400000000, key_id, provider, model, persona, COUNT(*),
            SUM(CASE status WHEN 'served' THEN 0 ELSE 1 END), SUM(input_tokens), SUM(cached_tokens),
            SUM(output_tokens), SUM(reasoning_tokens), SUM(price), SUM(provider_cost), SUM(latency_ms),
            SUM(CASE WHEN estimated THEN 1 ELSE 0 END)
        FROM usage GROUP BY account_id, at / 86400000000, key_id, provider, model, persona
    """)
