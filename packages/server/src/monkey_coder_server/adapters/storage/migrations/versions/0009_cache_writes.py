"""How many tokens of a request were written to its provider's cache, for exports.

Unknown of requests that were booked before, and of those the code of 0008 still books.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no row is written anew."""
    op.add_column("usage", sa.Column("cache_write_tokens", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("usage", "cache_write_tokens")
