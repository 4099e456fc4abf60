"""Price books as they were charged by, and which of them holds from when."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("price_books", "price_activations")


def upgrade() -> None:
    """Make the tables; the first start of a gateway activates the prices that are installed."""
    op.create_table(
        "price_books",
        sa.Column("book_id", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("book_id", name=op.f("pk_price_books")),
    )
    op.create_table(
        "price_activations",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("starts_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("book_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("activated_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id"], ["price_books.book_id"], name=op.f("fk_price_activations_book_id_price_books")
        ),
        sa.PrimaryKeyConstraint("number", "starts_at", name=op.f("pk_price_activations")),
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table in _APPEND_ONLY:
        for action in ("UPDATE", "DELETE", "TRUNCATE") if postgresql else ("UPDATE", "DELETE"):
            name = f"CREATE TRIGGER {table}_refuses_{action.lower()} BEFORE {action} ON {table}"
            if postgresql:
                each = "STATEMENT" if action == "TRUNCATE" else "ROW"
                op.execute(f"{name} FOR EACH {each} EXECUTE FUNCTION refuse_to_change_history()")
            else:
                op.execute(f"{name} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END")


def downgrade() -> None:
    """Drop them with what they hold."""
    op.drop_table("price_activations")
    op.drop_table("price_books")
