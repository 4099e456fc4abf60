"""The tables of second factors. Times as in `tables`."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    exists,
    literal_column,
    select,
    union_all,
)

from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.adapters.storage.transaction import Query

LAST_FACTOR = "last factors of operators"
"""Whether somebody has a factor and whether they are an operator is judged by one transaction at a time."""

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

_ONE: Any = literal_column("1")
_OF_USER: Any = bindparam("user")
HAS_FACTOR = Query(
    union_all(
        select(_ONE).where(exists().where(totp_factors.c.user_id == _OF_USER)),
        select(_ONE).where(exists().where(passkeys.c.user_id == _OF_USER)),
    )
)
"""A row for who has a second factor; recovery codes alone are none."""
