"""An index of the cash of payments, so that comparing it with the processor's looks at no other entries."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index; of entries of other accounts it has nothing."""
    cash = sa.text("kind = 'cash'")
    op.create_index("ix_entries_cash", "entries", ["owner"], sqlite_where=cash, postgresql_where=cash)


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_entries_cash", "entries")
