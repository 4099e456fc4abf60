"""The public keys of all gateways: those of receipts signed before are added when a gateway that has them starts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and let nobody change or delete what stands in it."""
    op.create_table(
        "receipt_keys",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_receipt_keys")),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER receipt_keys_refuses_{action.lower()} BEFORE {action} ON receipt_keys "
                "BEGIN SELECT RAISE(ABORT, 'receipt_keys is append-only'); END"
            )
        return
    for action, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER receipt_keys_refuses_{action.lower()} BEFORE {action} ON receipt_keys "
            f"FOR EACH {each} EXECUTE FUNCTION refuse_to_change_history()"
        )


def downgrade() -> None:
    """Drop the table with what it holds."""
    op.drop_table("receipt_keys")
