"""The tables of what customers pay. Money in nano-dollars unless a column says cents; times and ids as in `tables`."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, Text, text

from monkey_coder_server.adapters.storage.tables import entries, metadata
from monkey_coder_server.domain.ledger import AccountKind

_STANDING = text("forgotten_at IS NULL")
_OWED = text("debt > 0")
_FREEZING = text("freezes <> ''")
_OPEN = text("state = 'pending' AND order_id <> ''")
_CASH = text(f"kind = '{AccountKind.CASH.value}'")
FIGURES = (
    *("received", "tax", "given", "gifted", "earned", "settled"),
    *("refunding", "refunded", "claimed", "lost", "taken", "borne"),
)
"""As in `domain.payment_books.Figures`."""

payment_customers = Table(
    "payment_customers",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("forgotten_at", BigInteger),
    Index(
        "ix_payment_customers_account_id",
        "account_id",
        unique=True,
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    ),
    sqlite_with_rowid=False,
)
"""Whose customer at the processor is whose. A forgotten one is not used any more; its payments are still known."""

payments = Table(
    "payments",
    metadata,
    Column("payment_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("wallets.account_id"), nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("tax_cents", BigInteger, nullable=False),
    Column("reference", Text, nullable=False),
    Column("failure", Text, nullable=False),
    Column("warning", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("paid_at", BigInteger),
    Column("grant_id", Text),
    Column("movements", BigInteger, nullable=False),
    *[Column(name, BigInteger, nullable=False) for name in FIGURES],
    Column("debt", BigInteger, nullable=False),
    Column("aside", BigInteger, nullable=False),
    Column("freezes", Text, nullable=False),
    CheckConstraint("tax_cents >= 0 AND tax_cents <= cents", "tax_within_payment"),
    CheckConstraint("debt >= 0 AND aside >= 0", "nothing_negative"),
    CheckConstraint("warning = '' OR warning = 'open' OR warning = 'lifted'", "known_warning"),
    Index("ix_payments_account_id", "account_id", "at"),
    Index("ix_payments_owed", "account_id", sqlite_where=_OWED, postgresql_where=_OWED),
    Index("ix_payments_freezing", "account_id", sqlite_where=_FREEZING, postgresql_where=_FREEZING),
    sqlite_with_rowid=False,
)
"""A payment as it was last seen, and what is booked of it: the figures the next sight is compared with.

`grant_id` is the credit it gave, `movements` counts those that are booked beside that. `freezes` says why the payment
freezes its account; empty when it does not.
"""

payment_refunds = Table(
    "payment_refunds",
    metadata,
    Column("payment_id", Text, ForeignKey("payments.payment_id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("refund_id", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint("cents > 0", "returns_something"),
    Index("ix_payment_refunds_open", "at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_payment_refunds_order_id", "order_id"),
    sqlite_with_rowid=False,
)
"""`name` is our order's id for those we ordered, else the processor's; one order may be of several payments."""

payment_disputes = Table(
    "payment_disputes",
    metadata,
    Column("dispute_id", Text, primary_key=True),
    Column("payment_id", Text, ForeignKey("payments.payment_id"), nullable=False),
    Column("account_id", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("withdrawn", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_payment_disputes_payment_id", "payment_id"),
    sqlite_with_rowid=False,
)

payment_takings = Table(
    "payment_takings",
    metadata,
    Column("payment_id", Text, ForeignKey("payments.payment_id"), primary_key=True),
    Column("source", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    CheckConstraint("amount > 0", "takes_something"),
    sqlite_with_rowid=False,
)
"""Where what a payment takes back came from: a grant's id, or a word of `domain.payment_books`."""

Index("ix_entries_cash", entries.c.owner, sqlite_where=_CASH, postgresql_where=_CASH)
"""Cash is summed by payment."""
