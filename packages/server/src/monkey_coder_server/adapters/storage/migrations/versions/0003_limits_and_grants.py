"""Limits of accounts, projects, keys and models; credit kept grant by grant; refunds that name what they undo."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NEVER = 2**63 - 1
CARRIED_PRIORITY = 100


def upgrade() -> None:
    """Add tables and columns, nothing else: the release before keeps working on them.

    Credit that was given before stands in one grant for each account, which never expires.
    """
    _create_limits()
    _create_counters()
    _create_grants()
    op.add_column("wallets", sa.Column("limited", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("holds", sa.Column("tokens", sa.BigInteger(), nullable=True))
    op.add_column("holds", sa.Column("models", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("project_id", sa.Text(), nullable=True))
    op.add_column("transactions", sa.Column("undoes", sa.Text(), nullable=True))
    _create_partial_index("ix_transactions_undoes", "transactions", ["undoes"], "undoes IS NOT NULL")
    op.execute(
        sa.text(
            "INSERT INTO grants (grant_id, account_id, kind, priority, amount, remaining, at, expires_at) "
            "SELECT 'carried:' || account_id, account_id, 'promo', :priority, balance, balance, 0, :never "
            "FROM wallets WHERE balance > 0"
        ).bindparams(priority=CARRIED_PRIORITY, never=NEVER)
    )


def downgrade() -> None:
    """Drop what was added. Limits but those of keys are lost; credit stays on the wallets."""
    op.drop_index("ix_transactions_undoes", table_name="transactions")
    for table, column in (
        ("transactions", "undoes"),
        ("api_keys", "project_id"),
        ("holds", "models"),
        ("holds", "tokens"),
        ("wallets", "limited"),
    ):
        op.drop_column(table, column)
    for table in ("grants", "counters", "limits"):
        op.drop_table(table)


def _create_limits() -> None:
    op.create_table(
        "limits",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("allowed", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("allowed >= 0", name=op.f("ck_limits_allowed_not_negative")),
        sa.PrimaryKeyConstraint("account_id", "holder", "model", "period", "unit", name=op.f("pk_limits")),
        sqlite_with_rowid=False,
    )


def _create_counters() -> None:
    op.create_table(
        "counters",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("spent >= 0", name=op.f("ck_counters_spent_not_negative")),
        sa.CheckConstraint("held >= 0", name=op.f("ck_counters_held_not_negative")),
        sa.PrimaryKeyConstraint("account_id", "holder", "model", "unit", "period", name=op.f("pk_counters")),
        sqlite_with_rowid=False,
    )


def _create_grants() -> None:
    op.create_table(
        "grants",
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("remaining >= 0 AND remaining <= amount", name=op.f("ck_grants_remaining_within_amount")),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_grants")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_grants_account_id", "grants", ["account_id"], unique=False)
    left = "remaining > 0"
    order = ["account_id", "priority", "expires_at", "grant_id"]
    _create_partial_index("ix_grants_left_by_order", "grants", order, left)
    _create_partial_index("ix_grants_left_by_expiry", "grants", ["expires_at"], left)


def _create_partial_index(name: str, table: str, columns: list[str], rows: str) -> None:
    op.create_index(name, table, columns, unique=False, sqlite_where=sa.text(rows), postgresql_where=sa.text(rows))
