"""What the payment processor tells, kept once."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; nothing was told before."""
    columns = (
        ("event_id", sa.Text(), False),
        ("kind", sa.Text(), False),
        ("at", sa.BigInteger(), False),
        ("live", sa.Boolean(), False),
        ("object_kind", sa.Text(), False),
        ("object_id", sa.Text(), False),
        ("received_at", sa.BigInteger(), False),
        ("handled_at", sa.BigInteger(), True),
        ("attempts", sa.BigInteger(), False),
        ("next_at", sa.BigInteger(), False),
        ("claimed_until", sa.BigInteger(), False),
        ("note", sa.Text(), False),
    )
    op.create_table(
        "stripe_events",
        *[sa.Column(name, kind, nullable=nullable) for name, kind, nullable in columns],
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_stripe_events")),
        sqlite_with_rowid=False,
    )
    unhandled = sa.text("handled_at IS NULL")
    for name, of in (("unhandled", ["next_at"]), ("object", ["object_kind", "object_id"])):
        op.create_index(
            f"ix_stripe_events_{name}", "stripe_events", of, sqlite_where=unhandled, postgresql_where=unhandled
        )


def downgrade() -> None:
    """Drop it with what it holds: what was not handled is found by reconciliation."""
    op.drop_table("stripe_events")
