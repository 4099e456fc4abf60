"""The tables of credit and usage.

Money is BIGINT nano-dollars. Times are BIGINT microseconds since 1970 UTC. Ids are text that sorts by time.
`transactions`, `entries`, `receipts` and `audit` are append-only: `immutability` holds their guards. On SQLite, tables
of short rows are kept in their primary key's tree (WITHOUT ROWID): one tree to write instead of two. It fills a
temporary table for every `IN` it evaluates, so checks of what is written name their alternatives one by one.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    text,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

CREDIT_MOVING = ("grant", "refund", "expire", "purchase", "plan", "credit_line", "pay_back", "dispute", "debt")
"""The kinds of transactions an account sees beside its charges."""
MOVES_CREDIT = " OR ".join([f"kind = '{kind}'" for kind in CREDIT_MOVING])
LARGEST_BALANCE = 9 * 10**18
"""9 billion USD: refused before a 64-bit sum could overflow into SQLite's floating point."""

wallets = Table(
    "wallets",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("balance", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("limited", Boolean, nullable=False, server_default=false()),
    Column("frozen", Text, nullable=False, server_default=""),
    CheckConstraint("held >= 0", "held_not_negative"),
    CheckConstraint("balance - held >= 0", "covers_holds"),
    CheckConstraint(f"balance <= {LARGEST_BALANCE}", "within_64_bits"),
    sqlite_with_rowid=False,
)
"""`limited`: the account has rows in `limits`, so that requests of all others need not look.

`frozen` says why nothing may be spent of it: empty, or a word of `domain.payments.Freeze`.
"""

caps = Table(
    "caps",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("settled", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    CheckConstraint("settled >= 0", "settled_not_negative"),
    CheckConstraint("held >= 0", "held_not_negative"),
    sqlite_with_rowid=False,
)
"""What a key spent and holds in a `period`: `total`, a UTC day `2026-11-22`, a UTC month `2026-11`."""

holds = Table(
    "holds",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("wallets.account_id"), nullable=False),
    Column("key_id", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("charged", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("resolved_at", BigInteger),
    Column("idempotency_key", Text),
    Column("tokens", BigInteger),
    Column("models", Text),
    Column("lease_id", Text),
    CheckConstraint("amount >= 0", "amount_not_negative"),
    CheckConstraint("charged >= 0 AND charged <= amount", "charge_within_hold"),
    CheckConstraint("state = 'open' OR state = 'settled' OR state = 'voided' OR state = 'expired'", "known_state"),
    CheckConstraint("(state = 'open') = (resolved_at IS NULL)", "resolved_when_not_open"),
    Index(
        "ix_holds_open_expires_at",
        "expires_at",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    sqlite_with_rowid=False,
)
"""`tokens` is the most the request can use and `models` lists, parted by spaces, those it may come to use: NULL before
limits counted them."""

transactions = Table(
    "transactions",
    metadata,
    Column("transaction_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("request_id", Text),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("undoes", Text),
    Index(
        "ix_transactions_undoes",
        "undoes",
        sqlite_where=text("undoes IS NOT NULL"),
        postgresql_where=text("undoes IS NOT NULL"),
    ),
    Index(
        "ix_transactions_credit",
        "account_id",
        "at",
        sqlite_where=text(MOVES_CREDIT),
        postgresql_where=text(MOVES_CREDIT),
    ),
    sqlite_with_rowid=False,
)
"""The id is the idempotency key: it says what moved, such as `settle:req_…`, so nothing can be booked twice.

A refund names in `undoes` the transaction it takes back, whole or in part.
"""

entries = Table(
    "entries",
    metadata,
    Column("transaction_id", Text, ForeignKey("transactions.transaction_id"), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    CheckConstraint("amount <> 0", "moves_money"),
    sqlite_with_rowid=False,
)
"""One line of a transaction, as in `domain.ledger`: a positive amount is a credit; `owner` is empty for the house."""

receipts = Table(
    "receipts",
    metadata,
    Column("receipt_id", Text, primary_key=True),
    Column("request_id", Text, ForeignKey("holds.request_id"), nullable=False),
    Column("account_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("signing_key_id", Text, nullable=False),
    Column("chain_hash", Text, nullable=False),
)
"""`receipt_id` follows from `request_id`, so both are unique; `receipt_chains` keeps a key's sequence from forking."""

receipt_chains = Table(
    "receipt_chains",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("chain_hash", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""The newest link of each key's receipt chain."""

usage = Table(
    "usage",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("request_id", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("error_code", Text),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("task_type", Text, nullable=False),
    Column("persona", Text, nullable=False),
    Column("stream", Boolean, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("loss", BigInteger, nullable=False),
    Column("provider_cost", BigInteger, nullable=False),
    Column("balance_after", BigInteger, nullable=False),
    Column("receipt_id", Text),
    Column("latency_ms", BigInteger, nullable=False),
    Column("estimated", Boolean, nullable=False),
    Column("cache_write_tokens", BigInteger),
    Column("cache_saving", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("status = 'served' OR status = 'failed' OR status = 'expired'", "known_status"),
    CheckConstraint("price >= 0", "price_not_negative"),
    CheckConstraint("status = 'served' OR price = 0", "only_served_is_charged"),
    sqlite_with_rowid=False,
)
"""One row for each resolved hold, kept in the order it is reported in; its hold's `resolved_at` is its `at`.

`price` is what was charged; `loss` is what the price exceeded the hold by; `cache_saving` is what a cache
spared the account, 0 where it was not kept yet. `cache_write_tokens` is NULL where it was not counted yet.
"""

idempotency = Table(
    "idempotency",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("body", LargeBinary),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""`body` is the first result; NULL while the request is being served."""
