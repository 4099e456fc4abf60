"""Rates of accounts and those in them; rules on models by price, capability and data policy."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_RULED = ("input_ceiling", "output_ceiling", "capabilities", "data_policies")


def upgrade() -> None:
    """Make the table, and the columns that rules of the release before have not."""
    op.create_table(
        "rate_rules",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("allowed", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("allowed >= 0", name=op.f("ck_rate_rules_allowed_not_negative")),
        sa.PrimaryKeyConstraint("account_id", "holder", "model", "measure", name=op.f("pk_rate_rules")),
    )
    op.create_index("ix_rate_rules_revision", "rate_rules", ["revision"])
    for name in _RULED:
        kind = sa.BigInteger() if name.endswith("ceiling") else sa.Text()
        op.add_column("model_rules", sa.Column(name, kind, nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        _wall_off_tenants()


def _wall_off_tenants() -> None:
    op.execute("ALTER TABLE rate_rules ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant ON rate_rules USING (current_user <> 'monkey_tenant' OR "
        "account_id = current_setting('app.account_id', true))"
    )
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monkey_tenant') THEN "
        "GRANT SELECT ON rate_rules TO monkey_tenant; END IF; END $$"
    )


def downgrade() -> None:
    """Drop them with what they hold."""
    for name in reversed(_RULED):
        op.drop_column("model_rules", name)
    op.drop_table("rate_rules")
