"""Eras of what was seen of a model: where it has changed, what was seen before is replaced."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """All that is there is of the first era."""
    op.add_column("routing_evidence", sa.Column("era", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop it; what was given up stays given up."""
    op.drop_column("routing_evidence", "era")
