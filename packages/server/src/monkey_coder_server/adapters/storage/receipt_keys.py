"""The public keys of all gateways of these books: what receipts are checked with, whichever of them signed."""

import base64
import binascii
from collections.abc import Mapping
from functools import partial

from sqlalchemy import BigInteger, Column, Table, Text, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.receipts import signing_key_id
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.signing import ReceiptSigner

ALGORITHM = "ed25519"

receipt_keys = Table(
    "receipt_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("algorithm", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Append-only, a row for each key that signs or signed; `public_key` is base64, `key_id` follows from it."""

_PUBLISH = Query(insert(receipt_keys).on_conflict_do_nothing())
_ALL = Query(
    select(receipt_keys.c.key_id, receipt_keys.c.public_key)
    .where(receipt_keys.c.algorithm == literal_column(f"'{ALGORITHM}'"))
    .order_by(receipt_keys.c.key_id)
)


class SqlReceiptKeys:
    """Publishes the keys of one signer and reads those of all."""

    def __init__(self, writer: Writing, readers: Reading, *, signer: ReceiptSigner, clock: Clock) -> None:
        self._writer = writer
        self._readers = readers
        self._signer = signer
        self._clock = clock

    async def publish(self) -> None:
        """Let others know the signer's keys, durably; harmless when they do. Raises `Unavailable`."""
        missing = self._signer.public_keys().keys() - (await self._readers.read(_published)).keys()
        if missing:
            keys = {key_id: self._signer.public_keys()[key_id] for key_id in sorted(missing)}
            await self._writer.perform(partial(_publish, keys, to_micros(self._clock.now())))

    async def published(self) -> Mapping[str, str]:
        """Key id to base64 public key, of every gateway of these books. Raises `Unavailable`."""
        return await self._readers.read(_published)


def known_keys(transaction: Transaction, signer: ReceiptSigner) -> Mapping[str, str]:
    """Key id to base64 public key: what is published, and what the signer knows."""
    return {**_published(transaction), **signer.public_keys()}


def _publish(keys: Mapping[str, str], now: int, transaction: Transaction) -> None:
    rows = [
        {"key_id": key_id, "algorithm": ALGORITHM, "public_key": public_key, "first_seen_at": now}
        for key_id, public_key in keys.items()
    ]
    transaction.change_each(_PUBLISH, rows)


def _published(transaction: Transaction) -> dict[str, str]:
    return {key_id: key for key_id, key in transaction.rows(_ALL, {}) if _fits(key_id, key)}


def _fits(key_id: str, public_key: str) -> bool:
    """Whether a key is the one its name stands for."""
    try:
        return signing_key_id(base64.b64decode(public_key, validate=True)) == key_id
    except (binascii.Error, ValueError):
        return False
