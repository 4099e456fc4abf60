"""What customers pay: payments, refunds, disputes, debts, and wallets that are frozen."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_FIGURES = (
    *("received", "tax", "given", "gifted", "earned", "settled"),
    *("refunding", "refunded", "claimed", "lost", "taken", "borne", "debt", "aside"),
)
_MOVED_BEFORE = "kind = 'grant' OR kind = 'refund' OR kind = 'expire'"
_MOVES = (
    f"{_MOVED_BEFORE} OR kind = 'purchase' OR kind = 'plan' OR kind = 'credit_line' OR kind = 'pay_back'"
    " OR kind = 'dispute' OR kind = 'debt'"
)
_TABLES = ("payment_customers", "payments", "payment_refunds", "payment_disputes", "payment_takings")
_TENANT = "monkey_tenant"
_IF_THERE = f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{_TENANT}') THEN "


def upgrade() -> None:
    """Add the tables, let wallets be frozen, and find the new kinds of movements as fast as the others."""
    op.add_column("wallets", sa.Column("frozen", sa.Text(), nullable=False, server_default=""))
    _find_movements(_MOVES)
    _keep_customers()
    _keep_payments()
    _keep_refunds()
    _keep_disputes()
    _keep_takings()
    if op.get_bind().dialect.name == "postgresql":
        for table in _TABLES:
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(
                f"CREATE POLICY tenant ON {table} USING "
                f"(current_user <> '{_TENANT}' OR account_id = current_setting('app.account_id', true))"
            )
        op.execute(f"{_IF_THERE} GRANT SELECT ON {', '.join(_TABLES)} TO {_TENANT}; END IF; END $$")


def _find_movements(moves: str) -> None:
    where = sa.text(moves)
    op.drop_index("ix_transactions_credit", "transactions")
    op.create_index(
        "ix_transactions_credit", "transactions", ["account_id", "at"], sqlite_where=where, postgresql_where=where
    )


def _keep_customers() -> None:
    op.create_table(
        "payment_customers",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("forgotten_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_payment_customers")),
        sqlite_with_rowid=False,
    )
    standing = sa.text("forgotten_at IS NULL")
    op.create_index(
        "ix_payment_customers_account_id",
        "payment_customers",
        ["account_id"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )


def _keep_payments() -> None:
    texts = ("account_id", "customer_id", "purpose", "state", "currency")
    op.create_table(
        "payments",
        sa.Column("payment_id", sa.Text(), nullable=False),
        *[sa.Column(name, sa.Text(), nullable=False) for name in texts],
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("tax_cents", sa.BigInteger(), nullable=False),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("reference", "failure", "warning")],
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("paid_at", sa.BigInteger(), nullable=True),
        sa.Column("grant_id", sa.Text(), nullable=True),
        sa.Column("movements", sa.BigInteger(), nullable=False),
        *[sa.Column(name, sa.BigInteger(), nullable=False) for name in _FIGURES],
        sa.Column("freezes", sa.Text(), nullable=False),
        sa.CheckConstraint("tax_cents >= 0 AND tax_cents <= cents", name=op.f("ck_payments_tax_within_payment")),
        sa.CheckConstraint("debt >= 0 AND aside >= 0", name=op.f("ck_payments_nothing_negative")),
        sa.CheckConstraint(
            "warning = '' OR warning = 'open' OR warning = 'lifted'", name=op.f("ck_payments_known_warning")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["wallets.account_id"], name=op.f("fk_payments_account_id_wallets")),
        sa.PrimaryKeyConstraint("payment_id", name=op.f("pk_payments")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_payments_account_id", "payments", ["account_id", "at"])
    for name, which in (("ix_payments_owed", "debt > 0"), ("ix_payments_freezing", "freezes <> ''")):
        where = sa.text(which)
        op.create_index(name, "payments", ["account_id"], sqlite_where=where, postgresql_where=where)


def _keep_refunds() -> None:
    op.create_table(
        "payment_refunds",
        *[
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("payment_id", "name", "account_id", "refund_id", "order_id")
        ],
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("cents > 0", name=op.f("ck_payment_refunds_returns_something")),
        _of_payment("payment_refunds"),
        sa.PrimaryKeyConstraint("payment_id", "name", name=op.f("pk_payment_refunds")),
        sqlite_with_rowid=False,
    )
    still = sa.text("state = 'pending' AND order_id <> ''")
    op.create_index("ix_payment_refunds_open", "payment_refunds", ["at"], sqlite_where=still, postgresql_where=still)
    op.create_index("ix_payment_refunds_order_id", "payment_refunds", ["order_id"])


def _keep_disputes() -> None:
    op.create_table(
        "payment_disputes",
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("dispute_id", "payment_id", "account_id")],
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("withdrawn", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        _of_payment("payment_disputes"),
        sa.PrimaryKeyConstraint("dispute_id", name=op.f("pk_payment_disputes")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_payment_disputes_payment_id", "payment_disputes", ["payment_id"])


def _keep_takings() -> None:
    op.create_table(
        "payment_takings",
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("payment_id", "source", "account_id")],
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payment_takings_takes_something")),
        _of_payment("payment_takings"),
        sa.PrimaryKeyConstraint("payment_id", "source", name=op.f("pk_payment_takings")),
        sqlite_with_rowid=False,
    )


def _of_payment(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["payment_id"], ["payments.payment_id"], name=op.f(f"fk_{table}_payment_id_payments")
    )


def downgrade() -> None:
    """Drop the tables, and with them what is known of who paid what; thaw every wallet."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    _find_movements(_MOVED_BEFORE)
    op.drop_column("wallets", "frozen")
