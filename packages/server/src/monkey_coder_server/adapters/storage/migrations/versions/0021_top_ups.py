"""Automatic top-ups: rules of accounts, and the payments they began."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TENANT = "monkey_tenant"
_WALLED = ("top_up_charges", "top_ups")
_READABLE = ", ".join(_WALLED)
_IF_THERE = f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{_TENANT}') THEN "


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "top_ups",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("threshold", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("monthly_maximum", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("under_way", sa.Boolean(), nullable=False),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("charged", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("last_failure", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state = 'on' OR state = 'off' OR state = 'removed'", name=op.f("ck_top_ups_known_state")),
        sa.CheckConstraint("charged >= 0", name=op.f("ck_top_ups_charged_not_negative")),
        sa.ForeignKeyConstraint(["account_id"], ["wallets.account_id"], name=op.f("fk_top_ups_account_id_wallets")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_top_ups")),
    )
    op.create_table(
        "top_up_charges",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state = 'open' OR state = 'succeeded' OR state = 'failed'", name=op.f("ck_top_up_charges_known_state")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["top_ups.account_id"], name=op.f("fk_top_up_charges_account_id_top_ups")
        ),
        sa.PrimaryKeyConstraint("account_id", "sequence", name=op.f("pk_top_up_charges")),
    )
    unended = sa.text("state = 'open'")
    op.create_index(
        "ix_top_up_charges_open", "top_up_charges", ["next_at"], sqlite_where=unended, postgresql_where=unended
    )
    if op.get_bind().dialect.name == "postgresql":
        _wall_off()


def _wall_off() -> None:
    for table in _WALLED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} USING "
            f"(current_user <> '{_TENANT}' OR account_id = current_setting('app.account_id', true))"
        )
    op.execute(f"{_IF_THERE} GRANT SELECT ON {_READABLE} TO {_TENANT}; END IF; END $$")


def downgrade() -> None:
    """Drop both with what they hold; policies and grants go with them."""
    for name in ("top_up_charges", "top_ups"):
        op.drop_table(name)
