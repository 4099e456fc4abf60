"""Leases of wallets, the lease a request was admitted on, and endings the books could not take.

Only adds: the code of 0003 goes on running on it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OPEN = sa.text("state = 'open'")
RECALLED = sa.text("recalled_at IS NOT NULL")
INDEXES = (
    ("ix_leases_open_account", ["account_id", "instance"], OPEN),
    ("ix_leases_open_instance", ["instance"], OPEN),
    ("ix_leases_open_expires_at", ["expires_at"], OPEN),
    ("ix_leases_recalled", ["instance"], RECALLED),
)
RELEASE_WALLETS = """
    UPDATE wallets SET held = held - (
        SELECT COALESCE(SUM(l.amount - l.charged - l.returned), 0) FROM leases l
        WHERE l.account_id = wallets.account_id AND l.state = 'open'
    )
"""
RELEASE_COUNTERS = """
    UPDATE caps SET held = held - (
        SELECT COALESCE(SUM(l.amount - l.charged - l.returned), 0) FROM leases l
        WHERE l.key_id = caps.key_id AND l.state = 'open'
        AND (caps.period = 'total' OR caps.period = l.day OR caps.period = l.month)
    )
"""


def upgrade() -> None:
    """Make both tables and the new column."""
    _create_leases()
    op.create_table(
        "unbooked",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ending", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_unbooked")),
        sqlite_with_rowid=False,
    )
    op.add_column("holds", sa.Column("lease_id", sa.Text(), nullable=True))


def downgrade() -> None:
    """Give back what open leases hold, then drop both tables and the column."""
    op.execute(RELEASE_WALLETS)
    op.execute(RELEASE_COUNTERS)
    op.drop_column("holds", "lease_id")
    op.drop_table("unbooked")
    op.drop_table("leases")


def _create_leases() -> None:
    op.create_table(
        "leases",
        sa.Column("lease_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("charged", sa.BigInteger(), nullable=False),
        sa.Column("returned", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("recalled_at", sa.BigInteger(), nullable=True),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "charged >= 0 AND returned >= 0 AND charged + returned <= amount", name=op.f("ck_leases_within_amount")
        ),
        sa.CheckConstraint(
            "state = 'open' OR state = 'closed' OR state = 'expired'", name=op.f("ck_leases_known_state")
        ),
        sa.CheckConstraint(
            "state = 'open' OR charged + returned = amount", name=op.f("ck_leases_nothing_left_when_not_open")
        ),
        sa.CheckConstraint("state = 'open' OR recalled_at IS NULL", name=op.f("ck_leases_only_open_is_recalled")),
        sa.ForeignKeyConstraint(["account_id"], ["wallets.account_id"], name=op.f("fk_leases_account_id_wallets")),
        sa.PrimaryKeyConstraint("lease_id", name=op.f("pk_leases")),
        sqlite_with_rowid=False,
    )
    for name, columns, where in INDEXES:
        op.create_index(name, "leases", columns, unique=False, sqlite_where=where, postgresql_where=where)
