"""What providers' caches spared accounts, request by request and in the sums of days.

Nothing of requests that were booked before, and of those the code of 0022 still books: their receipts tell it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_TABLES = ("usage", "usage_daily")


def upgrade() -> None:
    """Add the columns; no row is written anew."""
    for table in _TABLES:
        op.add_column(table, sa.Column("cache_saving", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop the columns."""
    for table in _TABLES:
        op.drop_column(table, "cache_saving")
