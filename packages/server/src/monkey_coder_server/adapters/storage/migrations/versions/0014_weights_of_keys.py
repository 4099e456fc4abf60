"""How much quality, cost and latency count for requests of a key that do not say it themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; keys leave the weights to the persona as before."""
    op.add_column("api_keys", sa.Column("weights", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop the column with what it holds."""
    op.drop_column("api_keys", "weights")
