"""Subscriptions; credit lines, and invoices for what was used of them."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_TABLES = ("credit_lines", "invoices", "invoice_lines", "subscriptions")


def upgrade() -> None:
    """Make the tables, and an index of what lines have extended."""
    op.create_table(
        "credit_lines",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_credit_lines_amount_not_negative")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["wallets.account_id"], name=op.f("fk_credit_lines_account_id_wallets")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_credit_lines")),
    )
    _invoices()
    op.create_table(
        "invoice_lines",
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.invoice_id"], name=op.f("fk_invoice_lines_invoice_id_invoices")
        ),
        sa.PrimaryKeyConstraint("invoice_id", "line", name=op.f("pk_invoice_lines")),
    )
    _subscriptions()
    extended = sa.text("kind = 'credit_line'")
    op.create_index("ix_entries_credit_line", "entries", ["owner"], sqlite_where=extended, postgresql_where=extended)
    if op.get_bind().dialect.name == "postgresql":
        _wall_off_tenants()


def _invoices() -> None:
    op.create_table(
        "invoices",
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("charged", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("residue", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("paid_at", sa.BigInteger(), nullable=True),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("hosted_url", sa.Text(), nullable=False),
        sa.CheckConstraint("cents >= 0 AND used >= 0 AND charged >= 0", name=op.f("ck_invoices_nothing_negative")),
        sa.CheckConstraint("residue >= 0 AND residue < 10000000", name=op.f("ck_invoices_residue_below_a_cent")),
        sa.ForeignKeyConstraint(["account_id"], ["wallets.account_id"], name=op.f("fk_invoices_account_id_wallets")),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("account_id", "period", name=op.f("uq_invoices_account_id_period")),
    )
    for name, column, state in (("unsent", "made_at", "draft"), ("owed", "due_at", "open")):
        where = sa.text(f"state = '{state}'")
        op.create_index(f"ix_invoices_{name}", "invoices", [column], sqlite_where=where, postgresql_where=where)


def _subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("subscription_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("period_start", sa.BigInteger(), nullable=False),
        sa.Column("period_end", sa.BigInteger(), nullable=False),
        sa.Column("ends_with_period", sa.Boolean(), nullable=False),
        sa.Column("paid_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_subscriptions_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("subscription_id", name=op.f("pk_subscriptions")),
    )
    op.create_index("ix_subscriptions_account_id", "subscriptions", ["account_id"])


def _wall_off_tenants() -> None:
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} USING (current_user <> 'monkey_tenant' OR "
            "account_id = current_setting('app.account_id', true))"
        )
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monkey_tenant') THEN "
        f"GRANT SELECT ON {', '.join(_TABLES)} TO monkey_tenant; END IF; END $$"
    )


def downgrade() -> None:
    """Drop them with what they hold. What lines extended stays in the entries."""
    op.drop_index("ix_entries_credit_line", "entries")
    for table in reversed(_TABLES):
        op.drop_table(table)
