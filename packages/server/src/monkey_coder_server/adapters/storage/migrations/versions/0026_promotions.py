"""Promotions, and who redeemed them."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_REDEMPTIONS = "promotion_redemptions"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "promotions",
        sa.Column("promotion_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("code_folded", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("lasts_days", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("most", sa.BigInteger(), nullable=True),
        sa.Column("new_within_days", sa.Integer(), nullable=True),
        sa.Column("plans", sa.Text(), nullable=False),
        sa.Column("redeemed", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_promotions_gives_something")),
        sa.CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", name=op.f("ck_promotions_ends_after_it_starts")),
        sa.CheckConstraint(
            "redeemed >= 0 AND (most IS NULL OR redeemed <= most)", name=op.f("ck_promotions_redeemed_within_most")
        ),
        sa.PrimaryKeyConstraint("promotion_id", name=op.f("pk_promotions")),
        sa.UniqueConstraint("code_folded", name=op.f("uq_promotions_code_folded")),
    )
    op.create_table(
        _REDEMPTIONS,
        sa.Column("promotion_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("redeemed_by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["promotion_id"],
            ["promotions.promotion_id"],
            name=op.f("fk_promotion_redemptions_promotion_id_promotions"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["wallets.account_id"], name=op.f("fk_promotion_redemptions_account_id_wallets")
        ),
        sa.PrimaryKeyConstraint("promotion_id", "account_id", name=op.f("pk_promotion_redemptions")),
        sa.UniqueConstraint("grant_id", name=op.f("uq_promotion_redemptions_grant_id")),
    )
    op.create_index("ix_promotion_redemptions_account_id", _REDEMPTIONS, ["account_id"])
    if op.get_bind().dialect.name == "postgresql":
        _guard_on_postgresql()
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {_REDEMPTIONS}_refuses_{action.lower()} BEFORE {action} ON {_REDEMPTIONS} "
            f"BEGIN SELECT RAISE(ABORT, '{_REDEMPTIONS} is append-only'); END"
        )


def _guard_on_postgresql() -> None:
    for action, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER {_REDEMPTIONS}_refuses_{action.lower()} BEFORE {action} ON {_REDEMPTIONS} "
            f"FOR EACH {each} EXECUTE FUNCTION refuse_to_change_history()"
        )
    op.execute(f"ALTER TABLE {_REDEMPTIONS} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {_REDEMPTIONS} USING (current_user <> 'monkey_tenant' OR "
        "account_id = current_setting('app.account_id', true))"
    )
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'monkey_tenant') THEN "
        f"GRANT SELECT ON {_REDEMPTIONS} TO monkey_tenant; END IF; END $$"
    )


def downgrade() -> None:
    """Drop both with what they hold. What was redeemed stays in the books as grants."""
    op.drop_table(_REDEMPTIONS)
    op.drop_table("promotions")
