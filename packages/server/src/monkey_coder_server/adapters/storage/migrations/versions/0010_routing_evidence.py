"""What processes saw of the models, so that routing begins where it ended."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_SUMS = ("outcomes", "quality", "quality_squared", "recency", "recency_squared", "product")


def upgrade() -> None:
    """Make both tables; they fill as outcomes are reported."""
    op.create_table(
        "routing_evidence",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in _SUMS),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node", "arm", name=op.f("pk_routing_evidence")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_routing_evidence_changed_at", "routing_evidence", ["changed_at"])
    op.create_table(
        "routing_learners",
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("instance", name=op.f("pk_routing_learners")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_routing_learners_changed_at", "routing_learners", ["changed_at"])


def downgrade() -> None:
    """Drop both with what they hold."""
    op.drop_table("routing_learners")
    op.drop_table("routing_evidence")
