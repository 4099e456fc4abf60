"""Markups by plan, provider and model, each for its time."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; without rows everybody pays the markup of the setting, as before."""
    op.create_table(
        "markups",
        sa.Column("markup_id", sa.Text(), nullable=False),
        sa.Column("basis_points", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("basis_points >= 0", name=op.f("ck_markups_basis_points_not_negative")),
        sa.CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", name=op.f("ck_markups_ends_after_it_starts")),
        sa.PrimaryKeyConstraint("markup_id", name=op.f("pk_markups")),
    )
    op.create_index("ix_markups_revision", "markups", ["revision"])


def downgrade() -> None:
    """Drop it with what it holds."""
    op.drop_table("markups")
