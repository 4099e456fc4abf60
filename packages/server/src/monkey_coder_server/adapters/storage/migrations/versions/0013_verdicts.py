"""What verdicts of checks were worth, as sums of all processes, and how a key asks several models."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, which fills as outcomes are reported, and the column; keys ask single models as before."""
    op.create_table(
        "routing_verdicts",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("truth", sa.Text(), nullable=False),
        sa.Column("answers", sa.Double(), nullable=False),
        sa.Column("passed", sa.Double(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node", "verifier", "truth", name=op.f("pk_routing_verdicts")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_routing_verdicts_changed_at", "routing_verdicts", ["changed_at"])
    op.add_column("api_keys", sa.Column("collapse", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop both with what they hold."""
    op.drop_column("api_keys", "collapse")
    op.drop_table("routing_verdicts")
