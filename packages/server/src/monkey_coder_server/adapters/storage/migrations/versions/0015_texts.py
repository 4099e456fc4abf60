"""What the marks of prompts told of arms, as sums of all processes."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, which fills as outcomes are reported."""
    op.create_table(
        "routing_texts",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("outcomes", sa.Double(), nullable=False),
        sa.Column("surprise", sa.Double(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node", "arm", name=op.f("pk_routing_texts")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_routing_texts_changed_at", "routing_texts", ["changed_at"])


def downgrade() -> None:
    """Drop it with what it holds."""
    op.drop_table("routing_texts")
