"""Find what moved an account's credit in a time, without looking through its charges."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOVES_CREDIT = "kind = 'grant' OR kind = 'refund' OR kind = 'expire'"


def upgrade() -> None:
    """Make the index, of the few transactions that are no charges."""
    op.create_index(
        "ix_transactions_credit",
        "transactions",
        ["account_id", "at"],
        unique=False,
        sqlite_where=sa.text(MOVES_CREDIT),
        postgresql_where=sa.text(MOVES_CREDIT),
    )


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_transactions_credit", table_name="transactions")
