"""Plans as rows, and who is on which since when."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables. Until the operator writes plans, every account is on the prepaid one."""
    op.create_table(
        "plans",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("monthly_fee_cents", sa.BigInteger(), nullable=False),
        sa.Column("included_credit", sa.BigInteger(), nullable=False),
        sa.Column("included_priority", sa.Integer(), nullable=False),
        sa.Column("credit_line", sa.BigInteger(), nullable=False),
        sa.Column("trial_credit", sa.BigInteger(), nullable=True),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("offered_from", sa.BigInteger(), nullable=True),
        sa.Column("offered_until", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind = 'prepaid' OR kind = 'subscription' OR kind = 'postpaid'", name=op.f("ck_plans_known_kind")
        ),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plans")),
    )
    op.create_table(
        "account_plans",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("ends_at >= starts_at", name=op.f("ck_account_plans_ends_after_it_starts")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_account_plans_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "starts_at", name=op.f("pk_account_plans")),
    )
    op.create_index("ix_account_plans_revision", "account_plans", ["revision"])
    if op.get_bind().dialect.name == "postgresql":
        _wall_off_tenants()


def _wall_off_tenants() -> None:
    op.execute("ALTER TABLE account_plans ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant ON account_plans USING (current_user <> 'monkey_tenant' OR "
        "account_id = current_setting('app.account_id', true))"
    )
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monkey_tenant') THEN "
        "GRANT SELECT ON account_plans TO monkey_tenant; END IF; END $$"
    )


def downgrade() -> None:
    """Drop them with what they hold."""
    op.drop_table("account_plans")
    op.drop_table("plans")
