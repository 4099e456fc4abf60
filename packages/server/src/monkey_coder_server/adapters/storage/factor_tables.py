"""The tables of second factors. Times as in `tables`."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint

from monkey_coder_server.adapters.storage.tables import metadata

totp_factors = Table(
    "totp_factors",
    metadata,
    Column("user_id", Text, ForeignKey("users.user_id"), primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
"""`secret` is sealed for its person."""

passkeys = Table(
    "passkeys",
    metadata,
    Column("passkey_id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.user_id"), nullable=False),
    Column("credential_id", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used", BigInteger),
    UniqueConstraint("credential_id"),
    Index("ix_passkeys_user_id", "user_id"),
)
"""`public_key` is a COSE key."""

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user_id", Text, ForeignKey("users.user_id"), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
)
"""Keyed digests of codes that nobody used yet."""
