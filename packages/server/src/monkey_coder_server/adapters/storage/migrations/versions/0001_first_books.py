"""The first books: wallets, holds, entries, receipts, usage; people, keys, quotes, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("transactions", "entries", "receipts", "audit")


def upgrade() -> None:
    """Make every table, then the guards that keep history as it was written."""
    _create_accounts()
    _create_api_keys()
    _create_audit()
    _create_caps()
    _create_idempotency()
    _create_quotes()
    _create_receipt_chains()
    _create_transactions()
    _create_usage()
    _create_wallets()
    _create_entries()
    _create_holds()
    _create_users()
    _create_receipts()
    _create_sessions()
    if op.get_bind().dialect.name == "sqlite":
        _create_sqlite_guards()
    else:
        _create_postgresql_guards()


def downgrade() -> None:
    """Drop every table with what it holds; a table's guards go with it."""
    for table in (
        "sessions",
        "receipts",
        "users",
        "holds",
        "entries",
        "wallets",
        "usage",
        "transactions",
        "receipt_chains",
        "quotes",
        "idempotency",
        "caps",
        "audit",
        "api_keys",
        "accounts",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_to_change_history")


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_accounts")),
    )


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("models", sa.Text(), nullable=True),
        sa.Column("cap_day", sa.BigInteger(), nullable=True),
        sa.Column("cap_month", sa.BigInteger(), nullable=True),
        sa.Column("cap_total", sa.BigInteger(), nullable=True),
        sa.Column("rate", sa.BigInteger(), nullable=True),
        sa.Column("ip_allow", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("cap_day >= 0", name=op.f("ck_api_keys_cap_day_not_negative")),
        sa.CheckConstraint("cap_month >= 0", name=op.f("ck_api_keys_cap_month_not_negative")),
        sa.CheckConstraint("cap_total >= 0", name=op.f("ck_api_keys_cap_total_not_negative")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    op.create_index("ix_api_keys_account_id", "api_keys", ["account_id"], unique=False)
    op.create_index("ix_api_keys_revision", "api_keys", ["revision"], unique=False)


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
    )


def _create_caps() -> None:
    op.create_table(
        "caps",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("held >= 0", name=op.f("ck_caps_held_not_negative")),
        sa.CheckConstraint("settled >= 0", name=op.f("ck_caps_settled_not_negative")),
        sa.PrimaryKeyConstraint("key_id", "period", name=op.f("pk_caps")),
        sqlite_with_rowid=False,
    )


def _create_idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_idempotency")),
        sqlite_with_rowid=False,
    )


def _create_quotes() -> None:
    op.create_table(
        "quotes",
        sa.Column("quote_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("quote_id", name=op.f("pk_quotes")),
    )
    op.create_index("ix_quotes_expires_at", "quotes", ["expires_at"], unique=False)


def _create_receipt_chains() -> None:
    op.create_table(
        "receipt_chains",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("chain_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_receipt_chains")),
        sqlite_with_rowid=False,
    )


def _create_transactions() -> None:
    op.create_table(
        "transactions",
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", name=op.f("pk_transactions")),
        sqlite_with_rowid=False,
    )


def _create_usage() -> None:
    op.create_table(
        "usage",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("task_type", sa.Text(), nullable=False),
        sa.Column("persona", sa.Text(), nullable=False),
        sa.Column("stream", sa.Boolean(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("loss", sa.BigInteger(), nullable=False),
        sa.Column("provider_cost", sa.BigInteger(), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=True),
        sa.Column("latency_ms", sa.BigInteger(), nullable=False),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.CheckConstraint("status = 'served' OR price = 0", name=op.f("ck_usage_only_served_is_charged")),
        sa.CheckConstraint(
            "status = 'served' OR status = 'failed' OR status = 'expired'", name=op.f("ck_usage_known_status")
        ),
        sa.CheckConstraint("price >= 0", name=op.f("ck_usage_price_not_negative")),
        sa.PrimaryKeyConstraint("account_id", "at", "request_id", name=op.f("pk_usage")),
        sqlite_with_rowid=False,
    )


def _create_wallets() -> None:
    op.create_table(
        "wallets",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("balance - held >= 0", name=op.f("ck_wallets_covers_holds")),
        sa.CheckConstraint("balance <= 9000000000000000000", name=op.f("ck_wallets_within_64_bits")),
        sa.CheckConstraint("held >= 0", name=op.f("ck_wallets_held_not_negative")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_wallets")),
        sqlite_with_rowid=False,
    )


def _create_entries() -> None:
    op.create_table(
        "entries",
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_entries_moves_money")),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["transactions.transaction_id"], name=op.f("fk_entries_transaction_id_transactions")
        ),
        sa.PrimaryKeyConstraint("transaction_id", "line", name=op.f("pk_entries")),
        sqlite_with_rowid=False,
    )


def _create_holds() -> None:
    op.create_table(
        "holds",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("charged", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'open') = (resolved_at IS NULL)", name=op.f("ck_holds_resolved_when_not_open")),
        sa.CheckConstraint(
            "state = 'open' OR state = 'settled' OR state = 'voided' OR state = 'expired'",
            name=op.f("ck_holds_known_state"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_holds_amount_not_negative")),
        sa.CheckConstraint("charged >= 0 AND charged <= amount", name=op.f("ck_holds_charge_within_hold")),
        sa.ForeignKeyConstraint(["account_id"], ["wallets.account_id"], name=op.f("fk_holds_account_id_wallets")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_holds")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_holds_open_expires_at",
        "holds",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_folded", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name=op.f("fk_users_account_id_accounts")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_folded", name=op.f("uq_users_email_folded")),
    )


def _create_receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("signing_key_id", sa.Text(), nullable=False),
        sa.Column("chain_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["holds.request_id"], name=op.f("fk_receipts_request_id_holds")),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_receipts")),
    )


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_sessions_user_id_users")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"], unique=False)


def _create_sqlite_guards() -> None:
    for table in APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _create_postgresql_guards() -> None:
    op.execute(
        "CREATE FUNCTION refuse_to_change_history() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RAISE integrity_constraint_violation USING MESSAGE = TG_TABLE_NAME || '' is append-only''; END'"
    )
    for table in APPEND_ONLY:
        for action in ("UPDATE", "DELETE", "TRUNCATE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{action.lower()} BEFORE {action} ON {table} "
                f"FOR EACH {'STATEMENT' if action == 'TRUNCATE' else 'ROW'} EXECUTE FUNCTION refuse_to_change_history()"
            )
