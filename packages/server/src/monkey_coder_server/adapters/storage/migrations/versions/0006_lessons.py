"""What settled requests took, to foretell prices by after a restart."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; it fills as requests are settled."""
    op.create_table(
        "lessons",
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("lesson", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("at", "request_id", name=op.f("pk_lessons")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the table with what it holds."""
    op.drop_table("lessons")
